//! Trusted issuers: who else may say who somebody is, to whom an organization listens.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::base::clock::Timestamp;
use crate::base::text::Excerpt;
use crate::domain::names::{OrganizationId, TrustedIssuerId};
use crate::domain::trust_rule::Platform;
use crate::domain::web_url::{WebUrl, WebUrlError};

pub use crate::domain::web_url::IssuerUrl;

/// An issuer whose tokens may open keys of an organization. It serializes to the form that the management API shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// The id, unique in its organization. It never changes.
    pub id: TrustedIssuerId,
    /// The organization that trusts the issuer. It never changes.
    pub organization: OrganizationId,
    /// The name that people use.
    pub name: String,
    /// What `iss` must be.
    pub url: IssuerUrl,
    /// Where its keys come from.
    pub keys: KeySource,
    /// The signature algorithms that are accepted.
    pub algorithms: SignatureAlgorithms,
    /// The longest lifetime of a token, `exp` − `iat`, in seconds.
    pub max_lifetime: u32,
    /// Whether each token is accepted once.
    pub single_use: bool,
    /// When it was disabled, if it is.
    pub disabled_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The number of the change that last touched URL, keys or algorithms. Key sets in memory belong to one such state.
    pub keys_version: i64,
}

impl TrustedIssuer {
    /// The most trusted issuers of an organization.
    pub const MAX_COUNT: usize = 32;

    /// The range of [`TrustedIssuer::max_lifetime`].
    pub const LIFETIMES: std::ops::RangeInclusive<u32> = 60..=86_400;

    /// The default of [`TrustedIssuer::max_lifetime`]: what Kubernetes gives a projected token.
    pub const DEFAULT_LIFETIME: u32 = 3_600;

    /// The path by which changes and audit events name the issuer.
    pub fn path(&self) -> String {
        format!("{}/{}", self.organization, self.id)
    }

    /// Who shares the issuer.
    pub fn platform(&self) -> Platform {
        Platform::of(&self.url)
    }

    /// Whether tokens of the issuer are accepted.
    pub fn is_active(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// Whether whoever changes the issuer from `before` could become somebody else at each key that trusts it: another
    /// URL, other keys or algorithms, or tokens that were refused until now.
    pub fn is_raised_from(&self, before: &Self) -> bool {
        let is_enabled = self.is_active() && !before.is_active();
        is_enabled || self.has_other_keys_than(before)
    }

    /// Whether the URL, the source of the keys or the algorithms differ.
    pub fn has_other_keys_than(&self, other: &Self) -> bool {
        self.url != other.url || self.keys != other.keys || self.algorithms != other.algorithms
    }
}

impl Serialize for TrustedIssuer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(11))?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("organization", &self.organization)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("issuer", &self.url)?;
        map.serialize_entry("keys", &self.keys)?;
        map.serialize_entry("algorithms", &self.algorithms)?;
        map.serialize_entry("max_lifetime", &self.max_lifetime)?;
        map.serialize_entry("single_use", &self.single_use)?;
        map.serialize_entry("status", if self.is_active() { "active" } else { "disabled" })?;
        map.serialize_entry("disabled_at", &self.disabled_at)?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.end()
    }
}

/// Where an issuer's public keys come from. The JSON form is `{"discovery":true}`, `{"jwks_uri":"https://…"}` or
/// `{"jwks":{"keys":[…]}}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "DraftSource")]
pub enum KeySource {
    /// The issuer's own description names the address of its key set.
    Discovery,
    /// The key set is at this address.
    At(WebUrl),
    /// The key set itself, for an issuer that the server can't reach.
    Inline(Value),
}

/// Why a source of keys is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySourceError {
    /// The source names none or several of the three places.
    #[error("`keys` needs exactly one of \"discovery\": true, \"jwks_uri\" and \"jwks\"")]
    NotOne,
    /// The address is no URL to be fetched.
    #[error("`jwks_uri` {0}")]
    Url(WebUrlError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftSource {
    discovery: Option<bool>,
    jwks_uri: Option<String>,
    jwks: Option<Value>,
}

impl TryFrom<DraftSource> for KeySource {
    type Error = KeySourceError;

    fn try_from(draft: DraftSource) -> Result<Self, KeySourceError> {
        match (draft.discovery, draft.jwks_uri, draft.jwks) {
            (Some(true), None, None) => Ok(Self::Discovery),
            (None, Some(url), None) => url.parse().map(Self::At).map_err(KeySourceError::Url),
            (None, None, Some(set)) => Ok(Self::Inline(set)),
            _ => Err(KeySourceError::NotOne),
        }
    }
}

impl Serialize for KeySource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Discovery => map.serialize_entry("discovery", &true)?,
            Self::At(url) => map.serialize_entry("jwks_uri", url)?,
            Self::Inline(set) => map.serialize_entry("jwks", set)?,
        }
        map.end()
    }
}

