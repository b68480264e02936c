//! The ways in of a key: its secrets, its public keys and its trust rules, beside each other.

use crate::base::clock::Timestamp;
use crate::console::named::Copied;
use crate::console::when::{Age, When};
use crate::domain::key::{ApiKey, KeySecret, RegisteredKey, RegisteredRule};
use crate::domain::trust_rule::TrustRule;

/// Seconds without use after which an older secret may be safe to retire: one day.
const SAFE_SECONDS: i64 = 86_400;

/// A way in.
pub(super) struct WayIn {
    /// `Secret`, `Public key` or `Trust rule`.
    pub(super) kind: &'static str,
    /// What people know it by: the id of a secret, the `kid` of a public key, the issuer of a rule.
    pub(super) name: String,
    /// The page of the issuer that a rule names, below the organization's path.
    pub(super) issuer: Option<String>,
    /// What else describes it: an algorithm, or what a rule asks of a token.
    pub(super) details: Vec<String>,
    pub(super) age: Age,
    pub(super) ends: Option<When>,
    pub(super) last_used: Option<When>,
    /// Whether a secret that a newer one replaces is still needed.
    pub(super) replaced: Option<Replaced>,
    /// The word for taking it away.
    pub(super) verb: &'static str,
    /// The id under which it is taken away.
    pub(super) id: String,
    /// The page that takes it away.
    pub(super) take_away: String,
}

/// The state of a secret for which there is a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    /// The client seems to have switched to the newer secret: it has used that one, and nobody has used this one for a
    /// day.
    SafeToRetire,
    StillInUse,
}

/// The ways in of a key at `now`, newest first of each kind. `href` is the path of the key's page.
pub(super) fn ways_in(key: &ApiKey, href: &str, now: Timestamp) -> Vec<WayIn> {
    let secrets: Vec<&KeySecret> = key.live_secrets(now).collect();
    let newest = secrets.last().map(|secret| secret.id);
    let is_taken_up = secrets.last().is_some_and(|secret| secret.last_used_at.is_some());
    let secret = |secret: &&KeySecret| {
        let is_idle = secret.last_used_at.is_none_or(|at| now.since(at) >= SAFE_SECONDS);
        let replaced = if is_taken_up && is_idle { Replaced::SafeToRetire } else { Replaced::StillInUse };
        WayIn {
            ends: secret.expires_at.map(|end| When::new(end, now)),
            replaced: (newest != Some(secret.id)).then_some(replaced),
            verb: "Retire",
            take_away: format!("{href}/secrets/{}/retire", secret.id),
            ..WayIn::new("Secret", secret.id.to_string(), (secret.created_at, secret.last_used_at), now)
        }
    };
    let public_key = |held: &RegisteredKey| WayIn {
        details: vec![held.algorithm.clone()],
        id: held.id.to_string(),
        take_away: format!("{href}/public-keys/{}/remove", held.id),
        ..WayIn::new("Public key", held.kid.clone(), (held.created_at, held.last_used_at), now)
    };
    let rule = |held: &RegisteredRule| WayIn {
        issuer: Some(format!("issuers/{}", held.rule.issuer())),
        details: conditions(&held.rule),
        id: held.id.to_string(),
        take_away: format!("{href}/trust-rules/{}/remove", held.id),
        ..WayIn::new("Trust rule", held.rule.issuer().to_string(), (held.created_at, held.last_used_at), now)
    };
    let secrets = secrets.iter().rev().map(secret);
    let public_keys = key.public_keys.iter().rev().map(public_key);
    secrets.chain(public_keys).chain(key.trust_rules.iter().rev().map(rule)).collect()
}

/// What a rule asks of a token.
fn conditions(rule: &TrustRule) -> Vec<String> {
    let audience = rule.audience().map(|audience| format!("audience = {audience}"));
    let subject = rule.subject().map(|subject| format!("subject = {subject}"));
    let claims = rule.claims().map(|(pointer, value)| format!("{pointer} = {value}"));
    audience.into_iter().chain(subject).chain(claims).collect()
}

impl WayIn {
    /// The id, to copy.
    pub(super) fn copied(&self) -> Copied {
        Copied::new(&self.id)
    }

    fn new(
        kind: &'static str,
        name: String,
        (created, used): (Timestamp, Option<Timestamp>),
        now: Timestamp,
    ) -> Self {
        Self {
            kind,
            id: name.clone(),
            name,
            issuer: None,
            details: Vec::new(),
            age: When::new(created, now).age(),
            ends: None,
            last_used: used.map(|at| When::new(at, now)),
            replaced: None,
            verb: "Remove",
            take_away: String::new(),
        }
    }
}
