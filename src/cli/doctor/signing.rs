//! Who signs now, who is next, and whether there is a next one in time.

use super::finding::Report;
use crate::base::clock::Timestamp;
use crate::node::keyring::{RotationPolicy, SigningKeySource};
use crate::server::config::Config;
use crate::store::{Contents, SealedSigningKey};

/// In seconds. A server looks once a minute whether a key is due.
const PATIENCE: i64 = 300;

/// In seconds: how early a person has to know that a key file is needed.
const FILE_BEFORE: i64 = 14 * 86_400;

pub(super) fn check(config: &Config, contents: &Contents, now: Timestamp, report: &mut Report) {
    let policy = config.deployment(config.listen).rotation;
    let usable = || contents.signing_keys.iter().filter(|key| key.withdrawn_at.is_none());
    let active = usable().rfind(|key| key.activates_at <= now);
    let next = usable().find(|key| key.activates_at > now);
    match (active, next) {
        (Some(active), Some(next)) => report.ok(
            "signing_keys",
            format!("{} signs, and {} takes over at {}", active.kid, next.kid, next.activates_at.rfc3339()),
        ),
        (Some(active), None) => check_only(active, &policy, now, report),
        (None, Some(next)) => report.warn(
            "signing_keys",
            format!("{} signs already, but is dated {}", next.kid, next.activates_at.rfc3339()),
            "A clock was ahead when the key was made, or this one is behind. A running server corrects the date.",
        ),
        (None, None) => report.fail(
            "signing_keys",
            "no key can sign",
            "A running server makes one within a minute. Read its log if it does not.",
        ),
    }
}

/// Checks a key that signs and has no successor yet.
fn check_only(active: &SealedSigningKey, policy: &RotationPolicy, now: Timestamp, report: &mut Report) {
    let kid = &active.kid;
    let due = active.activates_at.plus(policy.every);
    let published = due.plus(-policy.lead);
    let needs_file = matches!(policy.source, SigningKeySource::Pem(_));
    let advice = match needs_file {
        true => "Set signing_key_file to a new key file, and restart.",
        false => "A running server publishes the next key by itself. Check that one runs, and read its log.",
    };
    match now {
        now if now >= due.plus(PATIENCE) => report.fail(
            "signing_keys",
            format!("{kid} was to sign until {}, and there is no next key", due.rfc3339()),
            advice,
        ),
        now if now >= published.plus(PATIENCE) => report.warn(
            "signing_keys",
            format!(
                "{kid} signs until {}, and there is no next key, which should be published by now",
                due.rfc3339()
            ),
            advice,
        ),
        now if needs_file && now >= published.plus(-FILE_BEFORE) => report.warn(
            "signing_keys",
            format!("{kid} signs until {}, and the next key has to come from a file", due.rfc3339()),
            advice,
        ),
        _ => report.ok(
            "signing_keys",
            format!(
                "{kid} signs until {}; the next key is published at {}",
                due.rfc3339(),
                published.rfc3339()
            ),
        ),
    }
}
