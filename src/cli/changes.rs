//! Shows changes, or the changes of a dry run.

use serde_json::{Map, Value};

use super::output::{OutputError, Stream, Tone, note, plain};

/// Prints the changes that a dry run reports for one thing: `member: before → after`.
pub(super) fn print_dry_run(changes: &Map<String, Value>) -> Result<(), OutputError> {
    if changes.is_empty() {
        return note("Nothing would change.");
    }
    let lines = change_lines(changes);
    lines.iter().try_for_each(|line| Stream::Out.line(&Stream::Out.painted(line, Tone::Careful)))
}

/// Members that follow from other changes and mean nothing more to people.
const CONSEQUENCES: [&str; 5] = ["generation", "disabled_at", "revoked_at", "revoked_reason", "warnings"];

/// One line for each changed member.
pub(super) fn change_lines(changes: &Map<String, Value>) -> Vec<String> {
    let told = changes.iter().filter(|(member, _)| !CONSEQUENCES.contains(&member.as_str()));
    told.map(|(member, change)| change_line(member, change)).collect()
}

fn change_line(member: &str, change: &Value) -> String {
    plain(&format!("{member}: {} → {}", said(member, &change["from"]), said(member, &change["to"])))
}

/// The value of a member as people write it.
pub(super) fn said(member: &str, value: &Value) -> String {
    if member == "tags" { tags_in_words(value) } else { in_words(value) }
}

/// Scopes are in OAuth's form, public keys are named by their ids, and trust rules say what they
/// pin.
pub(super) fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(" "),
        Value::Object(members) => object_in_words(members).unwrap_or_else(|| value.to_string()),
        other => other.to_string(),
    }
}

/// Tags as they are set on the command line.
fn tags_in_words(tags: &Value) -> String {
    let tags = tags.as_object().into_iter().flatten();
    let tags: Vec<_> = tags.map(|(name, value)| format!("{name}={}", in_words(value))).collect();
    if tags.is_empty() { "none".into() } else { tags.join(" ") }
}

fn object_in_words(object: &Map<String, Value>) -> Option<String> {
    let text = |member: &str| object.get(member).and_then(Value::as_str);
    if let (Some(action), Some(resource)) = (text("action"), text("resource")) {
        return Some(format!("{action}:{resource}"));
    }
    if let (Some(_), Some(alg), Some(kid)) = (text("kty"), text("alg"), text("kid")) {
        return Some(format!("({alg} {kid})"));
    }
    let (issuer, claims) = (text("issuer")?, object.get("claims")?.as_object()?);
    let named = [("aud", text("audience")), ("sub", text("subject"))];
    let named = named.into_iter().filter_map(|(claim, text)| Some(format!(" {claim}={}", text?)));
    let claims = claims.iter().map(|(pointer, text)| format!(" {pointer}={}", in_words(text)));
    Some(format!("({issuer}{})", named.chain(claims).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_said_in_words() {
        let changes = json!({
            "generation": {"from": 1, "to": 2},
            "name": {"from": "a", "to": "b\u{1b}"},
            "note": {"from": "x", "to": null},
            "public_keys": {"from": [], "to": [{"kty": "OKP", "crv": "Ed25519", "x": "…", "alg": "EdDSA", "kid": "laptop"}]},
            "scopes": {"from": [{"action": "read", "resource": "*"}], "to": [{"action": "read", "resource": "a/b"},
                {"action": "write", "resource": "a"}]},
            "tags": {"from": {}, "to": {"action": "x", "team": "billing"}},
            "trust_rules": {"from": [{"issuer": "gh", "claims": {"/ref": "x", "/repository_id": "1"}}],
                "to": [{"issuer": "gcp", "audience": "a", "subject": "1", "claims": {}}]},
        });
        assert_eq!(
            change_lines(changes.as_object().unwrap()),
            [
                "name: a → b\\u{1b}",
                "note: x → none",
                "public_keys: none → (EdDSA laptop)",
                "scopes: read:* → read:a/b write:a",
                "tags: none → action=x team=billing",
                "trust_rules: (gh /ref=x /repository_id=1) → (gcp aud=a sub=1)",
            ]
        );
    }
}
