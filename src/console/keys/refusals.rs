//! The refusals on the page of a key: how many for each reason, and the latest with their time and address.

use serde_json::Value;

use crate::base::clock::Timestamp;
use crate::console::when::{When, grouped};
use crate::domain::audit::RecordedEvent;
use crate::use_cases::management::usage::Refused;

/// The action of a refusal in the audit trail.
pub(super) const ACTION: &str = "key.refused";

/// The most refusals on the page. The audit log has all of them.
const SHOWN: usize = 5;

/// A refusal that the audit trail has.
pub(super) struct Refusal {
    pub(super) when: When,
    pub(super) reason: String,
    pub(super) address: Option<String>,
}

/// The latest refusals among the events, which are newest first.
pub(super) fn latest(events: &[RecordedEvent], now: Timestamp) -> Vec<Refusal> {
    let refusals = events.iter().filter(|event| event.action == ACTION).take(SHOWN);
    let told = refusals.map(|event| Refusal {
        when: When::new(event.at, now),
        reason: event.after.as_ref().map(reason).unwrap_or_default(),
        address: event.address.clone(),
    });
    told.collect()
}

/// The reasons with at least one refusal, and how many refusals they had.
pub(super) fn counted(refused: &Refused) -> Vec<(&'static str, String)> {
    let Refused { revoked, expired, disabled, address, secret, proof } = *refused;
    let counts = [
        ("revoked", revoked),
        ("expired", expired),
        ("disabled", disabled),
        ("address", address),
        ("secret", secret),
        ("proof", proof),
    ];
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(reason, count)| (in_words(reason), grouped(count))).collect()
}

/// Why a key was refused, from the state that its event has.
fn reason(after: &Value) -> String {
    let text = |name: &str| after[name].as_str().unwrap_or_default();
    match text("reason") {
        "token" => format!("A token of the issuer {} failed a check: {}", text("issuer"), text("check")),
        reason => in_words(reason).to_owned(),
    }
}

/// The text of a [`RefusalReason`](crate::domain::refusal_reason::RefusalReason) as a sentence.
fn in_words(reason: &str) -> &'static str {
    match reason {
        "revoked" => "The key or its token was revoked",
        "expired" => "The key had expired",
        "disabled" => "The key was disabled",
        "address" => "The address was not allowed",
        "secret" => "The secret was not valid",
        "proof" => "The proof of possession (DPoP) was missing",
        _ => "Another reason",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::refusal_reason::RefusalReason;
    use crate::domain::usage::UseKind;

    #[test]
    fn every_reason_has_a_sentence() {
        for kind in UseKind::ALL {
            if let UseKind::Refused(known) = kind {
                assert_ne!(in_words(RefusalReason::as_str(known)), "Another reason", "{known:?}");
            }
        }
        let token = json!({"reason": "token", "issuer": "gh", "check": "subject"});
        assert_eq!(reason(&token), "A token of the issuer gh failed a check: subject");
        let refused = Refused { address: 2, secret: 1_000, ..Refused::default() };
        let counted = counted(&refused);
        assert_eq!(counted[0], ("The address was not allowed", "2".to_owned()));
        assert_eq!(counted.len(), 2);
    }
}
