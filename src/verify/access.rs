//! Who it is, and whether they may.

use std::fmt;
use std::sync::Arc;

use super::challenge::Challenge;
use super::denied::Denied;
use crate::base::clock::Timestamp;
use crate::domain::cidr::Cidrs;
use crate::domain::scope::{Resource, Scopes, Verb};
use crate::jose::claims::Claims;

/// What a credential that was verified allows. Cloning it is cheap.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    claims: Claims,
    scopes: Scopes,
    cidrs: Cidrs,
    kid: String,
    challenge: Arc<Challenge>,
}

impl Access {
    /// The id of the API key whose rights these are: `sub`.
    pub fn subject(&self) -> &str {
        &self.0.claims.subject
    }

    /// The organization that the key belongs to. What is not its own must never be shown to it.
    pub fn organization(&self) -> &str {
        &self.0.claims.organization
    }

    /// The project that the key belongs to.
    pub fn project(&self) -> &str {
        &self.0.claims.project
    }

    /// The environment that the key belongs to.
    pub fn environment(&self) -> &str {
        &self.0.claims.environment
    }

    /// What it allows.
    pub fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// The first second at which the token is no longer good. For an API key, that of the token in its place.
    pub fn expires_at(&self) -> Timestamp {
        self.0.claims.expires_at
    }

    /// Everything that the token says; for an API key, the token in its place.
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// Whether it allows to do that to this resource: 1 to 16 literals joined by slashes, as in `orders/7`. What is no
    /// resource is allowed to nobody.
    ///
    /// # Errors
    /// [`Denied`], which names the scope that is missing; as a response, it is 403 (RFC 6750 §3.1).
    pub fn require(&self, action: Verb, resource: &str) -> Result<(), Denied> {
        match resource.parse::<Resource>() {
            Ok(resource) => self.require_resource(action, &resource),
            Err(_) => Err(self.no_resource()),
        }
    }

    /// The same for a resource that was read before.
    ///
    /// # Errors
    /// As [`Access::require`].
    pub fn require_resource(&self, action: Verb, resource: &Resource) -> Result<(), Denied> {
        if self.0.scopes.permits(action, resource) {
            return Ok(());
        }
        Err(Denied::missing(action, resource, Arc::clone(&self.0.challenge)))
    }

    pub(super) fn new(
        claims: Claims,
        scopes: Scopes,
        cidrs: Cidrs,
        kid: String,
        challenge: Arc<Challenge>,
    ) -> Self {
        Self(Arc::new(Inner { claims, scopes, cidrs, kid, challenge }))
    }

    /// The answer to whoever asks for what is no resource.
    pub(super) fn no_resource(&self) -> Denied {
        Denied::no_resource(Arc::clone(&self.0.challenge))
    }

    pub(super) fn cidrs(&self) -> &Cidrs {
        &self.0.cidrs
    }

    /// The id of the key that signed the token.
    pub(super) fn kid(&self) -> &str {
        &self.0.kid
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Access").field(&self.0.claims).finish()
    }
}
