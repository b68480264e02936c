//! The caller of a verified request, and their rights.

use std::fmt;
use std::sync::Arc;

use super::challenge::Challenge;
use super::denied::Denied;
use crate::base::clock::Timestamp;
use crate::domain::cidr::Cidrs;
use crate::domain::scope::{Resource, Scopes, Verb};
use crate::jose::claims::Claims;

/// The rights of a verified credential. Clones are cheap.
///
/// ```
/// use claviger::verify::{Access, Denied, Verb};
///
/// fn read_order(access: &Access, id: u32) -> Result<String, Denied> {
///     access.require(Verb::Read, &format!("orders/{id}"))?;
///     Ok(format!("order {id} of {}", access.organization()))
/// }
/// ```
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
    /// The id of the API key whose rights these are (`sub`).
    pub fn subject(&self) -> &str {
        &self.0.claims.subject
    }

    /// The organization of the key. The resource server must not show it the data of other organizations.
    pub fn organization(&self) -> &str {
        &self.0.claims.organization
    }

    /// The project of the key.
    pub fn project(&self) -> &str {
        &self.0.claims.project
    }

    /// The environment of the key.
    pub fn environment(&self) -> &str {
        &self.0.claims.environment
    }

    /// The scopes of the credential.
    pub fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// The first second at which the token is no longer valid. For an API key, this is about the token that the gate
    /// issued for it.
    pub fn expires_at(&self) -> Timestamp {
        self.0.claims.expires_at
    }

    /// All claims of the token. For an API key, these are the claims of the token that the gate issued for it.
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// Checks that the credential allows `action` on `resource`: 1 to 16 literals joined by slashes, as in `orders/7`.
    /// Nobody has rights to text of another form.
    ///
    /// # Errors
    /// [`Denied`], which names the missing scope. As a response it is 403 (RFC 6750 §3.1).
    pub fn require(&self, action: Verb, resource: &str) -> Result<(), Denied> {
        match resource.parse::<Resource>() {
            Ok(resource) => self.require_resource(action, &resource),
            Err(_) => Err(self.no_resource()),
        }
    }

    /// The same as [`Access::require`], for a parsed resource.
    ///
    /// # Errors
    /// The same as for [`Access::require`].
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

    /// The error for text that is not a resource.
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
