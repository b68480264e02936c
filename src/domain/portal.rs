//! The customers' portal: what a vendor lets one of its own users do with API keys.

mod look;

use std::fmt;
use std::str::FromStr;

pub use look::{AccentError, Accents, Color, ColorError, Logo, PortalSettings};
use serde::{Deserialize, Serialize};

use super::cidr::Cidrs;
use super::key::ApiKey;
use super::names::{OrganizationId, ProjectId};
use super::person::PortalSubject;
use super::scope::{Action, Filter, Scope, Scopes};
use super::web_url::{WebUrl, WebUrlError};
use crate::base::clock::Timestamp;
use crate::base::text::serde_as_text;

/// Something that a user of the portal can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortalAct {
    /// See keys.
    List,
    /// Create a key.
    Create,
    /// Give a key a new secret, and retire an earlier one.
    Rotate,
    /// Revoke a key.
    Revoke,
    /// Change the name, the note, the scopes, the ranges and the end of a key.
    Edit,
    /// See how much a key is used.
    Usage,
}

/// Which keys of the projects a session is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortalKeys {
    /// Those that the same subject created.
    Own,
    /// All of them.
    All,
}

/// What a session of the portal may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalGrant {
    /// The vendor's id of its user.
    pub subject: PortalSubject,
    /// The name by which the audit trail and the keys name the user.
    pub name: String,
    /// The projects whose keys the session is about.
    pub projects: Vec<ProjectId>,
    /// What the user can do.
    pub may: Vec<PortalAct>,
    /// The scopes that cover those of every key that the user creates, edits or rotates.
    pub scopes_within: Scopes,
    /// The ranges that contain those of every such key. `None` for any.
    pub cidrs_within: Option<Cidrs>,
    /// The end that every such key has is at most this many seconds ahead. `None` for any, or none. Sessions from before
    /// this bound existed lack it.
    #[serde(default)]
    pub max_key_lifetime: Option<i64>,
    /// The most unrevoked and unexpired keys of the subject.
    pub max_keys: u32,
    /// Which keys the session is about.
    pub keys: PortalKeys,
    /// The page of the vendor's product to which the portal leads back.
    pub return_url: Option<WebUrl>,
}

impl PortalGrant {
    /// The most projects of a session.
    pub const MAX_PROJECTS: usize = 20;

    /// The largest `max_keys`.
    pub const MAX_KEYS: u32 = 1_000;

    /// The least `max_key_lifetime`, in seconds: an hour.
    pub const MIN_LIFETIME: i64 = 3_600;

    /// The largest `max_key_lifetime`, in seconds: ten years of 365 days.
    pub const MAX_LIFETIME: i64 = 315_360_000;

    /// Whether the user can do this.
    pub fn allows(&self, act: PortalAct) -> bool {
        self.may.contains(&act)
    }

    /// What the keys that the user creates have as their creator.
    pub fn creator(&self) -> String {
        format!("portal:{}", self.subject)
    }

    /// Whether the session is about this key of its organization.
    pub fn is_about(&self, key: &ApiKey) -> bool {
        let is_own = self.keys == PortalKeys::All || key.created_by.id == self.creator();
        is_own && self.projects.contains(&key.project)
    }

    /// Whether the session covers every scope of the key.
    pub fn has_scopes_of(&self, key: &ApiKey) -> bool {
        let has_reserved = key.scopes.iter().any(Scope::is_reserved);
        !has_reserved && self.scopes_within.covers_all(&key.scopes)
    }

    /// Whether the session's ranges contain those of the key.
    pub fn has_ranges_of(&self, key: &ApiKey) -> bool {
        self.cidrs_within.as_ref().is_none_or(|within| within.covers(&key.cidrs))
    }

    /// Whether the key ends as early as the session demands, at `now`.
    pub fn has_end_of(&self, key: &ApiKey, now: Timestamp) -> bool {
        let ends_within = |longest| key.expires_at.is_some_and(|end| end.since(now) <= longest);
        self.max_key_lifetime.is_none_or(ends_within)
    }

    /// The scopes under `claviger/` with which the user calls the use cases in `organization`.
    pub fn scopes(&self, organization: &OrganizationId) -> Scopes {
        let changes = [PortalAct::Create, PortalAct::Rotate, PortalAct::Revoke, PortalAct::Edit];
        let may_change = changes.into_iter().any(|act| self.allows(act));
        let reads = self.allows(PortalAct::List).then_some(Action::Read);
        let actions: Vec<Action> = reads.into_iter().chain(may_change.then_some(Action::Write)).collect();
        let scopes = self.projects.iter().flat_map(|project| {
            let path = ["orgs", organization.as_str(), "projects", project.as_str(), "keys", "*"];
            let of_keys = actions
                .iter()
                .filter_map(move |action| Some(Scope::new(*action, Filter::reserved(&path).ok()?)));
            let of_project =
                Filter::reserved(&path[..4]).ok().map(|project| Scope::new(Action::Read, project));
            of_keys.chain(of_project).collect::<Vec<_>>()
        });
        scopes.collect()
    }
}

