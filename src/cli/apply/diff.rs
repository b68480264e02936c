//! Shows people what a file changes.

use super::Change;
use crate::cli::changes::{change_lines, said};
use crate::cli::output::{OutputError, Stream, Tone, note, plain};

/// Prints a line for each thing that is created (+), changed (~), revoked or removed (-), followed by its members.
pub(super) fn print_diff(changes: &[Change]) -> Result<(), OutputError> {
    if changes.is_empty() {
        note("Nothing to change.")?;
    }
    for change in changes {
        let (sign, tone) = match change.action.as_str() {
            "create" => ('+', Tone::Good),
            "revoke" | "remove" => ('-', Tone::Bad),
            _ => ('~', Tone::Careful),
        };
        Stream::Out.line(&Stream::Out.painted(&format!("{sign} {}", heading(change)), tone))?;
        members(change).iter().try_for_each(|member| Stream::Out.line(&format!("    {member}")))?;
    }
    Ok(())
}

/// `key "Reporting" (key_…)`.
fn heading(change: &Change) -> String {
    let id = change.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    plain(&format!("{} {:?}{id}", change.kind, change.name))
}

/// A new thing has no values before the change.
fn members(change: &Change) -> Vec<String> {
    if change.action != "create" {
        return change_lines(&change.changes);
    }
    let given = change.changes.iter().filter(|(_, value)| !value["to"].is_null());
    given.map(|(member, value)| plain(&format!("{member}: {}", said(member, &value["to"])))).collect()
}
