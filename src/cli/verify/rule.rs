//! Names the rule that a token breaks, and its source.

use crate::jose::claims::TokenFault;
use crate::jose::jws::JwsFault;

/// A rule for scripts and for people.
pub(super) struct Rule {
    /// A stable code.
    pub(super) code: &'static str,
    /// The section of an RFC, or another source.
    pub(super) source: &'static str,
}

/// The rule that `fault` breaks.
pub(super) fn rule(fault: &TokenFault) -> Rule {
    let (code, source) = match fault {
        TokenFault::Jws(fault) => return jws_rule(*fault),
        TokenFault::Type => ("type", "RFC 9068 §4"),
        TokenFault::UnknownKey => ("unknown_key", "RFC 7515 §4.1.4"),
        TokenFault::Payload(_) => ("payload", "RFC 7519 §7.2"),
        TokenFault::Missing(_) => ("missing_claim", "RFC 9068 §2.2"),
        TokenFault::NotText(_)
        | TokenFault::NotTexts(_)
        | TokenFault::NotTime(_)
        | TokenFault::NotGeneration => ("claim_type", "RFC 7519 §4"),
        TokenFault::NotAudience => ("claim_type", "RFC 7519 §4.1.3"),
        TokenFault::NotActor => ("claim_type", "RFC 8693 §4.1"),
        TokenFault::Confirmation => ("confirmation", "RFC 7800 §3.1"),
        TokenFault::Bound => ("bound", "RFC 9449 §7.1"),
        TokenFault::NotBound => ("not_bound", "RFC 9449 §7.1"),
        TokenFault::BoundToOther => ("bound_to_other", "RFC 9449 §7.1"),
        TokenFault::Issuer => ("issuer", "RFC 9068 §4"),
        TokenFault::Audience => ("audience", "RFC 9068 §4"),
        TokenFault::NoLifetime | TokenFault::Lifetime => ("lifetime", "ten minutes at most"),
        TokenFault::IssuedInFuture => ("issued_in_future", "RFC 7519 §4.1.6"),
        TokenFault::NotYetValid => ("not_yet_valid", "RFC 7519 §4.1.5"),
        TokenFault::Expired => ("expired", "RFC 7519 §4.1.4"),
    };
    Rule { code, source }
}

fn jws_rule(fault: JwsFault) -> Rule {
    let (code, source) = match fault {
        JwsFault::TooLong | JwsFault::HeaderTooLong => ("too_long", "a limit of this server"),
        JwsFault::Parts => ("form", "RFC 7515 §7.1"),
        JwsFault::Base64(_) => ("form", "RFC 7515 §2"),
        JwsFault::Header(_) => ("header", "RFC 7515 §4"),
        JwsFault::Algorithm => ("algorithm", "RFC 8725 §3.1"),
        JwsFault::Kid => ("header", "RFC 7515 §4.1.4"),
        JwsFault::Typ => ("type", "RFC 7515 §4.1.9"),
        JwsFault::Critical => ("header", "RFC 7515 §4.1.11"),
        JwsFault::Parameter(_) => ("header", "RFC 8725 §3.10"),
        JwsFault::OtherKey => ("unknown_key", "RFC 7515 §4.1.4"),
        JwsFault::OtherAlgorithm => ("algorithm", "RFC 8725 §3.1"),
        JwsFault::Signature => ("signature", "RFC 7515 §5.2"),
    };
    Rule { code, source }
}
