//! From an empty store to one that can issue tokens; and, at every later start, finding the one master key
//! that belongs to it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::api_key::{EnvironmentSlug, PlainKey, Tagger};
use crate::cidr::Cidrs;
use crate::clock::Timestamp;
use crate::entropy::{Entropy, EntropyError};
use crate::key::{ApiKey, KeySecret, SecretId};
use crate::key_file::{self, KeyFileError};
use crate::keyring::{RotateError, seal};
use crate::master_key::{MasterKey, MasterKeyError};
use crate::node::{Deployment, HashError, SecretKeeper};
use crate::scope::{Scope, Scopes};
use crate::store::{Bootstrap, NewKey, Store, StoreError};

/// The environments of a project that was not told otherwise.
pub const ENVIRONMENTS: [&str; 3] = ["dev", "stg", "prd"];

const MASTER_KEY_VARIABLE: &str = "CLAVIGER_MASTER_KEY";

/// The store cannot be begun, or its master key cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// A store without its master key.
    #[error(
        "the store was made with a master key that is not here: put it into {0}, or into {MASTER_KEY_VARIABLE}"
    )]
    MasterKeyMissing(PathBuf),
    /// A store with another's master key.
    #[error("{0} is not the master key that this store was made with")]
    MasterKeyWrong(String),
    /// What should be a master key is none.
    #[error("{0}: {1}")]
    MasterKeyMalformed(String, MasterKeyError),
    /// The settings say that the store should not be empty.
    #[error("the store is empty, and CLAVIGER_BOOTSTRAP=off")]
    Off,
    /// `claviger init` on a store that is in use.
    #[error("the store has been bootstrapped already")]
    Done,
    /// A key file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The first signing key.
    #[error(transparent)]
    SigningKey(#[from] RotateError),
    /// The hash of the administrator's key.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A built-in name is not what it has to be.
    #[error("the bootstrap's own {0} is malformed")]
    BuiltIn(&'static str),
}

/// Everything that beginning or finding a store takes.
#[derive(Debug)]
pub struct Foundation<'a> {
    /// The store.
    pub store: &'a Store,
    /// What the node will be told.
    pub deployment: &'a Deployment,
    /// The folder of the key files.
    pub keys_dir: &'a Path,
    /// `CLAVIGER_MASTER_KEY`, if it is set.
    pub master_key: Option<Zeroizing<String>>,
    /// Randomness.
    pub entropy: &'a Entropy,
    /// The time.
    pub now: Timestamp,
}

