//! Which version of a thing somebody looked at, and whether it is still that one (RFC 9110 §8.8.3, §13.1.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::ApiError;
use crate::clock::Timestamp;
use crate::key::ApiKey;
use crate::tenant::{Organization, Project};

/// The most tags of an `If-Match`.
const MAX_TAGS: usize = 16;

/// A strong entity tag, quotes included. It stands for all that people can change of a thing. What the server
/// counts by itself, when a key was last used, is left out: otherwise nobody could change a key in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Etag(String);

/// What an `If-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whichever version there is.
    Any,
    /// One of these.
    OneOf(Vec<Etag>),
}

/// What has versions.
pub trait Versioned {
    /// The tag of this version.
    fn etag(&self) -> Etag;
}

impl Etag {
    /// Its text, as the header has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag of these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest(&SHA256, bytes).as_ref()[..16])))
    }

    fn of(content: &impl Serialize) -> Self {
        Self::of_bytes(&serde_json::to_vec(content).unwrap_or_default())
    }
}

impl Versioned for Organization {
    fn etag(&self) -> Etag {
        Etag::of(self)
    }
}

impl Versioned for Project {
    fn etag(&self) -> Etag {
        Etag::of(self)
    }
}

impl Versioned for ApiKey {
    fn etag(&self) -> Etag {
        let secrets: Vec<_> =
            self.secrets.iter().map(|secret| (secret.id.to_string(), secret.expires_at)).collect();
        let revoked_at: Option<Timestamp> = self.revoked.as_ref().map(|revoked| revoked.at);
        let lasting = (self.id.to_string(), self.generation, self.created_at, revoked_at, secrets);
        Etag::of(&(lasting, &self.name, &self.note, &self.scopes, &self.cidrs, self.expires_at))
    }
}

impl IfMatch {
    /// Reads the header's value, all lines of it joined by commas.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`].
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let tags: Vec<&str> = text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
        if tags.is_empty() || tags.len() > MAX_TAGS || !tags.iter().all(|tag| is_tag(tag)) {
            return Err(ApiError::InvalidRequest("If-Match is not a list of ETags, or *".into()));
        }
        Ok(Self::OneOf(tags.into_iter().map(|tag| Etag(tag.to_owned())).collect()))
    }

    /// Whether `current` is what was asked for. A weak tag never is (RFC 9110 §13.1.1).
    ///
    /// # Errors
    /// [`ApiError::PreconditionFailed`].
    pub fn check(&self, current: &impl Versioned) -> Result<(), ApiError> {
        match self {
            Self::OneOf(tags) if !tags.contains(&current.etag()) => Err(ApiError::PreconditionFailed),
            Self::Any | Self::OneOf(_) => Ok(()),
        }
    }
}

/// RFC 9110 §8.8.3, without a comma inside: no tag of ours has one.
fn is_tag(text: &str) -> bool {
    let opaque = text.strip_prefix("W/").unwrap_or(text);
    let inner = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| inner.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'))
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precondition_names_the_version_that_there_is() {
        let thing = Organization::new("acme".parse().unwrap(), Timestamp::from_unix(0));
        let tag = thing.etag();
        for good in ["*", tag.as_str(), &format!("\"other\", {tag}"), &format!(" {tag} ,")] {
            assert_eq!(IfMatch::parse(good).unwrap().check(&thing), Ok(()), "{good}");
        }
        let weak = format!("W/{tag}");
        for stale in ["\"\"", "\"other\"", &weak] {
            let asked = IfMatch::parse(stale).unwrap();
            assert_eq!(asked.check(&thing), Err(ApiError::PreconditionFailed), "{stale}");
        }
        for bad in ["", ",", "other", "\"a", "\"a\"b\"", &["\"a\""; 17].join(",")] {
            assert!(IfMatch::parse(bad).is_err(), "{bad}");
        }
        let renamed = Organization { name: "Acme".into(), ..thing };
        assert_ne!(renamed.etag(), tag);
    }
}
