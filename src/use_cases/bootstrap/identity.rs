//! The issuer and the brand of a deployment, which all its nodes share.

use super::{BootstrapContext, BootstrapError};
use crate::domain::audit::{Actor, Who};
use crate::store::SharedSettings;

/// The issuer or brand of a start differs from that of the deployment.
#[derive(Debug, thiserror::Error)]
#[error(
    "the store belongs to a deployment with {setting} {remembered}, and {own}: set {variable} to the deployment's, or start \
     once with --accept-new-identity to give the deployment another one"
)]
pub struct OtherIdentity {
    setting: &'static str,
    remembered: String,
    own: String,
    variable: &'static str,
}

impl BootstrapContext {
    /// Checks that this start has the issuer and the brand that the store remembers. If the store has none yet, it
    /// remembers these. It does not remember an issuer that is derived from the listener's address. Different audiences
    /// are logged and stored, because all nodes are expected to get them.
    ///
    /// # Errors
    /// [`BootstrapError::OtherIdentity`], unless this start may change them.
    pub async fn agree(&self) -> Result<(), BootstrapError> {
        let (issuer, brand) = (self.own_issuer(), self.deployment.brand.to_string());
        let remembered = self.store.remember_identity(issuer, &brand).await?;
        if let Err(other) = self.compare(&remembered, &brand) {
            if !self.accepts_new_identity {
                return Err(other.into());
            }
            let (now, operator) = (self.clock.now(), Actor::server(Who::Operator));
            self.store.change_identity(issuer, &brand, now, &operator).await?;
            tracing::warn!(?remembered, issuer, brand, "the deployment has a new issuer or brand");
        }
        self.announce_audiences(&remembered).await
    }

    fn compare(&self, remembered: &SharedSettings, brand: &str) -> Result<(), OtherIdentity> {
        let issuer = &self.deployment.issuer;
        if let Some(other) = remembered.issuer.as_ref().filter(|other| *other != issuer) {
            let own = match self.own_issuer() {
                Some(issuer) => format!("this start's is {issuer}"),
                None => format!("this start names none; its listener's is {issuer}"),
            };
            let (setting, variable) = ("the issuer", "CLAVIGER_ISSUER");
            return Err(OtherIdentity { setting, remembered: other.clone(), own, variable });
        }
        if let Some(other) = remembered.brand.as_ref().filter(|other| *other != brand) {
            let (setting, variable) = ("the brand", "CLAVIGER_BRAND");
            let own = format!("this start's is {brand}");
            return Err(OtherIdentity { setting, remembered: other.clone(), own, variable });
        }
        Ok(())
    }

    async fn announce_audiences(&self, remembered: &SharedSettings) -> Result<(), BootstrapError> {
        let own = self.own_issuer().map(|_| self.deployment.audiences.as_slice());
        if remembered.audiences.as_deref() == own {
            return Ok(());
        }
        if let (Some(before), Some(now)) = (&remembered.audiences, own) {
            tracing::warn!(?before, ?now, "this start has other audiences than the one before");
        }
        Ok(self.store.remember_audiences(own).await?)
    }

    /// The issuer, unless it is derived from the listener's address.
    fn own_issuer(&self) -> Option<&str> {
        (!self.derives_issuer).then_some(self.deployment.issuer.as_str())
    }
}
