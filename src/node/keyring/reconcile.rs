//! Reconciles the signing keys with the settings at startup.

use std::fmt;

use super::ring::{RingKey, SigningKeyStatus};
use super::rotate::{RotateError, Rotation, SigningKeySource};
use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::domain::audit::{Actor, Who};
use crate::jose::jwk::Algorithm;
use crate::store::Succession;

/// The outcome of [`Rotation::reconcile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// The key that signs, or the one that takes over next, is the one that the settings ask for.
    Fits,
    /// The settings name no signing key, and the active key has an algorithm for which this server makes no keys.
    Unset(Algorithm),
    /// The configured key is published as the next one, and takes over at this moment.
    Scheduled(Timestamp),
    /// The active key is the configured one. The next key, with this kid, was another and is cancelled.
    Cancelled(String),
    /// The next key, with this kid, is not the configured one, but takes over too soon to be cancelled.
    TooLate(String),
    /// The configured file holds a key that no longer signs.
    Over {
        /// The kid of the key in the file.
        configured: String,
        /// The status of that key.
        status: SigningKeyStatus,
    },
}

impl fmt::Display for Reconciled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fits => f.write_str("the signing keys fit the settings"),
            Self::Unset(algorithm) => write!(
                f,
                "the settings name no signing key, and the active key is for {algorithm}, which was imported: it goes on \
                 signing. If CLAVIGER_SIGNING_KEY_FILE is missing or misspelled, set it; to have keys made here, set \
                 CLAVIGER_SIGNING_ALGORITHM"
            ),
            Self::Scheduled(at) => write!(
                f,
                "the configured signing key is not the one that signs: it is published now and takes over at {}. To \
                 cancel that, restart with the earlier settings before then",
                at.rfc3339()
            ),
            Self::Cancelled(kid) => write!(
                f,
                "the next signing key {kid} is not the configured one and is cancelled; the configured key goes on \
                 signing"
            ),
            Self::TooLate(kid) => write!(
                f,
                "the next signing key {kid} is not the configured one, and it takes over within seconds: restart then"
            ),
            Self::Over { configured, status } => write!(
                f,
                "the configured signing key {configured} is {} and does not sign again: put a new key into the file, or \
                 remove the setting",
                status.as_str()
            ),
        }
    }
}

impl Rotation<'_> {
    /// Schedules the configured key if it is new, and cancels a waiting key that the settings do not ask for. Settings
    /// that name no key change nothing.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn reconcile(&self) -> Result<Reconciled, RotateError> {
        let ring = self.keyring.ring();
        let (signing, next) = (ring.signing(self.now), ring.next(self.now));
        // The earliest next key is the one that signs when no key is active.
        let next = next.filter(|next| !ring.signs(next.kid(), self.now));
        let fits: Box<dyn Fn(&RingKey) -> bool> = match &self.policy.source {
            SigningKeySource::Unset => {
                let algorithm = signing.map(|key| key.public_jwk().algorithm());
                let imported = algorithm.filter(|algorithm| *algorithm == Algorithm::Rs256);
                return Ok(imported.map_or(Reconciled::Fits, Reconciled::Unset));
            }
            SigningKeySource::Generate(algorithm) => {
                let algorithm = *algorithm;
                Box::new(move |key| key.public_jwk().algorithm() == algorithm)
            }
            SigningKeySource::Pem(_) => {
                let (configured, _) = self.policy.source.key(None)?;
                let kid = configured.kid().to_owned();
                if let Some(used) = ring.key(&kid).filter(|key| {
                    matches!(
                        key.status(self.now),
                        SigningKeyStatus::Retiring | SigningKeyStatus::Retired | SigningKeyStatus::Withdrawn
                    )
                }) {
                    return Ok(Reconciled::Over { configured: kid, status: used.status(self.now) });
                }
                Box::new(move |key| key.kid() == kid)
            }
        };
        match (signing, next) {
            (_, Some(next)) if fits(next) => Ok(Reconciled::Fits),
            (Some(signing), None) if fits(signing) => Ok(Reconciled::Fits),
            (_, Some(next)) => self.replace(next, signing.is_some_and(fits)).await,
            (_, None) => self.put_in_line().await,
        }
    }

    async fn put_in_line(&self) -> Result<Reconciled, RotateError> {
        // The result is `false` when another node with the same settings was faster.
        self.scheduled(self.now).await?;
        Ok(Reconciled::Scheduled(self.now.plus(self.policy.lead)))
    }

    /// Cancels a waiting key that the settings do not ask for, and schedules the configured one unless it signs
    /// already.
    async fn replace(&self, next: &RingKey, is_signing: bool) -> Result<Reconciled, RotateError> {
        // After this moment, another node may have signed with the waiting key.
        let (by, actor) = (self.now.plus(2 * NODE_SKEW_SECONDS), Actor::server(Who::Schedule));
        let kid = next.kid().to_owned();
        let is_replaced = if is_signing {
            self.store.cancel_signing_key(&kid, by, self.now, &actor).await?
        } else {
            let added = self.add(Succession::InPlaceOf(kid.clone(), by), self.policy.lead, &actor).await;
            match added {
                Err(RotateError::NoSuchKey) => false,
                added => added.map(|()| true)?,
            }
        };
        Ok(match (is_replaced, is_signing) {
            (false, _) => Reconciled::TooLate(kid),
            (true, true) => Reconciled::Cancelled(kid),
            (true, false) => Reconciled::Scheduled(self.now.plus(self.policy.lead)),
        })
    }
}
