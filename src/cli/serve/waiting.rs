//! Serves an empty store until a person sets it up at the console.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::running::Running;
use crate::base::key_file;
use crate::base::master_key::MasterKey;
use crate::cli::CliError;
use crate::cli::output::announce;
use crate::cli::welcome::SecretDestination;
use crate::http::Front;
use crate::server::metrics::Metrics;
use crate::server::{self, Switch, SwitchHandle};
use crate::use_cases::bootstrap::{BootstrapContext, BootstrapError};
use crate::use_cases::set_up::{Code, SetUp, code_file};

/// A pending set-up.
pub(super) struct Waiting {
    set_up: Arc<SetUp>,
    handle: SwitchHandle,
    showing: SecretDestination,
    metrics: Option<Arc<Metrics>>,
}

impl Waiting {
    /// Generates the set-up code and shows it. The service asks for it.
    pub(super) fn begin(
        context: BootstrapContext,
        address: SocketAddr,
        metrics: Option<Arc<Metrics>>,
    ) -> Result<(Self, Front<Switch>), CliError> {
        let code = Code::generate(&context.entropy).map_err(CliError::failed)?;
        let set_up = Arc::new(SetUp::new(context, &code));
        let (service, handle) = server::until_set_up(&set_up, metrics.as_ref()).map_err(CliError::failed)?;
        let context = &set_up.context;
        let showing = SecretDestination::choose(code_file(&context.keys_dir));
        if let Some(file) = showing.file() {
            key_file::replace(file, &code.expose(), &context.entropy).map_err(CliError::failed)?;
        }
        let issuer = &context.deployment.issuer;
        showing.show_code(&code, issuer)?;
        tracing::info!(%address, issuer, "waiting to be set up");
        announce(&format!("Claviger waits to be set up at {issuer} on {address}"));
        Ok((Self { set_up, handle, showing, metrics }, service))
    }

    /// Returns a node that is already serving, or `None` if a signal came first.
    pub(super) async fn until_set_up(
        &self,
        ends: &mut mpsc::Receiver<()>,
        flush_every: Duration,
    ) -> Result<Option<Running>, CliError> {
        let running = tokio::select! {
            _ = ends.recv() => Ok(None),
            found = self.found() => match found {
                Ok(master_key) => Running::start(&self.set_up.context, &master_key, flush_every).await.map(Some),
                Err(error) => Err(error.into()),
            }
        };
        if let Ok(Some(running)) = &running {
            let metrics = self.metrics.as_ref();
            server::install_full_router(&self.handle, &running.node, &self.set_up, metrics);
        }
        self.set_up.end();
        if let Some(file) = self.showing.file() {
            self.set_up.withdraw(file);
        }
        running
    }

    /// Waits for the store's master key, after a set-up here or on another node.
    async fn found(&self) -> Result<MasterKey, BootstrapError> {
        let mut reachable = true;
        loop {
            self.set_up.wait_to_look_again().await;
            let found = self.set_up.context.bootstrapper().find().await;
            match (&found, reachable) {
                (Err(BootstrapError::Store(error)), true) => {
                    tracing::warn!(%error, "the store is unreachable")
                }
                (Ok(_), false) => tracing::info!("the store is reachable again"),
                _ => {}
            }
            reachable = found.is_ok();
            match found {
                Ok(Some(master_key)) => return Ok(master_key),
                Ok(None) | Err(BootstrapError::Store(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
