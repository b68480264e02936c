//! What a start does when the settings name another signing key than the one that signs.

use std::fmt;

use super::ring::{RingKey, SigningKeyStatus};
use super::rotate::{RotateError, Rotation, SigningKeySource};
use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::domain::audit::{Actor, Who};
use crate::jose::jwk::Algorithm;
use crate::store::Succession;

/// How the settings and the signing keys go together, once a start has seen to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// The key that signs, or the one that takes over next, is the one that the settings ask for.
    Fits,
    /// The settings say nothing, and the active key could not be made here.
    Unset(Algorithm),
    /// The configured key is published as the next one; it takes over at this moment.
    Scheduled(Timestamp),
    /// The active key is the configured one, and the next key of this kid, which was not, is cancelled.
    Cancelled(String),
    /// The next key of this kid is not the configured one, and takes over too soon to be cancelled.
    TooLate(String),
    /// The configured file holds a key that signs no more.
    Over {
        /// Its kid.
        configured: String,
        /// Where it stands.
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
    /// What a start does: puts the configured key in line when it is new, and cancels a waiting key that the settings
    /// do not ask for. Settings that say nothing change nothing.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn reconcile(&self) -> Result<Reconciled, RotateError> {
        let ring = self.keyring.ring();
        let (signing, next) = (ring.signing(self.now), ring.next(self.now));
        // The earliest next key is the one that signs when none is active.
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
        // `false` when another node with the same settings was faster.
        self.scheduled(self.now).await?;
        Ok(Reconciled::Scheduled(self.now.plus(self.policy.lead)))
    }

    /// Takes a waiting key back that the settings do not ask for, and puts theirs in its place unless it signs already.
    async fn replace(&self, next: &RingKey, is_signing: bool) -> Result<Reconciled, RotateError> {
        // By then another node may have signed with it.
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
