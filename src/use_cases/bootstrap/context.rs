//! The context of a bootstrap.

use std::path::PathBuf;

use super::{Bootstrapper, MasterKeySources};
use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::node::Deployment;
use crate::store::Store;

/// A store and the settings to fill it with, before a node is built over it.
#[derive(Debug)]
pub struct BootstrapContext {
    /// The store, empty or filled.
    pub store: Store,
    /// The settings of the future node.
    pub deployment: Deployment,
    /// The folder of the key files.
    pub keys_dir: PathBuf,
    /// Where the master key is looked for.
    pub master_key: MasterKeySources,
    /// Whether the issuer is derived from the listener's address.
    pub derives_issuer: bool,
    /// Whether this start may change the deployment's issuer and brand to its own.
    pub accepts_new_identity: bool,
    /// The source of the time of the bootstrap.
    pub clock: Clock,
    /// Randomness for keys and ids.
    pub entropy: Entropy,
}

impl BootstrapContext {
    /// The bootstrap of this store at the present time.
    pub fn bootstrapper(&self) -> Bootstrapper<'_> {
        Bootstrapper {
            store: &self.store,
            deployment: &self.deployment,
            master_key: &self.master_key,
            entropy: &self.entropy,
            now: self.clock.now(),
        }
    }

    /// The file of the administrator's key, until somebody has seen the key.
    pub fn admin_file(&self) -> PathBuf {
        self.keys_dir.join("admin.key")
    }
}
