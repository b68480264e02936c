//! Reports what a restore has done or would do. It always lists what becomes valid again.

use std::fmt::Write as _;

use serde_json::json;

use crate::store::{NamedKey, Replaced, RestoreOptions, RestoreReport, TakenAway};

/// The report for scripts.
pub(super) fn in_json(report: &RestoreReport, options: RestoreOptions) -> String {
    let replaced = report.replaced.as_ref().map(|replaced| {
        let (carried_over, brought_back) = fates(replaced, options);
        json!({
            "carried_over": carried_over,
            "brought_back": brought_back,
            "unknown": replaced.unknown,
            "lost": replaced.lost,
        })
    });
    json!({
        "dry_run": options.dry_run,
        "made_at": report.backup.made_at.rfc3339(),
        "active_keys": report.active_keys,
        "ways_in": report.admin_keys,
        "replaced": replaced,
    })
    .to_string()
}

/// The report for people.
pub(super) fn in_words(report: &RestoreReport, options: RestoreOptions) -> String {
    let (made_at, made_by) = (report.backup.made_at.rfc3339(), &report.backup.made_by);
    let mut words = if options.dry_run { "Dry run: nothing was changed.\n" } else { "" }.to_owned();
    let what = if options.dry_run { "Would be restored" } else { "Restored" };
    let _ = writeln!(
        words,
        "{what}: the store as of {made_at}, backed up by claviger {made_by}. Active API keys: {}.",
        report.active_keys
    );
    match &report.replaced {
        Some(replaced) => words.push_str(&differences(replaced, options)),
        None => {
            let _ = write!(words, "\n{}", nothing_is_known(&made_at));
        }
    }
    if report.admin_keys == 0 {
        words.push_str(NO_WAY_IN);
    }
    words.truncate(words.trim_end().len());
    words
}

/// Divides the revocations into those that are carried over and those that are undone.
fn fates(replaced: &Replaced, options: RestoreOptions) -> (Vec<&TakenAway>, Vec<&TakenAway>) {
    replaced.taken_away.iter().partition(|thing| !thing.comes_back(options))
}

fn differences(replaced: &Replaced, options: RestoreOptions) -> String {
    let (carried_over, brought_back) = fates(replaced, options);
    let things = |things: Vec<&TakenAway>| things.into_iter().map(thing_in_words).collect::<Vec<_>>();
    let keys = |keys: &[NamedKey]| keys.iter().map(key_in_words).collect::<Vec<_>>();
    if replaced.taken_away.is_empty() && replaced.unknown.is_empty() && replaced.lost.is_empty() {
        return "The replaced store had revoked nothing since the backup, and had created no keys.\n"
            .to_owned();
    }
    [
        (
            "Revoked or removed in the replaced store, and carried over (such a key keeps its state):",
            things(carried_over),
        ),
        ("VALID AGAIN, although the replaced store had revoked or removed it:", things(brought_back)),
        ("Active, but unknown to the replaced store, so it may have been revoked:", keys(&replaced.unknown)),
        ("Lost, because the backup does not contain it:", keys(&replaced.lost)),
    ]
    .into_iter()
    .filter(|(_, lines)| !lines.is_empty())
    .map(|(title, lines)| format!("\n{title}\n{}", lines.concat()))
    .collect()
}

fn thing_in_words(thing: &TakenAway) -> String {
    let kind = thing.kind.as_str().replace('_', " ");
    let name = thing.name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
    format!("  {kind} {}{name}{}: {}\n", thing.id, of(thing.organization.as_deref()), thing.what)
}

fn key_in_words(key: &NamedKey) -> String {
    format!("  key {} {:?}{}\n", key.id, key.name, of(Some(&key.organization)))
}

fn of(organization: Option<&str>) -> String {
    organization.map(|organization| format!(" of {organization}")).unwrap_or_default()
}

fn nothing_is_known(made_at: &str) -> String {
    format!(
        "What was revoked or removed after {made_at} is unknown. API keys that were revoked, disabled, deleted or narrowed\n\
         since then work as before. So do retired secrets and withdrawn signing keys. Before clients return:\n\
         - If the lost store is still readable, restore with --replace instead. That carries over what the store has\n\
         \x20 revoked, and --dry-run lists it.\n\
         - Otherwise, search an export of the audit trail, or your own records, for key.revoke, key.disable, key.delete,\n\
         \x20 key.change, key.rotate, secret.retire, public_key.remove, trust_rule.remove, issuer.change, issuer.disable,\n\
         \x20 issuer.delete, member.change, member.remove and signing_key.withdraw since then, and repeat these changes with\n\
         \x20 claviger keys revoke, disable, delete, update, rotate; claviger signing-keys rotate.\n"
    )
}

const NO_WAY_IN: &str = "
The restored store has no administrator's key: all such keys were revoked or removed, or were created after the backup.
With --forget-revocations, those that were revoked work again. Otherwise, run `claviger admin-key`.
";
