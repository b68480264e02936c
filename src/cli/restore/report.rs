//! What a restore has done, or would do: what came back to life is never left unsaid.

use std::fmt::Write as _;

use serde_json::json;

use crate::store::{NamedKey, Replaced, RestoreOptions, RestoreReport, TakenAway};

/// For scripts.
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
        "ways_in": report.ways_in,
        "replaced": replaced,
    })
    .to_string()
}

/// For people.
pub(super) fn in_words(report: &RestoreReport, options: RestoreOptions) -> String {
    let (made_at, made_by) = (report.backup.made_at.rfc3339(), &report.backup.made_by);
    let mut words = if options.dry_run { "A dry run: nothing was changed.\n" } else { "" }.to_owned();
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
    if report.ways_in == 0 {
        words.push_str(NO_WAY_IN);
    }
    words.truncate(words.trim_end().len());
    words
}

/// What is carried over, and what comes back to life.
fn fates(replaced: &Replaced, options: RestoreOptions) -> (Vec<&TakenAway>, Vec<&TakenAway>) {
    replaced.taken_away.iter().partition(|thing| !thing.comes_back(options))
}

fn differences(replaced: &Replaced, options: RestoreOptions) -> String {
    let (carried_over, brought_back) = fates(replaced, options);
    let things = |things: Vec<&TakenAway>| things.into_iter().map(thing_in_words).collect::<Vec<_>>();
    let keys = |keys: &[NamedKey]| keys.iter().map(key_in_words).collect::<Vec<_>>();
    if replaced.taken_away.is_empty() && replaced.unknown.is_empty() && replaced.lost.is_empty() {
        return "The store that was there has taken nothing away since, and made no keys.\n".to_owned();
    }
    [
        (
            "Taken away by the store that was there, and so in the restored one (such a key is as it was there):",
            things(carried_over),
        ),
        ("BACK TO LIFE, although the store that was there had taken it away:", things(brought_back)),
        (
            "Active, and unknown to the store that was there: whether it was taken away is not known either:",
            keys(&replaced.unknown),
        ),
        ("Gone, since the backup does not have it:", keys(&replaced.lost)),
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
        "Nothing is known of what was taken away after {made_at}. API keys that were revoked, disabled, deleted or\n\
         narrowed since then work as they did before; so do retired secrets and withdrawn signing keys. Before clients come back:\n\
         - Can the store that was lost still be read? Then restore in its place, with --replace: what it has taken\n\
         \x20 away is carried over, and listed with --dry-run.\n\
         - If not, look through an export of the audit trail, or your own records, for key.revoke, key.disable,\n\
         \x20 key.delete, key.change, key.rotate, secret.retire and signing_key.withdraw since then, and do the same again:\n\
         \x20 claviger keys revoke, disable, delete, update, rotate; claviger signing-keys rotate.\n"
    )
}

const NO_WAY_IN: &str = "
Nobody can make keys everywhere in it: the keys that could were taken away, or made after the backup. With
--forget-revocations those that were taken away work again.
";
