//! What the endpoints decide about requests, counted.

use super::{Counters, OTHER};
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::sign_in_refusal::SignInRefusalReason as SignIn;

/// The outcomes of a request for a token: `issued`, or the code of the OAuth error.
const TOKEN_RESULTS: &[&str] = &[
    "issued",
    "invalid_client",
    "invalid_dpop_proof",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "use_dpop_nonce",
    OTHER,
];

/// The outcomes at the gate: that the request may pass, or the code of the error.
const GATE_RESULTS: &[&str] = &[
    "passed",
    "preflight",
    "address_not_allowed",
    "dpop_required",
    "forbidden",
    "internal",
    "invalid_dpop_proof",
    "invalid_request",
    "key_disabled",
    "key_expired",
    "key_revoked",
    "not_found",
    "rate_limited",
    "token_expired",
    "token_revoked",
    "unauthenticated",
    "unavailable",
    "use_dpop_nonce",
    OTHER,
];

/// The reasons of [`RefusalReason`], and those that concern no key of ours.
const REFUSALS: &[&str] = &[
    RefusalReason::Revoked.as_str(),
    RefusalReason::Expired.as_str(),
    RefusalReason::Disabled.as_str(),
    RefusalReason::Address.as_str(),
    RefusalReason::Secret.as_str(),
    RefusalReason::Proof.as_str(),
    "unknown",
    "throttled",
    "stale",
    "store",
    "busy",
    "token_expired",
    "token_invalid",
    "proof_invalid",
    OTHER,
];

/// Why somebody whom a provider vouched for was not let in.
const SIGN_IN_REFUSALS: &[&str] = &[
    SignIn::NotAMember.as_str(),
    SignIn::Invitation.as_str(),
    SignIn::OtherProvider.as_str(),
    SignIn::Unverified.as_str(),
    SignIn::OtherAddress.as_str(),
    SignIn::Outside.as_str(),
    SignIn::AlreadyMember.as_str(),
    SignIn::Removed.as_str(),
    SignIn::Full.as_str(),
    SignIn::GroupsLeftOut.as_str(),
    SignIn::GroupsForm.as_str(),
    OTHER,
];

/// The grant that a request for a token names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GrantLabel {
    /// `client_credentials`.
    ClientCredentials,
    /// A token of a trusted issuer (RFC 7523 §2.1).
    JwtBearer,
    /// Token exchange (RFC 8693).
    TokenExchange,
    /// Another grant, or the request was refused before its grant was read.
    #[default]
    Other,
}

impl GrantLabel {
    const ALL: [Self; 4] = [Self::ClientCredentials, Self::JwtBearer, Self::TokenExchange, Self::Other];

    const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer => "jwt_bearer",
            Self::TokenExchange => "token_exchange",
            Self::Other => OTHER,
        }
    }
}

/// The decisions of one node since it started.
#[derive(Debug)]
pub struct Events {
    token_requests: [Counters; GrantLabel::ALL.len()],
    gate_answers: Counters,
    refusals: Counters,
    sign_in_refusals: Counters,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            token_requests: GrantLabel::ALL.map(|_| Counters::new(TOKEN_RESULTS)),
            gate_answers: Counters::new(GATE_RESULTS),
            refusals: Counters::new(REFUSALS),
            sign_in_refusals: Counters::new(SIGN_IN_REFUSALS),
        }
    }
}

impl Events {
    /// Counts a request for a token. `result` is `issued`, or the code of the OAuth error.
    pub fn token_request(&self, grant: GrantLabel, result: &str) {
        self.token_requests[grant as usize].count(result);
    }

    /// Counts an answer of the gate. `result` is `passed`, `preflight` or the code of the error.
    pub fn gate_answer(&self, result: &str) {
        self.gate_answers.count(result);
    }

    /// Counts a refused credential.
    pub fn refusal(&self, reason: &str) {
        self.refusals.count(reason);
    }

    /// Counts somebody whom a provider vouched for and who was not let in.
    pub fn sign_in_refusal(&self, reason: &str) {
        self.sign_in_refusals.count(reason);
    }

    /// The requests for tokens, by grant and result.
    pub fn token_requests(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let by_grant = GrantLabel::ALL.into_iter().zip(&self.token_requests);
        by_grant.flat_map(|(grant, counters)| {
            counters.read().map(move |(result, count)| (grant.as_str(), result, count))
        })
    }

    /// The answers of the gate, by result.
    pub fn gate_answers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.gate_answers.read()
    }

    /// The refused credentials, by reason.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.refusals.read()
    }

    /// The people who were not let in, by reason.
    pub fn sign_in_refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.sign_in_refusals.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grant_has_its_own_counters() {
        let events = Events::default();
        for (times, grant) in GrantLabel::ALL.into_iter().enumerate() {
            (0..=times).for_each(|_| events.token_request(grant, "issued"));
        }
        let issued: Vec<_> = events.token_requests().filter(|(_, _, count)| *count > 0).collect();
        assert_eq!(
            issued,
            [
                ("client_credentials", "issued", 1),
                ("jwt_bearer", "issued", 2),
                ("token_exchange", "issued", 3),
                (OTHER, "issued", 4)
            ]
        );
    }
}
