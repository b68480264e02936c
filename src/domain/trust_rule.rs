//! Trust rules: which tokens of a trusted issuer open a key.
//!
//! A rule names what a token has to say: for whom it is, about whom it is, and claims. All of it must match. A rule
//! that somebody else could come to fulfil is refused: one that pins nothing, or one that pins only names that can be
//! registered again.
//!
//! ```
//! use claviger::domain::trust_rule::{ClaimObject, ClaimValue, Mismatch, Platform, PresentedClaims, TrustRule};
//!
//! let rule: TrustRule = serde_json::from_str(r#"{"issuer":"gh","claims":{"/repository_id":"123"}}"#)?;
//! let platform = Platform::of(&"https://token.actions.githubusercontent.com".parse()?);
//! rule.check_for(platform)?;
//!
//! let claim = |id: &'static str| ClaimObject(vec![("repository_id".into(), ClaimValue::Text(id.into()))]);
//! let presented = |id| PresentedClaims { audience: vec!["https://auth.example.com".into()], all: claim(id) };
//! assert_eq!(rule.judge(&presented("123"), "https://auth.example.com", platform), Ok(()));
//! let other = rule.judge(&presented("124"), "https://auth.example.com", platform);
//! assert_eq!(other, Err(Mismatch::Claim("/repository_id".parse()?)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claim;
mod fault;
mod judge;
mod platform;
mod pointer;
mod preset;
mod subject;
#[cfg(test)]
mod tests;

use serde::ser::{SerializeMap as _, SerializeStruct as _};
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::names::TrustedIssuerId;

pub use claim::{ClaimObject, ClaimValue, PresentedClaims};
pub use fault::RuleFault;
pub use judge::{ComparedClaim, Mismatch};
pub use platform::Platform;
pub use pointer::Pointer;
pub use preset::{Preset, PresetPin};
pub use subject::SubjectPattern;

use claim::PinnedClaims;

/// What a token of a trusted issuer must say to open a key.
///
/// The JSON form is `{"issuer","audience"?,"subject"?,"claims"?:{pointer: text}}`. Absent members are left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Draft")]
pub struct TrustRule {
    issuer: TrustedIssuerId,
    audience: Option<Box<str>>,
    subject: Option<SubjectPattern>,
    claims: Box<[PinnedClaim]>,
}

/// The place of a claim, and the text that it must have.
type PinnedClaim = (Pointer, Box<str>);

impl TrustRule {
    /// The most claims that a rule names.
    pub const MAX_CLAIMS: usize = 16;

    /// The longest audience, and the longest value of a claim, in bytes.
    pub const MAX_VALUE: usize = 512;

    /// A rule, with its claims as pairs of a JSON Pointer and a text.
    ///
    /// # Errors
    /// [`RuleFault`].
    pub fn new(
        issuer: TrustedIssuerId,
        audience: Option<String>,
        subject: Option<String>,
        claims: Vec<(String, String)>,
    ) -> Result<Self, RuleFault> {
        Self::try_from(Draft { issuer, audience, subject, claims: PinnedClaims(claims) })
    }

    /// The trusted issuer whose tokens the rule is about.
    pub fn issuer(&self) -> &TrustedIssuerId {
        &self.issuer
    }

    /// The one value that `aud` must be. `None` means this server's own issuer.
    pub fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// What `sub` must be.
    pub fn subject(&self) -> Option<&SubjectPattern> {
        self.subject.as_ref()
    }

    /// The claims that must be there, and their values, in the order of their pointers.
    pub fn claims(&self) -> impl Iterator<Item = (&Pointer, &str)> {
        self.claims.iter().map(|(pointer, value)| (pointer, &**value))
    }

    /// Whether the rule names this claim.
    fn names(&self, claim: &str) -> bool {
        self.claims().any(|(pointer, _)| pointer.is_member(claim))
    }