/// An origin of the web (RFC 6454) whose pages may have the portal in a frame: https, or http of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalOrigin(WebUrl);

/// The text is not such an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortalOriginError {
    /// It is not even a URL.
    #[error("an origin {0}")]
    Url(#[from] WebUrlError),
    /// It has more than a scheme, a host and a port.
    #[error("an origin has a scheme, a host and maybe a port, and nothing after them, not even a slash")]
    Path,
    /// Browsers would write it differently.
    #[error("the host of an origin is in lower case, and its port is left out where it is the default")]
    Form,
}

impl PortalOrigin {
    /// The origin as browsers write it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the URL is of this origin.
    pub fn is_of(&self, url: &WebUrl) -> bool {
        let of = |url: &WebUrl| (url.is_https(), url.host().to_ascii_lowercase(), url.port());
        of(&self.0) == of(url)
    }
}

impl FromStr for PortalOrigin {
    type Err = PortalOriginError;

    fn from_str(text: &str) -> Result<Self, PortalOriginError> {
        let url: WebUrl = text.parse()?;
        let scheme = if url.is_https() { "https" } else { "http" };
        let canonical = format!("{scheme}://{}", url.authority());
        if text.bytes().filter(|byte| *byte == b'/').count() > 2 || text.contains('?') {
            return Err(PortalOriginError::Path);
        }
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        // What follows a semicolon would be another directive of the policy that names this origin.
        if canonical == text && is_lower { Ok(Self(url)) } else { Err(PortalOriginError::Form) }
    }
}

impl fmt::Display for PortalOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(PortalOrigin);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact() {
        let origin: PortalOrigin = "https://app.example.com".parse().unwrap();
        for (url, is_of) in [
            ("https://app.example.com", true),
            ("https://app.example.com/keys?x=1", true),
            ("https://APP.example.com:443/", true),
            ("https://app.example.com:8443/", false),
            ("https://app.example.com.evil.example/", false),
            ("https://example.com/", false),
            ("http://localhost/", false),
        ] {
            assert_eq!(origin.is_of(&url.parse().unwrap()), is_of, "{url}");
        }
        for (text, error) in [
            ("https://app.example.com/", PortalOriginError::Path),
            ("https://app.example.com/x", PortalOriginError::Path),
            ("https://app.example.com:443", PortalOriginError::Form),
            ("https://App.example.com", PortalOriginError::Form),
            ("http://app.example.com", PortalOriginError::Url(WebUrlError::Scheme)),
            ("https://*.example.com", PortalOriginError::Url(WebUrlError::Host)),
            ("https://a.example;x", PortalOriginError::Url(WebUrlError::Host)),
        ] {
            assert_eq!(text.parse::<PortalOrigin>(), Err(error), "{text}");
        }
        assert!("http://127.0.0.1:9000".parse::<PortalOrigin>().is_ok());
    }

    #[test]
    fn a_session_calls_with_scopes_for_its_projects_alone() {
        let grant = |may: &[PortalAct]| PortalGrant {
            subject: "u1".parse().unwrap(),
            name: "Ada".into(),
            projects: vec!["web".parse().unwrap()],
            may: may.to_vec(),
            scopes_within: Scopes::parse_list("read:*").unwrap(),
            cidrs_within: None,
            max_key_lifetime: None,
            max_keys: 1,
            keys: PortalKeys::Own,
            return_url: None,
        };
        let scopes = |may: &[PortalAct]| grant(may).scopes(&"acme".parse().unwrap()).to_string();
        let (keys, project) =
            ("claviger/orgs/acme/projects/web/keys/*", "read:claviger/orgs/acme/projects/web");
        assert_eq!(scopes(&[PortalAct::Create]), format!("{project} write:{keys}"));
        assert_eq!(scopes(&[PortalAct::List, PortalAct::Usage]), format!("{project} read:{keys}"));
        let stored = serde_json::to_string(&grant(&[PortalAct::List])).unwrap();
        assert_eq!(serde_json::from_str::<PortalGrant>(&stored).unwrap(), grant(&[PortalAct::List]));
        // A session that an earlier version has made.
        let earlier = stored.replace(r#""max_key_lifetime":null,"#, "");
        assert_ne!(earlier, stored);
        assert_eq!(serde_json::from_str::<PortalGrant>(&earlier).unwrap(), grant(&[PortalAct::List]));
    }
}
