//! Users of the customers' portal. The session of one holds only for as long as the key that made it.

use std::sync::Arc;

use super::{AccessFault, Caller, Identity};
use crate::base::clock::Timestamp;
use crate::domain::address::Origin;
use crate::domain::api_key::KeyId;
use crate::domain::key::{ApiKey, KeyStatus};
use crate::domain::names::OrganizationId;
use crate::domain::portal::PortalGrant;
use crate::node::{AuthenticationError, Authenticator};
use crate::store::PortalSession;

/// A user of the portal, and what their session may do.
#[derive(Debug)]
pub struct PortalUser {
    /// The organization of the keys.
    pub organization: OrganizationId,
    /// What the session may do.
    pub granted: PortalGrant,
    /// The key that made the session.
    pub maker: KeyId,
    /// When the session ends.
    pub ends_at: Timestamp,
}

/// The key that made the session, if it still is as it was then.
///
/// # Errors
/// [`AuthenticationError`] when that can't be found out.
pub async fn maker_of(
    authenticator: &Authenticator,
    session: &PortalSession,
    now: Timestamp,
) -> Result<Option<ApiKey>, AuthenticationError> {
    let made = authenticator.key(&session.key).await?;
    let is_same = |key: &ApiKey| key.status(now) == KeyStatus::Active && key.generation == session.generation;
    Ok(made.map(|cached| cached.key.clone()).filter(is_same))
}

/// The user of a session that is open at `now`; `None` if the key that made it doesn't hold any more.
///
/// # Errors
/// [`AccessFault`] when that can't be found out.
pub async fn portal_user(
    authenticator: &Authenticator,
    session: PortalSession,
    origin: Origin<'_>,
    now: Timestamp,
) -> Result<Option<Caller>, AccessFault> {
    let maker = maker_of(authenticator, &session, now).await?;
    Ok(maker.map(|_| Caller::of_portal(session, origin)))
}

impl Caller {
    /// The user of a session.
    pub(in crate::use_cases) fn of_portal(session: PortalSession, origin: Origin<'_>) -> Self {
        let PortalSession { organization, granted, key, ends_at, .. } = session;
        Self {
            scopes: granted.scopes(&organization),
            identity: Identity::PortalUser(Arc::new(PortalUser {
                organization,
                granted,
                maker: key,
                ends_at,
            })),
            address: origin.address,
            request_id: origin.request_id.to_owned(),
            dry_run: false,
        }
    }

    /// What the caller may do as a user of the portal, if it is one.
    pub fn portal(&self) -> Option<&PortalGrant> {
        match &self.identity {
            Identity::PortalUser(user) => Some(&user.granted),
            Identity::Key(_) | Identity::Member(_) => None,
        }
    }

    /// Whether the caller may know of this key of an organization that its scopes reach. A user of the portal may not know
    /// of other users' keys.
    pub fn knows_key(&self, key: &ApiKey) -> bool {
        self.portal().is_none_or(|granted| granted.is_about(key))
    }
}
