//! Fills an empty store, so that it can issue tokens. At every later start, finds the one master key that belongs to
//! the store.

mod administrator;
mod context;
mod identity;
mod master_key_sources;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::administrator::ENVIRONMENT;
pub use administrator::NewAdministrator;
pub use context::BootstrapContext;
pub use identity::OtherIdentity;
pub use master_key_sources::{MasterKeyFault, MasterKeySources};

use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::base::key_file::{self, KeyFileError};
use crate::base::master_key::MasterKey;
use crate::domain::api_key::{EnvironmentSlug, PlainKey, Tagger};
use crate::domain::key::ApiKey;
use crate::domain::key::labels::LabelError;
use crate::domain::tenant::Project;
use crate::node::keyring::{RotateError, seal};
use crate::node::{Deployment, HashError};
use crate::store::{Bootstrap, NewKey, Store, StoreError};

/// Why a store can't be filled, or its master key can't be found.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The master key is missing or wrong.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyFault),
    /// A file already exists where the administrator's key is to be written.
    #[error("the store is empty, and {0} holds another deployment's key: move that file away")]
    OthersAdministrator(PathBuf),
    /// The settings forbid filling an empty store.
    #[error("the store is empty, and CLAVIGER_BOOTSTRAP=off")]
    Off,
    /// The deployment has another issuer or brand.
    #[error(transparent)]
    OtherIdentity(#[from] OtherIdentity),
    /// `claviger init` was run on a store that is already filled.
    #[error("the store has been bootstrapped already")]
    Done,
    /// `claviger admin-key` was run on an empty store.
    #[error("the store is empty: the first start, or claviger init, makes its first administrator's key")]
    Empty,
    /// The organization or project for the new key does not exist.
    #[error("the project does not exist in the store")]
    NoProject,
    /// The project does not have the named environment.
    #[error("the project does not have this environment; it has {0}")]
    NoEnvironment(String),
    /// The name for the new key is not valid.
    #[error(transparent)]
    Name(#[from] LabelError),
    /// A key file can't be read or written.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The first signing key can't be made.
    #[error(transparent)]
    SigningKey(#[from] RotateError),
    /// The secret of the administrator's key can't be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A built-in name is malformed.
    #[error("the bootstrap's own {0} is malformed")]
    BuiltIn(&'static str),
}

/// What it takes to fill a store, or to find its master key.
#[derive(Debug)]
pub struct Bootstrapper<'a> {
    /// The store, empty or filled.
    pub store: &'a Store,
    /// The settings of the future node.
    pub deployment: &'a Deployment,
    /// Where the master key is looked for.
    pub master_key: &'a MasterKeySources,
    /// Randomness for keys and ids.
    pub entropy: &'a Entropy,
    /// The time of the bootstrap.
    pub now: Timestamp,
}

impl Bootstrapper<'_> {
    /// Finds the master key of a filled store. `None` when the store is empty.
    ///
    /// # Errors
    /// [`BootstrapError`] when the key is missing, or is not the one of this store.
    pub async fn find(&self) -> Result<Option<MasterKey>, BootstrapError> {
        let Some(known) = self.store.deployment().await? else { return Ok(None) };
        Ok(Some(self.master_key.matching(&known.master_key_check, "store")?))
    }

    /// Fills an empty store. If `admin_file` is given, the administrator's key is in that file before anybody can see
    /// the store. So there may be a key without a store, but never a store without a key.
    ///
    /// # Errors
    /// [`BootstrapError`]. [`BootstrapError::Done`] when the store was not empty.
    pub async fn bootstrap(
        &self,
        admin_file: Option<&Path>,
    ) -> Result<(MasterKey, PlainKey), BootstrapError> {
        let (master_key, is_new) = self.master_key.at_hand_or_new(self.entropy)?;
        let bootstrapped = self.fill(&master_key, admin_file).await;
        if is_new && matches!(bootstrapped, Err(BootstrapError::Done)) {
            self.discard_unless_ours(&master_key).await;
        }
        Ok((master_key, bootstrapped?))
    }

    async fn fill(
        &self,
        master_key: &MasterKey,
        admin_file: Option<&Path>,
    ) -> Result<PlainKey, BootstrapError> {
        if self.store.deployment().await?.is_some() {
            return Err(BootstrapError::Done);
        }
        let (signing_key, pkcs8) = self.deployment.rotation.source.key(None)?;
        // Nobody has cached the keys yet, so the first key does not need to be published ahead of its use.
        let signing_key =
            seal(&signing_key, &pkcs8, &master_key.derived(), self.entropy, self.now, self.now)?;
        let tagger = Tagger::new(&master_key.tag_key());
        let left_behind = admin_file.map(|path| left_behind(path, &tagger)).transpose()?.flatten();
        let is_kept = left_behind.is_some();
        let plain = left_behind.map_or_else(|| self.new_key(&tagger), Ok)?;
        let epoch = new_epoch(self.entropy)?;
        let home =
            Project::new(built_in("organization", "default")?, built_in("project", "default")?, self.now);
        let admin = ApiKey {
            note: Some("Made at the bootstrap, for administration alone.".into()),
            ..self.administrator(&plain, &home, "bootstrap")?
        };
        let admin = NewKey::new(admin, self.secret(&plain).await?);
        let first = Bootstrap {
            epoch: &epoch,
            master_key_check: master_key.check(),
            signing_key: &signing_key,
            project: &home,
            admin: &admin,
        };
        // Of several processes, only one gets past this statement.
        let filled = self.store.bootstrap(&first, self.now).await?.ok_or(BootstrapError::Done)?;
        if let Some(path) = admin_file.filter(|_| !is_kept) {
            key_file::create(path, plain.expose(), self.entropy)?;
        }
        filled.commit().await?;
        Ok(plain)
    }

    fn new_key(&self, tagger: &Tagger) -> Result<PlainKey, BootstrapError> {
        let environment: EnvironmentSlug = built_in("environment", ENVIRONMENT)?;
        Ok(PlainKey::generate(&self.deployment.brand, &environment, tagger, self.entropy)?)
    }

    /// Removes a new master key if another process has filled the store meanwhile with a different one. If the store
    /// fails, the file stays.
    async fn discard_unless_ours(&self, master_key: &MasterKey) {
        if let Ok(Some(known)) = self.store.deployment().await
            && !master_key.matches(&known.master_key_check)
        {
            let _ = std::fs::remove_file(self.master_key.path());
        }
    }
}

/// The administrator's key that an earlier start wrote for a store that it did not fill, or that is gone.
fn left_behind(path: &Path, tagger: &Tagger) -> Result<Option<PlainKey>, BootstrapError> {
    let Some(text) = key_file::read_if_there(path)? else { return Ok(None) };
    let key = PlainKey::parse(text.trim_end(), tagger);
    key.map(Some).map_err(|_| BootstrapError::OthersAdministrator(path.to_owned()))
}

/// A random name for a new history of changes.
///
/// # Errors
/// When the system has no randomness.
pub fn new_epoch(entropy: &Entropy) -> Result<String, EntropyError> {
    Ok(URL_SAFE_NO_PAD.encode(entropy.bytes::<16>()?))
}

fn built_in<T: FromStr>(what: &'static str, text: &str) -> Result<T, BootstrapError> {
    text.parse().map_err(|_| BootstrapError::BuiltIn(what))
}
