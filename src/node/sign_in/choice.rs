//! The choice between several memberships, which the browser keeps after a sign-in until the person has chosen. The server
//! stores nothing about it.

use serde::{Deserialize, Serialize};

use super::sealed::{open, random, seal_to_fit};
use super::{Attempt, Person};
use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::domain::member::ProviderIdentity;
use crate::node::MasterKeys;

/// The context that choices are sealed for.
const PLACE: &[u8] = b"console/sign-in/choice";

/// Somebody who has signed in, and has not chosen yet as which member.
#[derive(Clone, Serialize, Deserialize)]
pub struct Choice {
    /// The id of the choice, which the page repeats: 256 random bits.
    pub id: String,
    /// The provider at which the person signed in.
    pub provider: String,
    issuer: String,
    subject: String,
    authenticated_at: Option<i64>,
    /// When the choice ends, in Unix seconds.
    pub until: i64,
    /// The page of the console to go to.
    pub next: String,
    /// The browser's session, which ends with the choice.
    pub earlier: Option<String>,
    /// The form that waits: the path that it was sent to, and its fields, encoded.
    pub form: Option<(String, String)>,
}

impl Choice {
    /// How long somebody can choose, in seconds.
    pub const SECONDS: i64 = 300;

    /// The choice of a person whose attempt the provider has answered.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(
        attempt: Attempt,
        person: &Person,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<Self, EntropyError> {
        let Attempt { provider, next, earlier, form, .. } = attempt;
        Ok(Self {
            id: random(entropy)?,
            provider,
            issuer: person.identity.issuer.clone(),
            subject: person.identity.subject.clone(),
            authenticated_at: person.authenticated_at.map(Timestamp::unix),
            until: now.plus(Self::SECONDS).unix(),
            next,
            earlier,
            form,
        })
    }

    /// Who signed in.
    pub fn identity(&self) -> ProviderIdentity {
        ProviderIdentity { issuer: self.issuer.clone(), subject: self.subject.clone() }
    }

    /// When they last proved who they are to the provider, if it says so.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.authenticated_at.map(Timestamp::from_unix)
    }

    /// The choice as a browser keeps it. What has no room is left out: the form that waits, and then the page to go to, in
    /// whose place `home` comes. `None` when the rest is too long.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn sealed(
        &mut self,
        home: &str,
        keys: &MasterKeys,
        entropy: &Entropy,
    ) -> Result<Option<String>, EntropyError> {
        seal_to_fit(self, |it| (&mut it.form, &mut it.next), (PLACE, home), keys, entropy)
    }

    /// The choice that a browser kept, if this deployment sealed it and it has not ended.
    pub fn opened(sealed: &str, keys: &MasterKeys, now: Timestamp) -> Option<Self> {
        let choice: Self = open(sealed, PLACE, keys)?;
        (1..=Self::SECONDS).contains(&(choice.until - now.unix())).then_some(choice)
    }
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Choice").field("provider", &self.provider).finish_non_exhaustive()
    }
}
