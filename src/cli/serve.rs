//! `claviger serve`.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::CliError;
use super::output::say;
use super::welcome::Showing;
use crate::bootstrap::{BootstrapError, Foundation, MasterKeyPlace};
use crate::clock::Clock;
use crate::config::{BootstrapMode, Config, ConfigError};
use crate::entropy::Entropy;
use crate::http;
use crate::listener::{ListenError, Listener};
use crate::master_key::MasterKey;
use crate::node::{Deployment, Node};
use crate::store::{OpenError, Store};

/// Serves until SIGTERM or SIGINT, and then until everything accepted is answered.
pub(super) async fn serve(config: Config) -> Result<(), CliError> {
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let mut ends = ends()?;
    let store = open_store(&config).await?;
    let listener =
        Listener::bind(config.listen, config.limits.clone(), config.tls.clone()).map_err(not_listening)?;
    let deployment = config.deployment(listener.local_addr());
    let master_key = begin(&config, &foundation(&config, &store, &deployment, &clock, &entropy)).await?;
    let node = Node::over(store, deployment, &master_key, clock, entropy).await.map_err(CliError::failed)?;
    drop(master_key);
    follow_settings(&node).await?;
    let service = http::service(Arc::clone(&node)).map_err(CliError::failed)?;
    let (stop, stopped) = watch::channel(false);
    let background = background(&node, &config, &stopped);
    tracing::info!(address = %listener.local_addr(), issuer = node.deployment.issuer, "serving");
    say(&format!("Claviger serves {} on {}", node.deployment.issuer, listener.local_addr()));
    let waiting = Arc::clone(&node);
    let ended = async move {
        ends.recv().await;
        waiting.feed.close();
    };
    let report = listener.serve(service, ended).await;
    tracing::info!(connections = report.connections, aborted = report.aborted, "no longer serving");
    let _ = stop.send(true);
    background.join_all().await;
    node.store.close().await;
    Ok(())
}

/// Opens the store that the settings name.
pub(super) async fn open_store(config: &Config) -> Result<Store, CliError> {
    Store::open(&config.database_url).await.map_err(cannot_open)
}

/// A store that does not open may be a setting that makes no sense.
pub(super) fn cannot_open(error: OpenError) -> CliError {
    match error {
        OpenError::UnknownScheme | OpenError::Url(_) => wrong_setting("CLAVIGER_DATABASE_URL", &error),
        error => CliError::failed(error),
    }
}

/// What a bootstrap builds on.
pub(super) fn foundation<'a>(
    config: &'a Config,
    store: &'a Store,
    deployment: &'a Deployment,
    clock: &Clock,
    entropy: &'a Entropy,
) -> Foundation<'a> {
    Foundation {
        store,
        deployment,
        master_key: MasterKeyPlace::of_this_process(&config.keys_dir),
        entropy,
        now: clock.now(),
    }
}

fn not_listening(error: ListenError) -> CliError {
    match error {
        ListenError::Tls(error) => wrong_setting("CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY", &error),
        error @ ListenError::Bind { .. } => CliError::failed(error),
    }
}

fn wrong_setting(setting: &'static str, error: &dyn std::fmt::Display) -> CliError {
    ConfigError::Setting { setting, why: error.to_string() }.into()
}

/// Finds the store's master key, after filling the store if it is empty.
async fn begin(config: &Config, foundation: &Foundation<'_>) -> Result<MasterKey, CliError> {
    if let Some(master_key) = foundation.find().await.map_err(CliError::failed)? {
        return Ok(master_key);
    }
    if config.bootstrap == BootstrapMode::Off {
        return Err(CliError::failed(BootstrapError::Off));
    }
    let showing = Showing::choose(&config.keys_dir);
    match foundation.lay(showing.file()).await {
        Ok((master_key, admin)) => {
            showing.show(&admin, &foundation.deployment.issuer);
            Ok(master_key)
        }
        // Another node was first: its key is the one to have.
        Err(BootstrapError::Done) => {
            let found = foundation.find().await.map_err(CliError::failed)?;
            found.ok_or_else(|| CliError::failed(BootstrapError::Done))
        }
        Err(error) => Err(CliError::failed(error)),
    }
}

/// Puts a signing key in line when the settings ask for another than there is.
async fn follow_settings(node: &Arc<Node>) -> Result<(), CliError> {
    let now = node.clock.now();
    if node.rotation(now).if_settings_changed().await.map_err(CliError::failed)? {
        node.keyring.reload(&node.store).await.map_err(CliError::failed)?;
        tracing::info!(
            "the settings ask for another signing key; it is published and takes over after its lead"
        );
    }
    Ok(())
}

fn background(node: &Arc<Node>, config: &Config, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(node).follow(stopped.clone()));
    tasks.spawn(Arc::clone(node).listen(stopped.clone()));
    tasks.spawn(Arc::clone(node).flush_usage(config.flush_every, stopped.clone()));
    tasks.spawn(Arc::clone(node).tidy(stopped.clone()));
    tasks
}

/// The signals that end the server, from now on.
fn ends() -> Result<tokio::sync::mpsc::Receiver<()>, CliError> {
    let (ended, ends) = tokio::sync::mpsc::channel(1);
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind).map_err(CliError::failed)?;
        let ended = ended.clone();
        tokio::spawn(async move {
            signal.recv().await;
            let _ = ended.send(()).await;
        });
    }
    Ok(ends)
}
