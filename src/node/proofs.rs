//! Proofs of possession (DPoP, RFC 9449), as this node judges them.

mod nonces;

use std::fmt;
use std::sync::Arc;

use self::nonces::Nonces;
use super::MasterKeys;
use crate::base::clock::Timestamp;
use crate::domain::credential::CredentialFault;
use crate::domain::key::ApiKey;
use crate::jose::dpop::{self, ALGORITHMS, ExpectedProof, Proof, ProofFault, PublicUrl, verify_proof};
use crate::jose::foreign::Algorithm;
use crate::sharing::single_use::{SingleUse, UseLimits, UseRefused, UsedId};

/// How many proofs are remembered until they end: enough for a thousand requests a second of one key.
const LIMITS: UseLimits = UseLimits { of_owner: 100_000, of_organization: 300_000 };

/// What a deployment accepts as a proof.
#[derive(Clone, Debug)]
pub struct ProofRules {
    /// The accepted algorithms, at least one.
    pub algorithms: Vec<Algorithm>,
    /// Whether a proof needs a nonce of this deployment (RFC 9449 §8, §9).
    pub needs_nonce: bool,
    /// Whether every request for a token needs a proof, so that no token is issued that is not bound to a key.
    pub required: bool,
    /// The origin under which clients reach what is behind the gateways. `None` if no proofs are accepted there.
    pub gate_origin: Option<PublicUrl>,
}

impl Default for ProofRules {
    /// All algorithms, no nonces, no proof required, and no proofs at the gate.
    fn default() -> Self {
        Self { algorithms: ALGORITHMS.to_vec(), needs_nonce: false, required: false, gate_origin: None }
    }
}

/// A proof as it came with a request.
#[derive(Clone, Copy)]
pub struct PresentedProof<'a> {
    /// The value of the header `DPoP`.
    pub text: &'a str,
    /// The method of the request.
    pub method: &'a str,
    /// The path of the request with its leading slash. A query is ignored.
    pub target: &'a str,
    /// What the request was sent to.
    pub site: Site,
}

impl fmt::Debug for PresentedProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedProof([redacted])")
    }
}

/// What a request was sent to, of which the configuration says the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// This server.
    Issuer,
    /// A service behind a gateway.
    Gateway,
}

/// Why a proof is not accepted. The text is safe to send to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefused {
    /// There is no proof beside the scheme DPoP, or more than one, or it is not text.
    #[error(transparent)]
    Header(CredentialFault),
    /// The proof breaks a rule.
    #[error("the proof is refused: {0}")]
    Fault(#[from] ProofFault),
    /// The proof was used before.
    #[error("the proof was used before; every request needs a new one")]
    Used,
    /// The key has more proofs that are still valid than can be remembered.
    #[error("too many proofs in a minute; try again later")]
    TooMany,
    /// The gate does not know under which URL clients reach what is behind it.
    #[error("the gate accepts no tokens that are bound to a key, because this server has no --gate-origin")]
    NoGateOrigin,
    /// The gateway did not name the original request.
    #[error("the gateway does not name the method and the path of the request that the proof is for")]
    NoOriginal,
    /// A request for a token has no proof, and the deployment issues no plain tokens.
    #[error("this server issues only tokens that are bound to a key: send a proof in the header DPoP")]
    Required,
    /// The key gets no other tokens than bound ones, and no proof came with the request.
    #[error("this key requires a DPoP proof, so that its tokens are bound: send one in the header DPoP")]
    RequiredByKey,
    /// The same of the key that is the subject of an exchange, or that its token is of.
    #[error(
        "the key of the subject requires a DPoP proof, so the client has to prove a key of its own: send a proof in the \
         header DPoP"
    )]
    RequiredBySubject,
    /// The subject of an exchange is bound to a key, and the client proves none of its own.
    #[error(
        "the subject token is bound to a key, so the client has to prove a key of its own: send a proof in the header DPoP"
    )]
    BoundSubject,
}

impl ProofRefused {
    /// The code of RFC 9449 §12.2.
    pub fn code(self) -> &'static str {
        match self {
            Self::Fault(fault) if fault.wants_nonce() => "use_dpop_nonce",
            _ => "invalid_dpop_proof",
        }
    }
}

/// Judges proofs, and remembers which were used.
#[derive(Debug)]
pub struct ProofJudge {
    rules: ProofRules,
    issuer: PublicUrl,
    nonces: Option<Nonces>,
    used: SingleUse,
}

impl ProofJudge {
    pub(super) fn new(rules: ProofRules, issuer: PublicUrl, master_keys: &Arc<MasterKeys>) -> Self {
        let nonces = rules.needs_nonce.then(|| Nonces::new(Arc::clone(master_keys)));
        Self { rules, issuer, nonces, used: SingleUse::new(LIMITS) }
    }

    /// Checks everything that a proof itself shows. `token` is the access token beside it, if there is one.
    ///
    /// # Errors
    /// [`ProofRefused`].
    pub fn check(
        &self,
        presented: PresentedProof<'_>,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Proof, ProofRefused> {
        let url = match presented.site {
            Site::Issuer => &self.issuer,
            Site::Gateway => self.rules.gate_origin.as_ref().ok_or(ProofRefused::NoGateOrigin)?,
        };
        let target = url.at(presented.target).ok_or(ProofFault::Target)?;
        let nonces = self.nonces.as_ref().map(|nonces| nonces.accepted(now));
        let expected = ExpectedProof {
            method: presented.method,
            target: &target,
            token,
            algorithms: &self.rules.algorithms,
            nonces: nonces.as_deref(),
            now,
        };
        Ok(verify_proof(presented.text, &expected)?)
    }

    /// Whether a request for a token may come without a proof.
    ///
    /// # Errors
    /// [`ProofRefused::Required`].
    pub fn allow_none(&self) -> Result<(), ProofRefused> {
        if self.rules.required { Err(ProofRefused::Required) } else { Ok(()) }
    }

    /// Uses a proof, once (RFC 9449 §11.1). This comes after everything else was checked, so that only the holders of keys
    /// and tokens fill the memory.
    ///
    /// # Errors
    /// [`ProofRefused::Used`] and [`ProofRefused::TooMany`].
    pub fn use_up(&self, proof: &Proof, key: &ApiKey, now: Timestamp) -> Result<(), ProofRefused> {
        let (owner, id) = (key.id.to_string(), format!("{} {}", proof.thumbprint(), proof.token_id()));
        let used = UsedId {
            organization: key.organization.as_str(),
            owner: &owner,
            chosen_by: &owner,
            id: &id,
            until: proof.ends_at().unix(),
        };
        self.used.accept(used, now.unix()).map_err(|refused| match refused {
            UseRefused::Again => ProofRefused::Used,
            UseRefused::Full => ProofRefused::TooMany,
        })
    }

    /// The nonce for the next proof. `None` if none is required.
    pub fn nonce(&self, now: Timestamp) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.current(now))
    }
}

impl ProofRules {
    /// The names of the accepted algorithms, for metadata and challenges.
    pub fn algorithms(&self) -> Vec<&'static str> {
        dpop::names(&self.algorithms)
    }
}
