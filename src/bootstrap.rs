//! From an empty store to one that can issue tokens; and, at every later start, finding the one master key
//! that belongs to it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

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
use crate::tenant::Project;

/// Where the administrator's key is at home.
const ADMIN_ENVIRONMENT: &str = "prd";

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
    /// A file in the way of the administrator's key.
    #[error("the store is empty, and {0} holds another deployment's key: move that file away")]
    OthersAdministrator(PathBuf),
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

    /// Fills an empty store. The administrator's key is in `admin_file`, where one is given, before anybody can
    /// see the store: there may be a key without a store, and never a store without a key.
    ///
    /// # Errors
    /// [`BootstrapError`]; [`BootstrapError::Done`] when the store was not empty.
    pub async fn lay(&self, admin_file: Option<&Path>) -> Result<(MasterKey, PlainKey), BootstrapError> {
        let (master_key, is_new) = self.master_key_at_hand_or_new()?;
        let laid = self.fill(&master_key, admin_file).await;
        if is_new && matches!(laid, Err(BootstrapError::Done)) {
            self.discard_unless_ours(&master_key).await;
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
        admin_file: Option<&Path>,
    ) -> Result<PlainKey, BootstrapError> {
        if self.store.deployment().await?.is_some() {
            return Err(BootstrapError::Done);
        }
        let (signing_key, pkcs8) = self.deployment.rotation.source.key()?;
        // Nobody has the keys yet: the first one need not be published ahead.
        let signing_key =
            seal(&signing_key, &pkcs8, &master_key.sealing_key(), self.entropy, self.now, self.now)?;
        let tagger = Tagger::new(&master_key.tag_key());
        let left_behind = admin_file.map(|path| left_behind(path, &tagger)).transpose()?.flatten();
        let is_kept = left_behind.is_some();
        let plain = left_behind.map_or_else(|| self.new_key(&tagger), Ok)?;
        let epoch = URL_SAFE_NO_PAD.encode(self.entropy.bytes::<16>()?);
        let admin = self.administrator(&plain).await?;
        let home = admin.key();
        let first = Bootstrap {
            epoch: &epoch,
            master_key_check: master_key.check(),
            signing_key: &signing_key,
            project: &Project::new(home.organization.clone(), home.project.clone(), self.now),
            admin: &admin,
        };
        // Of several processes, one gets any further.
        let filled = self.store.bootstrap(&first, self.now).await?.ok_or(BootstrapError::Done)?;
        if let Some(path) = admin_file.filter(|_| !is_kept) {
            key_file::create(path, plain.expose(), self.entropy)?;
        }
        filled.commit().await?;
        Ok(plain)
    }

    fn new_key(&self, tagger: &Tagger) -> Result<PlainKey, BootstrapError> {
        let environment: EnvironmentSlug = built_in("environment", ADMIN_ENVIRONMENT)?;
        Ok(PlainKey::generate(&self.deployment.brand, &environment, tagger, self.entropy)?)
    }

    async fn administrator(&self, plain: &PlainKey) -> Result<NewKey, BootstrapError> {
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
            organization: built_in("organization", "default")?,
            project: built_in("project", "default")?,
            environment: built_in("environment", plain.environment())?,
            brand: built_in("brand", plain.brand())?,
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
        Ok(NewKey::new(key, secret))
    }

    /// Takes a new master key away again that belongs to no store: the one that another process has begun
    /// meanwhile was made with another. Where that can't be found out, the file stays.
    async fn discard_unless_ours(&self, master_key: &MasterKey) {
        if let Ok(Some(known)) = self.store.deployment().await
            && !master_key.matches(&known.master_key_check)
        {
            let _ = std::fs::remove_file(self.master_key_path());
        }
    }

    fn master_key_at_hand_or_new(&self) -> Result<(MasterKey, bool), BootstrapError> {
        if let Some((key, _)) = self.master_key_at_hand()? {
            return Ok((key, false));
        }
        let key = MasterKey::generate(self.entropy)?;
        match key_file::create(&self.master_key_path(), &key.expose(), self.entropy) {
            Ok(()) => Ok((key, true)),
            // Another process was faster.
            Err(error) if error.is_already_there() => match self.master_key_at_hand()? {
                Some((key, _)) => Ok((key, false)),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
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

/// The key that an earlier start kept for a store that it did not come to fill, or that is gone.
fn left_behind(path: &Path, tagger: &Tagger) -> Result<Option<PlainKey>, BootstrapError> {
    let Some(text) = key_file::read_if_there(path)? else { return Ok(None) };
    let key = PlainKey::parse(text.trim_end(), tagger);
    key.map(Some).map_err(|_| BootstrapError::OthersAdministrator(path.to_owned()))
}

fn built_in<T: FromStr>(what: &'static str, text: &str) -> Result<T, BootstrapError> {
    text.parse().map_err(|_| BootstrapError::BuiltIn(what))
}
