//! Settings: flags override `CLAVIGER_*` variables, which override `claviger.toml`. All are checked together before the
//! server opens anything.

mod check;
mod issuer_url;
mod origin;
mod portal;
mod settings;
mod sign_in;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use check::ConfigError;
pub use origin::{Origin, Origins};
pub(crate) use settings::DEFAULT_FILE;
pub use settings::{BootstrapMode, LogFormat, Settings};

use crate::base::key_file::Readers;
use crate::client::FetchSettings;
use crate::domain::address::AddressPolicy;
use crate::domain::api_key::Brand;
use crate::domain::gate_mapping::GateMapping;
use crate::domain::portal::PortalSettings;
use crate::listener::{Limits, TlsSettings};
use crate::node::keyring::RotationPolicy;
use crate::node::{AssertionPolicy, Deployment, HashCost, ProofRules, SignInProviders, SignInSettings};
use crate::use_cases::bootstrap::{MasterKeyFault, MasterKeySources};

/// Checked settings.
#[derive(Debug)]
pub struct Config {
    /// The listener's address. Port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// The address of the listener for metrics. `None` means that there is none.
    pub metrics_listen: Option<SocketAddr>,
    /// The store's URL. It may contain a password and is never logged.
    pub database_url: String,
    /// The folder of the key files.
    pub keys_dir: PathBuf,
    /// Who may read the key files.
    pub key_readers: Readers,
    /// The command that prints the master key: a program and its arguments, separated by spaces.
    pub master_key_command: Option<String>,
    /// What to do with an empty store.
    pub bootstrap: BootstrapMode,
    /// The certificate and its key. `None` means that the server does not terminate TLS.
    pub tls: Option<TlsSettings>,
    /// The limits of connections and of slow clients.
    pub limits: Limits,
    /// The interval between writes of usage counters.
    pub flush_every: Duration,
    issuer: Option<String>,
    audiences: Option<Vec<String>>,
    brand: Brand,
    addresses: AddressPolicy,
    rotation: RotationPolicy,
    hash_cost: HashCost,
    hash_turns: usize,
    key_capacity: u64,
    assertions: AssertionPolicy,
    issuers: FetchSettings,
    sign_in: SignInSettings,
    gate: GateMapping,
    proofs: ProofRules,
    portal: PortalSettings,
    events_kept_seconds: Option<i64>,
}

impl Config {
    /// Where this process looks for the master key. Runs the command that prints it, if the settings name one.
    ///
    /// # Errors
    /// [`MasterKeyFault::Command`].
    pub async fn master_key_sources(&self) -> Result<MasterKeySources, MasterKeyFault> {
        let command = self.master_key_command.as_deref();
        MasterKeySources::of_this_process(&self.keys_dir, self.key_readers, command).await
    }

    /// Whether the issuer is derived from the listener's address.
    pub fn derives_issuer(&self) -> bool {
        self.issuer.is_none()
    }

    /// Where members sign in.
    pub fn sign_in(&self) -> &SignInSettings {
        &self.sign_in
    }

    /// The cost of new hashes.
    pub fn hash_cost(&self) -> &HashCost {
        &self.hash_cost
    }

    /// The node's configuration. It needs the address that is bound, because the system may have chosen the port.
    pub fn deployment(&self, bound: SocketAddr) -> Deployment {
        let issuer = self.issuer.clone().unwrap_or_else(|| default_issuer(bound, self.tls.is_some()));
        Deployment {
            audiences: self.audiences.clone().unwrap_or_else(|| vec![format!("{issuer}/api")]),
            issuer,
            brand: self.brand.clone(),
            addresses: self.addresses.clone(),
            rotation: self.rotation.clone(),
            hash_cost: self.hash_cost.clone(),
            hash_turns: self.hash_turns,
            key_capacity: self.key_capacity,
            assertions: self.assertions.clone(),
            issuers: self.issuers.clone(),
            gate: self.gate.clone(),
            proofs: self.proofs.clone(),
            portal: self.portal.clone(),
            events_kept_seconds: self.events_kept_seconds,
            sign_in: SignInProviders::of(&self.sign_in),
            sign_in_settings: self.sign_in.clone(),
        }
    }
}

/// The issuer of a server on loopback without a configured issuer.
fn default_issuer(listen: SocketAddr, has_tls: bool) -> String {
    format!("{}://{listen}", if has_tls { "https" } else { "http" })
}