impl Foundation<'_> {
    /// The master key of a store that was bootstrapped; `None` when the store is empty.
    ///
    /// # Errors
    /// [`BootstrapError`] when the key is not here, or is another one.
    pub async fn find(&self) -> Result<Option<MasterKey>, BootstrapError> {
        let Some(known) = self.store.deployment().await? else { return Ok(None) };
        let (key, place) = self
            .master_key_at_hand()?
            .ok_or_else(|| BootstrapError::MasterKeyMissing(self.master_key_path()))?;
        if !key.matches(&known.master_key_check) {
            return Err(BootstrapError::MasterKeyWrong(place));
        }
        Ok(Some(key))
    }

    /// Fills an empty store. `keep` is handed the administrator's key before the store is: should the process
    /// end between the two, there is a key too many and no store without one.
    ///
    /// # Errors
    /// [`BootstrapError`]; [`BootstrapError::Done`] when the store was not empty.
    pub async fn lay(
        &self,
        keep: impl FnOnce(&PlainKey) -> Result<(), KeyFileError>,
    ) -> Result<(MasterKey, PlainKey), BootstrapError> {
        let (master_key, made) = self.master_key_at_hand_or_new()?;
        let laid = self.fill(&master_key, keep).await;
        if laid.is_err() && made {
            // It belongs to no store. One that another process has begun meanwhile has its own.
            let _ = std::fs::remove_file(self.master_key_path());
        }
        Ok((master_key, laid?))
    }

    /// Where the master key is, or will be, for people.
    pub fn master_key_place(&self) -> String {
        match &self.master_key {
            Some(_) => MASTER_KEY_VARIABLE.to_owned(),
            None => self.master_key_path().display().to_string(),
        }
    }

    async fn fill(
        &self,
        master_key: &MasterKey,
        keep: impl FnOnce(&PlainKey) -> Result<(), KeyFileError>,
    ) -> Result<PlainKey, BootstrapError> {
        if self.store.deployment().await?.is_some() {
            return Err(BootstrapError::Done);
        }
        let (signing_key, pkcs8) = self.deployment.rotation.source.key()?;
        // Nobody has the keys yet: the first one need not be published ahead.
        let signing_key =
            seal(&signing_key, &pkcs8, &master_key.sealing_key(), self.entropy, self.now, self.now)?;
        let (admin, plain) = self.administrator(master_key).await?;
        keep(&plain)?;
        let epoch = URL_SAFE_NO_PAD.encode(self.entropy.bytes::<16>()?);
        let first = Bootstrap {
            epoch: &epoch,
            master_key_check: master_key.check(),
            signing_key: &signing_key,
            environments: &ENVIRONMENTS,
            admin: &admin,
        };
        if !self.store.bootstrap(&first, self.now).await? {
            return Err(BootstrapError::Done);
        }
        Ok(plain)
    }

    async fn administrator(&self, master_key: &MasterKey) -> Result<(NewKey, PlainKey), BootstrapError> {
        let environment: EnvironmentSlug =
            "prd".parse().map_err(|_| BootstrapError::BuiltIn("environment"))?;
        let tagger = Tagger::new(&master_key.tag_key());
        let plain = PlainKey::generate(&self.deployment.brand, &environment, &tagger, self.entropy)?;
        let keeper = SecretKeeper::new(self.deployment.hash_cost.clone(), 1, 1, self.entropy)?;
        let secret = KeySecret {
            id: SecretId::generate(self.entropy)?,
            hash: keeper.hash(plain.secret(), self.entropy).await?,
            created_at: self.now,
            expires_at: None,
            last_used_at: None,
        };
        let key = ApiKey {
            id: plain.id(),
            organization: "default".parse().map_err(|_| BootstrapError::BuiltIn("organization"))?,
            project: "default".parse().map_err(|_| BootstrapError::BuiltIn("project"))?,
            environment,
            brand: self.deployment.brand.clone(),
            name: "Administrator".into(),
            note: Some("Made at the bootstrap, for administration alone.".into()),
            scopes: Scopes::from(Scope::full_administration()),
            cidrs: Cidrs::everyone(),
            generation: 1,
            created_at: self.now,
            created_by: "bootstrap".into(),
            expires_at: None,
            revoked: None,
            last_used_at: None,
            secrets: Vec::new(),
        };
        Ok((NewKey::new(key, secret), plain))
    }

    fn master_key_at_hand_or_new(&self) -> Result<(MasterKey, bool), BootstrapError> {
        if let Some((key, _)) = self.master_key_at_hand()? {
            return Ok((key, false));
        }
        let key = MasterKey::generate(self.entropy)?;
        key_file::create(&self.master_key_path(), &key.expose())?;
        Ok((key, true))
    }

    /// The master key from the environment or else its file, and where it was.
    fn master_key_at_hand(&self) -> Result<Option<(MasterKey, String)>, BootstrapError> {
        let (text, place) = (self.master_key_text()?, self.master_key_place());
        let Some(text) = text else { return Ok(None) };
        match text.parse() {
            Ok(key) => Ok(Some((key, place))),
            Err(error) => Err(BootstrapError::MasterKeyMalformed(place, error)),
        }
    }

    fn master_key_text(&self) -> Result<Option<Zeroizing<String>>, KeyFileError> {
        match &self.master_key {
            Some(text) => Ok(Some(text.clone())),
            None => key_file::read_if_there(&self.master_key_path()),
        }
    }

    fn master_key_path(&self) -> PathBuf {
        self.keys_dir.join("master.key")
    }
}
