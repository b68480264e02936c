//! Proofs of possession at a resource server (RFC 9449 §7).

use super::access::Access;
use super::refusal::Refusal;
use crate::base::clock::Timestamp;
use crate::jose::dpop::{ExpectedProof, Proof, ProofFault, PublicUrl, verify_proof};
use crate::jose::foreign::Algorithm;
use crate::sharing::single_use::{SingleUse, UseLimits, UseRefused, UsedId};

/// How many proofs are remembered until they end: enough for a thousand requests a second of one key.
const LIMITS: UseLimits = UseLimits { of_owner: 100_000, of_organization: 300_000 };

/// The request that a credential came with. A proof of possession is for one such request.
///
/// ```
/// use claviger::verify::RequestLine;
///
/// let request = RequestLine { method: "GET", target: "/orders/7?expand=1" };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'r> {
    /// The method.
    pub method: &'r str,
    /// The path with its leading slash, as the service sees it. A query is ignored.
    pub target: &'r str,
}

/// A token that is bound to a key, with the proof of possession in the same request.
#[derive(Clone, Copy)]
pub(super) struct Proven<'r> {
    pub(super) token: &'r str,
    pub(super) proof: &'r str,
    pub(super) request: RequestLine<'r>,
}

/// Checks proofs, and remembers which were used.
#[derive(Debug)]
pub(super) struct Proofs {
    url: PublicUrl,
    algorithms: Vec<Algorithm>,
    used: SingleUse,
}

impl Proofs {
    pub(super) fn new(url: PublicUrl, algorithms: Vec<Algorithm>) -> Self {
        Self { url, algorithms, used: SingleUse::new(LIMITS) }
    }

    /// Checks everything that the proof itself shows.
    pub(super) fn check(&self, proven: Proven<'_>, now: Timestamp) -> Result<Proof, ProofFault> {
        let Proven { token, proof, request: RequestLine { method, target } } = proven;
        let target = self.url.at(target).ok_or(ProofFault::Target)?;
        let expected = ExpectedProof {
            method,
            target: &target,
            token: Some(token),
            algorithms: &self.algorithms,
            nonces: None,
            now,
        };
        verify_proof(proof, &expected)
    }

    /// Uses a proof, once (RFC 9449 §11.1). Only the proofs of valid tokens are remembered.
    pub(super) fn use_up(&self, proof: &Proof, access: &Access, now: Timestamp) -> Result<(), Refusal> {
        let id = format!("{} {}", proof.thumbprint(), proof.token_id());
        let used = UsedId {
            organization: access.organization(),
            owner: access.subject(),
            chosen_by: access.subject(),
            id: &id,
            until: proof.ends_at().unix(),
        };
        self.used.accept(used, now.unix()).map_err(|refused| match refused {
            UseRefused::Again => Refusal::ProofUsed,
            UseRefused::Full => Refusal::TooManyProofs,
        })
    }
}
