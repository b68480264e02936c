//! Renders audit events for people.

use std::sync::Arc;

use serde_json::Value;

use super::named::{Named, Names};
use super::when::When;
use crate::base::clock::Timestamp;
use crate::domain::audit::RecordedEvent;
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, changes};

/// One row of an audit table.
#[derive(Debug)]
pub(super) struct EventRow {
    pub(super) when: When,
    pub(super) label: String,
    pub(super) subject: Named,
    pub(super) actor: Named,
    /// The organization; `None` for acts on the deployment.
    pub(super) organization: Option<String>,
    pub(super) address: Option<String>,
    pub(super) details: Vec<Difference>,
}

/// A member that has changed, or would change, and its values before and after.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) member: String,
    pub(super) from: Vec<String>,
    pub(super) to: Vec<String>,
    /// Whether the values are parts of a list that may have others, too.
    pub(super) is_list: bool,
}

/// Members that follow from others and mean nothing to people.
const SILENT: [&str; 8] = [
    "generation",
    "warnings",
    "last_used_at",
    "last_used_address",
    "secrets",
    "status",
    "disabled_at",
    "revoked_at",
];

/// The rows of these events, with the names of the keys in them as far as the caller may read those.
///
/// # Errors
/// [`ApiError`].
pub(super) async fn rows(
    node: &Arc<Node>,
    caller: &Caller,
    base: &str,
    events: &[RecordedEvent],
) -> Result<Vec<EventRow>, ApiError> {
    let ids = events.iter().flat_map(|event| [event.actor.as_str(), &event.subject]);
    let names = Names::read(node, caller, base, ids).await?;
    let now = node.clock.now();
    Ok(events.iter().map(|event| EventRow::of(event, &names, now)).collect())
}

impl EventRow {
    fn of(event: &RecordedEvent, names: &Names, now: Timestamp) -> Self {
        let state = event.after.as_ref().or(event.before.as_ref());
        Self {
            when: When::new(event.at, now),
            label: label(&event.action),
            subject: names.of(&event.subject, state.and_then(|of| Some(of["name"].as_str()?.to_owned()))),
            actor: match &event.operator_id {
                Some(member) => Named::plain(event.actor_name.clone(), member),
                None => names.of(&event.actor, event.actor_name.clone()),
            },
            organization: event.organization.clone(),
            address: event.address.clone(),
            details: details(event),
        }
    }
}

fn details(event: &RecordedEvent) -> Vec<Difference> {
    match (&event.before, &event.after) {
        (Some(before), Some(after)) => differences(before, after),
        (None, Some(after)) if ["key.refused", "member.refuse"].contains(&&*event.action) => {
            vec![Difference {
                member: "Reason".into(),
                from: Vec::new(),
                to: lines(&after["reason"]),
                is_list: false,
            }]
        }
        _ => Vec::new(),
    }
}

/// The differences between two states.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let changed = changes(before, after).into_iter().filter(|(member, _)| !SILENT.contains(&&**member));
    let differences = changed.map(|(member, change)| {
        let is_list = member == "tags" || change["from"].is_array() || change["to"].is_array();
        let lines = match &*member {
            "tags" => tags,
            "expires_at" => moments,
            _ => lines,
        };
        let (from, to) = (lines(&change["from"]), lines(&change["to"]));
        let but =
            |all: &[String], kept: &[String]| all.iter().filter(|one| !kept.contains(one)).cloned().collect();
        // A list shows only the items that were added or removed.
        Difference { member: called(&member), from: but(&from, &to), to: but(&to, &from), is_list }
    });
    differences.collect()
}

/// The console's label for a member.
fn called(member: &str) -> String {
    match member {
        "cidrs" => "Allowed addresses".into(),
        "dpop" => "Bound tokens (DPoP)".into(),
        "expires_at" => "Expires".into(),
        "scopes" => "Permissions".into(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>().replace('_', " ")
        }
    }
}

/// A time as a date, and a key that never ends in words.
fn moments(value: &Value) -> Vec<String> {
    let at = value.as_str().and_then(Timestamp::parse_rfc3339);
    vec![at.map_or_else(|| "never".into(), |at| format!("{} UTC", When::new(at, at).date()))]
}

/// One line for each tag.
fn tags(value: &Value) -> Vec<String> {
    let line = |(name, value): (&String, &Value)| format!("{name}: {}", value.as_str().unwrap_or_default());
    value.as_object().into_iter().flatten().map(line).collect()
}

fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(lines).collect(),
        Value::Object(scope) if scope.contains_key("resource") => {
            let text = |name: &str| scope[name].as_str().unwrap_or_default().to_owned();
            vec![format!("{}:{}", text("action"), text("resource"))]
        }
        Value::Object(key) if key.contains_key("kid") => {
            let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
            vec![format!("{} {}", text("kid"), text("alg"))]
        }
        Value::Object(rule) if rule.contains_key("claims") => vec![rule_in_words(value)],
        Value::Object(source) if source.contains_key("discovery") => vec!["by discovery".into()],
        Value::Object(source) if source.contains_key("jwks_uri") => lines(&source["jwks_uri"]),
        Value::Object(source) if source.contains_key("jwks") => lines(&source["jwks"]["keys"]),
        other => vec![other.to_string()],
    }
}

