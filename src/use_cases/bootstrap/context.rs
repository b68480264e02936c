//! What a bootstrap needs.

use std::path::PathBuf;

use super::{Bootstrapper, MasterKeyPlace};
use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::base::key_file::Readers;
use crate::node::Deployment;
use crate::store::Store;

/// A store and what it is begun with, before there is a node over it.
#[derive(Debug)]
pub struct BootstrapContext {
    /// The store.
    pub store: Store,
    /// What the node will be told.
    pub deployment: Deployment,
    /// The folder of the key files.
    pub keys_dir: PathBuf,
    /// Who may read the master key's file.
    pub key_readers: Readers,
    /// Whether the issuer is only the listener's address.
    pub derives_issuer: bool,
    /// Whether the deployment's issuer and brand may be changed to those of this start.
    pub accepts_new_identity: bool,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl BootstrapContext {
    /// The bootstrap of this store, now.
    pub fn bootstrapper(&self) -> Bootstrapper<'_> {
        Bootstrapper {
            store: &self.store,
            deployment: &self.deployment,
            master_key: MasterKeyPlace::of_this_process(&self.keys_dir, self.key_readers),
            entropy: &self.entropy,
            now: self.clock.now(),
        }
    }

    /// Where the administrator's key is kept that nobody has seen yet.
    pub fn admin_file(&self) -> PathBuf {
        self.keys_dir.join("admin.key")
    }
}
