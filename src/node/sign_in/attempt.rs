//! An attempt to sign in, which the browser keeps until the provider answers. The server stores nothing about it.

use serde::{Deserialize, Serialize};

use super::sealed::{open, random, seal_to_fit};
use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::domain::member::ProviderIdentity;
use crate::node::MasterKeys;

/// The context that attempts are sealed for.
const PLACE: &[u8] = b"console/sign-in/attempt";

/// An attempt to sign in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// The provider that the person was sent to. An answer of another one is refused.
    pub provider: String,
    /// What the answer must repeat as `state`, and the id of the attempt: 256 random bits.
    pub state: String,
    /// What the ID token must repeat as `nonce`: 256 random bits.
    pub nonce: String,
    /// The verifier of PKCE (RFC 7636 §4.1): 256 random bits.
    pub verifier: String,
    /// When the attempt ends, in Unix seconds.
    pub until: i64,
    /// The page of the console to go to.
    pub next: String,
    /// The browser's session, which ends with the sign-in.
    pub earlier: Option<String>,
    /// The digest of the invitation that the person accepts.
    pub invitation: Option<String>,
    /// Who has to sign in again, for somebody who is asked again.
    pub again: Option<Again>,
    /// The form that waits: the path that it was sent to, and its fields, encoded.
    pub form: Option<(String, String)>,
}

/// Somebody who is asked again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Again {
    /// The id of the member who acts.
    pub member: String,
    /// The provider's issuer.
    pub issuer: String,
    /// The person there.
    pub subject: String,
}

impl Attempt {
    /// How long an attempt lasts, in seconds.
    pub const SECONDS: i64 = 600;

    /// A new attempt at `provider`, which leads to the page `next`.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(
        provider: &str,
        next: String,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<Self, EntropyError> {
        Ok(Self {
            provider: provider.to_owned(),
            state: random(entropy)?,
            nonce: random(entropy)?,
            verifier: random(entropy)?,
            until: now.plus(Self::SECONDS).unix(),
            next,
            earlier: None,
            invitation: None,
            again: None,
            form: None,
        })
    }

    /// When the attempt began.
    pub fn began(&self) -> Timestamp {
        Timestamp::from_unix(self.until - Self::SECONDS)
    }

    /// The attempt as a browser keeps it. What has no room is left out: the form that waits, and then the page to go to, in
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

    /// The attempt that a browser kept, if this deployment sealed it and it has not ended.
    pub fn opened(sealed: &str, keys: &MasterKeys, now: Timestamp) -> Option<Self> {
        let attempt: Self = open(sealed, PLACE, keys)?;
        let left = attempt.until - now.unix();
        (1..=Self::SECONDS).contains(&left).then_some(attempt)
    }
}

impl Again {
    /// Whether this is the person who is asked again.
    pub fn is(&self, identity: &ProviderIdentity) -> bool {
        self.issuer == identity.issuer && self.subject == identity.subject
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").field("provider", &self.provider).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sealed::seal;
    use super::*;
    use crate::base::master_key::MasterKey;

    #[test]
    fn an_attempt_opens_for_ten_minutes_where_it_was_sealed() {
        let (entropy, now) = (Entropy::system(), Timestamp::from_unix(1_800_000_000));
        let keys = || MasterKeys::only(MasterKey::generate(&entropy).unwrap().derived());
        let (ours, others) = (keys(), keys());
        let attempt = Attempt::new("sso", "/console".to_owned(), &entropy, now).unwrap();
        let sealed = seal(&attempt, PLACE, &ours, &entropy).unwrap().unwrap();
        assert!(!sealed.contains(&attempt.state));
        let opened = Attempt::opened(&sealed, &ours, now.plus(599)).unwrap();
        assert_eq!((opened.state, opened.verifier.len()), (attempt.state.clone(), 43));
        assert!(Attempt::opened(&sealed, &ours, now.plus(600)).is_none());
        assert!(Attempt::opened(&sealed, &ours, now.plus(-1)).is_none(), "a clock that was set back");
        assert!(Attempt::opened(&sealed, &others, now).is_none());
        assert!(Attempt::opened(&sealed[1..], &ours, now).is_none());
        let long = Attempt { next: "x".repeat(3_000), ..attempt };
        assert!(seal(&long, PLACE, &ours, &entropy).unwrap().is_none());

        // What has no room is left out, the form first.
        let form = Some(("/console/orgs".to_owned(), "x".repeat(3_000)));
        for (next, form, kept) in
            [("/console/audit", form.clone(), "/console/audit"), (&"x".repeat(3_000), form, "/console")]
        {
            let mut wide = Attempt { next: next.to_owned(), form, ..long.clone() };
            let sealed = wide.sealed("/console", &ours, &entropy).unwrap().unwrap();
            let opened = Attempt::opened(&sealed, &ours, now).unwrap();
            assert_eq!((&*opened.next, opened.form), (kept, None));
        }
    }
}
