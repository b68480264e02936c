//! Versions of records, and the conditions of requests on them (RFC 9110 §8.8.3, §13.1.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::{ApiError, InvalidRequest};
use crate::base::clock::Timestamp;
use crate::domain::entity_tag::EntityTags;
use crate::domain::key::ApiKey;
use crate::domain::member::Member;
use crate::domain::named_scope::NamedScope;
use crate::domain::tenant::{Organization, Project};
use crate::domain::trusted_issuer::TrustedIssuer;

/// A strong entity tag, with its quotes. It covers everything about a record that people can change. It omits when a
/// key was last used, which the server updates by itself. Otherwise nobody could change a key in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Etag(String);

/// The condition of an `If-Match` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(EntityTags);

/// A record that has versions.
pub trait Versioned {
    /// The tag of this version.
    fn etag(&self) -> Etag;
}

impl Etag {
    /// The tag as the header has it, with its quotes.
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

impl Versioned for TrustedIssuer {
    fn etag(&self) -> Etag {
        Etag::of(self)
    }
}

impl Versioned for NamedScope {
    fn etag(&self) -> Etag {
        Etag::of(self)
    }
}

impl Versioned for Member {
    fn etag(&self) -> Etag {
        let lasting = (self.id.to_string(), &self.email, &self.provider, self.identity.is_some());
        Etag::of(&(lasting, &self.name, self.role, &self.projects, self.invitation_expires_at))
    }
}

impl Versioned for ApiKey {
    fn etag(&self) -> Etag {
        let secrets: Vec<_> =
            self.secrets.iter().map(|secret| (secret.id.to_string(), secret.expires_at)).collect();
        let revoked_at: Option<Timestamp> = self.revoked.as_ref().map(|revoked| revoked.at);
        let public_keys: Vec<_> =
            self.public_keys.iter().map(|registered| registered.id.to_string()).collect();
        let lasting =
            (self.id.to_string(), self.generation, self.created_at, revoked_at, secrets, public_keys);
        let rules: Vec<_> = self.trust_rules.iter().map(|registered| registered.id.to_string()).collect();
        let ends = (self.expires_at, self.disabled_at);
        let labels = (&self.name, &self.note, &self.tags, &self.owner);
        Etag::of(&(lasting, rules, labels, &self.scopes, &self.cidrs, self.dpop, ends))
    }
}

impl IfMatch {
    /// Parses all lines of the header.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`].
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, ApiError> {
        Ok(EntityTags::parse(lines).map(Self).map_err(InvalidRequest::IfMatch)?)
    }

    /// Checks that `current` is a requested version.
    ///
    /// # Errors
    /// [`ApiError::PreconditionFailed`]. [`ApiError::WeakPrecondition`] if the tag would match but for its weakness.
    pub fn check(&self, current: &impl Versioned) -> Result<(), ApiError> {
        let (Self(tags), current) = (self, current.etag());
        match (tags.name_strongly(current.as_str()), tags.name_weakly(current.as_str())) {
            (true, _) => Ok(()),
            (false, true) => Err(ApiError::WeakPrecondition),
            (false, false) => Err(ApiError::PreconditionFailed),
        }
    }
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
    fn a_precondition_holds_only_for_the_current_version() {
        let thing = Organization::new("acme".parse().unwrap(), Timestamp::from_unix(0));
        let tag = thing.etag();
        let check = |text: &str| IfMatch::parse([text.as_bytes()])?.check(&thing);
        for good in ["*", tag.as_str(), &format!("\"other\", {tag}"), &format!(" {tag} ,")] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for stale in ["\"\"", "\"other\"", "W/\"other\""] {
            assert_eq!(check(stale), Err(ApiError::PreconditionFailed), "{stale}");
        }
        assert_eq!(check(&format!("W/{tag}")), Err(ApiError::WeakPrecondition));
        assert!(matches!(check("other"), Err(ApiError::InvalidRequest(InvalidRequest::IfMatch(_)))));
        let renamed = Organization { name: "Acme".into(), ..thing };
        assert_ne!(renamed.etag(), tag);
    }
}