    /// Checks that nobody else of a shared issuer can come to fulfil the rule.
    ///
    /// # Errors
    /// [`RuleFault::Shared`], which names the claims that the rule needs.
    pub fn check_for(&self, platform: Platform) -> Result<(), RuleFault> {
        match self.pins_somebody(platform) {
            true => Ok(()),
            false => Err(RuleFault::Shared(platform)),
        }
    }

    /// Whether the rule has a claim that nobody else can register again at this platform.
    fn pins_somebody(&self, platform: Platform) -> bool {
        match platform {
            Platform::GithubActions => self.names("repository_id") || self.names("repository_owner_id"),
            Platform::GitlabCom => self.names("project_id") || self.names("namespace_id"),
            Platform::Google => self.subject().is_some_and(SubjectPattern::is_exact),
            Platform::Entra => self.names("tid") && self.names("oid"),
            Platform::Unshared => true,
        }
    }
}

/// A rule as it is written, before it is checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    issuer: TrustedIssuerId,
    audience: Option<String>,
    subject: Option<String>,
    #[serde(default)]
    claims: PinnedClaims,
}

impl TryFrom<Draft> for TrustRule {
    type Error = RuleFault;

    fn try_from(draft: Draft) -> Result<Self, RuleFault> {
        let audience = draft.audience.map(|audience| text(audience, RuleFault::Audience)).transpose()?;
        let subject = draft.subject.map(|subject| subject.parse()).transpose()?;
        let claims = pinned(draft.claims)?;
        if subject.is_none() && claims.is_empty() {
            return Err(RuleFault::Nothing);
        }
        Ok(Self { issuer: draft.issuer, audience, subject, claims })
    }
}

fn pinned(claims: PinnedClaims) -> Result<Box<[PinnedClaim]>, RuleFault> {
    if claims.0.len() > TrustRule::MAX_CLAIMS {
        return Err(RuleFault::TooManyClaims);
    }
    let mut pinned = Vec::with_capacity(claims.0.len());
    for (pointer, value) in claims.0 {
        let pointer: Pointer = pointer.parse()?;
        if pointer.is_below("sub") {
            return Err(RuleFault::SubjectAsClaim);
        }
        if UNPINNING.into_iter().any(|claim| pointer.is_below(claim)) {
            return Err(RuleFault::PinsNothing(pointer));
        }
        let value = text(value, RuleFault::Value(pointer.clone()))?;
        pinned.push((pointer, value));
    }
    pinned.sort_unstable();
    match pinned.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(RuleFault::Twice(pair[0].0.clone())),
        None => Ok(pinned.into()),
    }
}

/// Claims that say nothing about who presents a token. The issuer and the audience have members of their own in a rule;
/// the others differ from one token to the next.
const UNPINNING: [&str; 12] =
    ["iss", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "at_hash", "c_hash", "sid", "uti"];

fn text(text: String, fault: RuleFault) -> Result<Box<str>, RuleFault> {
    let fits = (1..=TrustRule::MAX_VALUE).contains(&text.len()) && !text.contains(char::is_control);
    if fits { Ok(text.into()) } else { Err(fault) }
}

impl Serialize for TrustRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rule = serializer.serialize_struct("TrustRule", 4)?;
        rule.serialize_field("issuer", &self.issuer)?;
        match &self.audience {
            Some(audience) => rule.serialize_field("audience", audience)?,
            None => rule.skip_field("audience")?,
        }
        match &self.subject {
            Some(subject) => rule.serialize_field("subject", subject)?,
            None => rule.skip_field("subject")?,
        }
        rule.serialize_field("claims", &Claims(&self.claims))?;
        rule.end()
    }
}

/// The claims of a rule as a JSON object.
struct Claims<'r>(&'r [PinnedClaim]);

impl Serialize for Claims<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (pointer, value) in self.0 {
            map.serialize_entry(pointer, value)?;
        }
        map.end()
    }
}
