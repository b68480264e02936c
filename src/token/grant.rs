//! What a token may be for: its audience (RFC 8707) and its scopes, out of what the key has.

use std::borrow::Cow;

use super::OAuthError;
use crate::node::{Granted, HeldKey};
use crate::scope::Scopes;
use crate::text::{Excerpt, redacted};

/// What a client asks for, as it came.
#[derive(Clone, Debug, Default)]
pub struct GrantRequest<'a> {
    /// `scope` (RFC 6749 §3.3), if it was sent.
    pub scope: Option<&'a str>,
    /// Every `resource` (RFC 8707) and `audience`.
    pub audiences: Vec<&'a str>,
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant<'a> {
    /// One audience or more, as first asked for.
    pub audience: Vec<&'a str>,
    /// One scope or more, all of them under `claviger/` or none, in canonical form.
    pub scope: Cow<'a, str>,
}

impl<'a> GrantRequest<'a> {
    /// Resolves the request against a key. Never less than was asked for: what can't be granted in full is
    /// an error.
    ///
    /// # Errors
    /// [`OAuthError::InvalidTarget`] and [`OAuthError::InvalidScope`].
    pub fn resolve(&self, held: &'a HeldKey, issuer: &'a str) -> Result<Grant<'a>, OAuthError> {
        let audience = self.audience(held, issuer)?;
        let available = if audience == [issuer] { &held.reserved } else { &held.unreserved };
        Ok(Grant { audience, scope: self.scope(available)? })
    }

    fn audience(&self, held: &'a HeldKey, issuer: &'a str) -> Result<Vec<&'a str>, OAuthError> {
        if self.audiences.is_empty() {
            let default = held.audiences.first().filter(|_| !held.unreserved.scopes.is_empty());
            return Ok(vec![default.map_or(issuer, String::as_str)]);
        }
        let mut granted = Vec::new();
        for asked in &self.audiences {
            // RFC 8707 §2, compared byte for byte.
            let known =
                held.audiences.iter().map(String::as_str).chain([issuer]).find(|known| known == asked);
            let known = known.ok_or_else(|| {
                OAuthError::InvalidTarget(format!(
                    "{} is no audience of this key's project",
                    Excerpt::from(*asked)
                ))
            })?;
            if !granted.contains(&known) {
                granted.push(known);
            }
        }
        if granted.len() > 1 && granted.contains(&issuer) {
            return Err(OAuthError::InvalidTarget(
                "a token for the management API is for nothing else".into(),
            ));
        }
        Ok(granted)
    }

    fn scope(&self, available: &'a Granted) -> Result<Cow<'a, str>, OAuthError> {
        let Some(asked) = self.scope else {
            return match available.scopes.is_empty() {
                false => Ok(Cow::Borrowed(&available.text)),
                true => Err(OAuthError::InvalidScope("the key has no scope for this audience".into())),
            };
        };
        let asked = Scopes::parse_list(asked).map_err(|error| OAuthError::InvalidScope(error.to_string()))?;
        match asked.iter().find(|scope| !available.scopes.covers(scope)) {
            None => Ok(asked.to_string().into()),
            Some(scope) => {
                let scope = redacted(&scope.to_string());
                Err(OAuthError::InvalidScope(format!("no scope of the key for this audience covers {scope}")))
            }
        }
    }
}