/// A trust rule in the management API's form: `gh: subject = repo:acme/web:*, /ref = refs/heads/main`.
fn rule_in_words(rule: &Value) -> String {
    let named = ["audience", "subject"].into_iter().map(|name| (name, &rule[name]));
    let claims = rule["claims"].as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    let conditions = named.chain(claims);
    let conditions: Vec<_> =
        conditions.filter_map(|(name, value)| Some(format!("{name} = {}", value.as_str()?))).collect();
    format!("{}: {}", rule["issuer"].as_str().unwrap_or_default(), conditions.join(", "))
}

fn label(action: &str) -> String {
    let label = match action {
        "key.create" => "Key created",
        "key.change" => "Key changed",
        "key.rotate" => "Key rotated",
        "key.disable" => "Key disabled",
        "key.enable" => "Key enabled",
        "key.revoke" => "Key revoked",
        "key.delete" => "Key deleted",
        "key.refused" => "Key refused",
        "secret.retire" => "Secret retired",
        "public_key.register" => "Public key registered",
        "public_key.remove" => "Public key removed",
        "trust_rule.register" => "Trust rule added",
        "trust_rule.remove" => "Trust rule removed",
        "issuer.create" => "Trusted issuer added",
        "issuer.change" => "Trusted issuer changed",
        "issuer.disable" => "Trusted issuer disabled",
        "issuer.enable" => "Trusted issuer enabled",
        "issuer.delete" => "Trusted issuer removed",
        "scope.create" => "Scope named",
        "scope.change" => "Named scope changed",
        "scope.delete" => "Named scope removed",
        "token.revoke" => "Token revoked",
        "access.denied" => "Access denied",
        "console.sign_in" => "Signed in to console",
        "console.sign_out" => "Signed out of console",
        "member.invite" => "Member invited",
        "member.accept" => "Invitation accepted",
        "member.join" => "Member joined by group",
        "member.change" => "Member changed",
        "member.leave" => "Member left group",
        "member.remove" => "Member removed",
        "member.refuse" => "Sign-in refused",
        "member.sign_in" => "Member signed in",
        "member.confirm" => "Member signed in again",
        "member.sign_out" => "Member signed out",
        "member.restore" => "Member restored",
        "portal_session.create" => "Portal session made",
        "portal_session.end" => "Portal sessions ended",
        "portal.open" => "Portal opened",
        "project.create" => "Project created",
        "project.change" => "Project changed",
        "project.delete" => "Project deleted",
        "organization.create" => "Organization created",
        "organization.change" => "Organization changed",
        "organization.delete" => "Organization deleted",
        "signing_key.rotate" => "Signing key published",
        "signing_key.withdraw" => "Signing key withdrawn",
        "signing_key.reschedule" => "Signing key rescheduled",
        "signing_key.cancel" => "Signing key cancelled",
        "master_key.rotate" => "Master key replaced",
        "master_key.end_tags" => "Tags of a master key ended",
        "key.restore" => "Key restored",
        "project.restore" => "Project restored",
        "organization.restore" => "Organization restored",
        "issuer.restore" => "Trusted issuer restored",
        "signing_key.restore" => "Signing keys restored",
        "bootstrap" => "Server set up",
        other => other,
    };
    label.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each member that differs, its value before and its value after.
    fn told(before: &Value, after: &Value) -> Vec<[String; 3]> {
        let texts = |one: Difference| [one.member, one.from.join(" "), one.to.join(" ")];
        differences(before, after).into_iter().map(texts).collect()
    }

    #[test]
    fn a_change_is_told_member_by_member() {
        let before = json!({"name": "a", "generation": 1, "note": null, "tags": {"team": "a", "x": "y"}, "scopes": [{"action": "read", "resource": "*"}]});
        let after = json!({"name": "b", "generation": 2, "note": "x", "tags": {"team": "b", "x": "y"}, "scopes": [{"action": "read", "resource": "a"}]});
        assert_eq!(
            told(&before, &after),
            [
                ["Name", "a", "b"],
                ["Note", "", "x"],
                ["Permissions", "read:*", "read:a"],
                ["Tags", "team: a", "team: b"]
            ]
        );
    }

    #[test]
    fn an_end_is_told_as_a_date() {
        let (never, ends) = (json!({"expires_at": null}), json!({"expires_at": "2026-05-10T14:05:00Z"}));
        assert_eq!(told(&never, &ends), [["Expires", "never", "10 May 2026, 14:05 UTC"]]);
    }

    #[test]
    fn ways_in_and_sources_of_keys_are_told_in_words() {
        let rule = |subject: &str| {
            json!({"id": "tr_1", "issuer": "gh", "audience": null, "subject": subject, "claims": {"/ref": "main"},
                "last_used_at": null})
        };
        let before = json!({"trust_rules": [rule("a")], "keys": {"discovery": true}});
        let after = json!({"trust_rules": [rule("a"), rule("b")],
            "keys": {"jwks": {"keys": [{"kid": "1", "alg": "ES256", "kty": "EC"}]}}});
        assert_eq!(
            told(&before, &after),
            [["Keys", "by discovery", "1 ES256"], ["Trust rules", "", "gh: subject = b, /ref = main"],]
        );
    }
}