/// Signature algorithms by their names (RFC 7518 §3.1), each once, in the order in which they were named.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct SignatureAlgorithms(Box<[&'static str]>);

/// Why a list of algorithms is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureAlgorithmsError {
    /// The list is empty.
    #[error("algorithms must not be empty")]
    Empty,
    /// There is no such algorithm, or it is symmetric or `none`.
    #[error("{0} is none of ES256, ES384, EdDSA, PS256, RS256, RS384 and RS512")]
    Unknown(Excerpt),
    /// An algorithm appears twice.
    #[error("{0} appears twice in algorithms")]
    Twice(&'static str),
}

impl SignatureAlgorithms {
    /// Every algorithm that may be accepted.
    pub const KNOWN: [&'static str; 7] = ["ES256", "ES384", "EdDSA", "PS256", "RS256", "RS384", "RS512"];

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    /// Reads the names, separated by spaces.
    ///
    /// # Errors
    /// [`SignatureAlgorithmsError`].
    pub fn from_text(text: &str) -> Result<Self, SignatureAlgorithmsError> {
        Self::among(text.split(' '))
    }

    /// The names, separated by spaces.
    pub fn text(&self) -> String {
        self.0.join(" ")
    }

    fn among<'t>(names: impl IntoIterator<Item = &'t str>) -> Result<Self, SignatureAlgorithmsError> {
        let mut listed = Vec::new();
        for name in names {
            let known = Self::KNOWN.into_iter().find(|known| *known == name);
            let known = known.ok_or_else(|| SignatureAlgorithmsError::Unknown(name.into()))?;
            if listed.contains(&known) {
                return Err(SignatureAlgorithmsError::Twice(known));
            }
            listed.push(known);
        }
        if listed.is_empty() { Err(SignatureAlgorithmsError::Empty) } else { Ok(Self(listed.into())) }
    }
}

impl Default for SignatureAlgorithms {
    /// Those of the well-known platforms and of Kubernetes.
    fn default() -> Self {
        Self(Box::new(["RS256", "ES256"]))
    }
}

impl TryFrom<Vec<String>> for SignatureAlgorithms {
    type Error = SignatureAlgorithmsError;

    fn try_from(names: Vec<String>) -> Result<Self, SignatureAlgorithmsError> {
        Self::among(names.iter().map(String::as_str))
    }
}

impl Serialize for SignatureAlgorithms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_exactly_one_place() {
        for text in
            [r#"{"discovery":true}"#, r#"{"jwks_uri":"https://a.example/k"}"#, r#"{"jwks":{"keys":[]}}"#]
        {
            let source: KeySource = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&source).unwrap(), text);
        }
        for text in [
            "{}",
            r#"{"discovery":false}"#,
            r#"{"discovery":true,"jwks_uri":"https://a.example/k"}"#,
            r#"{"jwks_uri":"http://a.example/k"}"#,
            r#"{"jwks_uri":"https://a.example/k","jwks":{}}"#,
            r#"{"url":"https://a.example"}"#,
        ] {
            assert!(serde_json::from_str::<KeySource>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn algorithms_are_public_key_signatures_each_named_once() {
        use SignatureAlgorithmsError as E;
        assert_eq!(SignatureAlgorithms::from_text("PS256 ES256").unwrap().text(), "PS256 ES256");
        assert_eq!(SignatureAlgorithms::from_text("HS256"), Err(E::Unknown("HS256".into())));
        assert_eq!(SignatureAlgorithms::from_text("none"), Err(E::Unknown("none".into())));
        assert_eq!(SignatureAlgorithms::from_text("ES256 ES256"), Err(E::Twice("ES256")));
        assert_eq!(SignatureAlgorithms::try_from(Vec::new()), Err(E::Empty));
    }
}
