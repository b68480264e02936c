//! `claviger serve`.

mod begin;
mod hangup;
mod open_files;
mod running;
mod scrapes;
mod waiting;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use self::begin::begin;
use self::running::Running;
use self::scrapes::Scrapes;
use self::waiting::Waiting;
use super::server_args::{LogFilter, ServerArgs};
use super::{CliError, logging};
use crate::base::clock::{Clock, monotonic_now};
use crate::base::entropy::Entropy;
use crate::base::master_key::MasterKey;
use crate::listener::{Limits, ListenError, Listener, Report};
use crate::server;
use crate::server::config::{Config, ConfigError, Origin};
use crate::server::metrics::Metrics;
use crate::store::{OpenError, Store};
use crate::use_cases::bootstrap::{BootstrapContext, BootstrapError};

/// Run the server; bootstrap an empty store first (this is the default command)
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Change the deployment's issuer and brand to the ones in these settings
    #[arg(long)]
    accept_new_identity: bool,

    #[command(flatten)]
    server: ServerArgs,
}

impl ServeArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let accepts_new_identity = self.accept_new_identity;
        let loaded = self.server.load()?;
        let log_filter = loaded.log_filter();
        loaded.run(|config| serve(config, log_filter, accepts_new_identity)).await
    }

    pub(super) fn server(&mut self) -> &mut ServerArgs {
        &mut self.server
    }
}

/// The share of the shutdown time for responses. The rest is for the store: to write usage counters and to close.
const ANSWERS_SHARE: f64 = 0.9;

/// Serves until SIGTERM or SIGINT, then answers all accepted requests.
async fn serve(config: Config, log_filter: LogFilter, accepts_new_identity: bool) -> Result<(), CliError> {
    let (ends, signalled) = ends()?;
    let certificate = hangup::follow(log_filter)?;
    tokio::spawn(logging::report_dropped_lines());
    let (version, commit) = (env!("CARGO_PKG_VERSION"), option_env!("CLAVIGER_COMMIT"));
    tracing::info!(version, commit, "starting");
    let limits = open_files::within_limit(config.limits.clone());
    let store = open_store(&config).await?;
    let shutdown = limits.drain_deadline;
    let limits = Limits { drain_deadline: shutdown.mul_f64(ANSWERS_SHARE), ..limits };
    let listener = Listener::bind(config.listen, limits, config.tls.clone()).map_err(not_listening)?;
    if let Some(present) = listener.certificate() {
        let _ = certificate.set(present);
    }
    let context = BootstrapContext {
        accepts_new_identity,
        ..bootstrap_context(&config, store.clone(), listener.local_addr()).await?
    };
    let scrapes = config.metrics_listen.map(|address| {
        let (limits, connections) = (&config.limits, listener.connections());
        Scrapes::start(address, limits, connections, &context)
    });
    let scrapes = scrapes.transpose()?;
    let metrics = scrapes.as_ref().map(|scrapes| Arc::clone(&scrapes.metrics));
    let mut served = match begin(config.bootstrap, &context).await? {
        Some(master_key) => {
            serve_at_once(&context, master_key, listener, ends, config.flush_every, metrics).await
        }
        None => serve_once_set_up(context, listener, ends, config.flush_every, metrics).await,
    };
    // A store that does not respond in the remaining time loses unwritten usage, because the process exits on time.
    let left = signalled.get().map_or(shutdown, |at| shutdown.saturating_sub(at.elapsed()));
    let tidied = async {
        if let Some(scrapes) = scrapes {
            scrapes.stop().await;
        }
        if let Ok(Some(running)) = &mut served {
            running.stop().await;
        }
        store.close().await;
    };
    if tokio::time::timeout(left, tidied).await.is_err() {
        tracing::warn!("the store did not respond in time; usage since the last flush is not written");
    }
    served.map(drop)
}

async fn serve_at_once(
    context: &BootstrapContext,
    master_key: MasterKey,
    listener: Listener,
    mut ends: mpsc::Receiver<()>,
    flush_every: Duration,
    metrics: Option<Arc<Metrics>>,
) -> Result<Option<Running>, CliError> {
    let running = Running::start(context, &master_key, flush_every).await?;
    drop(master_key);
    let service = server::service(Arc::clone(&running.node), metrics.as_ref()).map_err(CliError::failed)?;
    let (address, draining) = (listener.local_addr(), listener.draining());
    note_end(listener.serve(service, running.until_the_end(address, draining, &mut ends)).await);
    Ok(Some(running))
}

async fn serve_once_set_up(
    context: BootstrapContext,
    listener: Listener,
    mut ends: mpsc::Receiver<()>,
    flush_every: Duration,
    metrics: Option<Arc<Metrics>>,
) -> Result<Option<Running>, CliError> {
    let (address, draining) = (listener.local_addr(), listener.draining());
    let (waiting, service) = Waiting::begin(context, address, metrics)?;
    let mut running = Ok(None);
    let ended = async {
        running = waiting.until_set_up(&mut ends, flush_every).await;
        if let Ok(Some(running)) = &running {
            running.until_the_end(address, draining, &mut ends).await;
        }
    };
    note_end(listener.serve(service, ended).await);
    running
}

fn note_end(report: Report) {
    tracing::info!(connections = report.connections, aborted = report.aborted, "no longer serving");
}

/// Opens the configured store.
pub(super) async fn open_store(config: &Config) -> Result<Store, CliError> {
    Store::open(&config.database_url).await.map_err(cannot_open)
}

/// Blames the setting if the database URL is the reason.
pub(super) fn cannot_open(error: OpenError) -> CliError {
    match error {
        OpenError::UnknownScheme
        | OpenError::Url(_)
        | OpenError::Unescaped
        | OpenError::Parameter(_)
        | OpenError::SessionAttributes(_)
        | OpenError::SeveralHosts => wrong_setting("CLAVIGER_DATABASE_URL", &error),
        error => CliError::failed(error),
    }
}

/// The bootstrap context of a server at this address.
pub(super) async fn bootstrap_context(
    config: &Config,
    store: Store,
    address: SocketAddr,
) -> Result<BootstrapContext, CliError> {
    let master_key = config.master_key_sources().await.map_err(BootstrapError::from)?;
    Ok(BootstrapContext {
        store,
        deployment: config.deployment(address),
        keys_dir: config.keys_dir.clone(),
        master_key,
        derives_issuer: config.derives_issuer(),
        accepts_new_identity: false,
        clock: Clock::system(),
        entropy: Entropy::system(),
    })
}

fn not_listening(error: ListenError) -> CliError {
    match error {
        ListenError::Tls(error) => wrong_setting("CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY", &error),
        error @ ListenError::Bind { .. } => CliError::failed(error),
    }
}

fn wrong_setting(setting: &'static str, error: &dyn std::fmt::Display) -> CliError {
    ConfigError::Setting { setting, origin: Origin::Variable, why: error.to_string() }.into()
}

/// Receives the first SIGTERM or SIGINT, and its time.
fn ends() -> Result<(mpsc::Receiver<()>, Arc<OnceLock<Instant>>), CliError> {
    let (ended, ends) = mpsc::channel(1);
    let signalled = Arc::new(OnceLock::new());
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind).map_err(CliError::failed)?;
        let (ended, signalled) = (ended.clone(), Arc::clone(&signalled));
        tokio::spawn(async move {
            signal.recv().await;
            let _ = signalled.set(monotonic_now());
            let _ = ended.send(()).await;
        });
    }
    Ok((ends, signalled))
}
