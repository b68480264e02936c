//! The metrics of a server: what is measured, and what a scrape reads from the parts of a running node.

mod connections;
mod health;
mod issued;
mod memory;
mod process;
mod service;
mod store;

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::issuer_path;
use crate::base::clock::Clock;
use crate::listener::Connections;
use crate::metrics::{Exposition, HttpDurations};
use crate::node::Node;
use crate::store::Store;

pub use service::metrics_service;

/// What the metrics of a process are about, besides its node.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The issuer, whose path routes may be below.
    pub issuer: String,
    /// The commit that the binary was built from, if it is known.
    pub commit: Option<&'static str>,
    /// The clock of the process.
    pub clock: Clock,
    /// The store, which may still be empty.
    pub store: Store,
    /// The public listener.
    pub connections: Connections,
    /// Counts the log lines that were dropped.
    pub dropped_log_lines: fn() -> u64,
}

/// The metrics of one process. A scrape reads the present state of the node's parts, so that their work costs nothing
/// more. Only events that leave no state are counted when they happen.
#[derive(Debug)]
pub struct Metrics {
    http: Arc<HttpDurations>,
    /// Empty until the store is set up.
    node: Arc<OnceLock<Arc<Node>>>,
    registry: Registry,
}

impl Metrics {
    /// Metrics of a process that starts now.
    pub fn new(sources: Sources) -> Self {
        let Sources { issuer, commit, clock, store, connections, dropped_log_lines } = sources;
        let http = Arc::new(HttpDurations::new(issuer_path::paths(&issuer)));
        let node = Arc::<OnceLock<Arc<Node>>>::default();
        let mut registry = Registry::default();
        let version = [("version", env!("CARGO_PKG_VERSION")), ("commit", commit.unwrap_or("unknown"))];
        registry.register(
            "claviger_build",
            "The version of the server, and the commit it was built from",
            Info::new(version),
        );
        let started = clock.now();
        let durations = Arc::clone(&http);
        let mut read = |read: Reading| registry.register_collector(Box::new(Source(read)));
        read(Box::new(move |exposition| connections::write(exposition, &durations, &connections)));
        read(Box::new(move |exposition| store::write(exposition, &store)));
        for write in [issued::write, memory::write, health::write] {
            let node = Arc::clone(&node);
            read(Box::new(move |exposition| node.get().map_or(Ok(()), |node| write(exposition, node))));
        }
        read(Box::new(move |exposition| process::write(exposition, started, dropped_log_lines())));
        Self { http, node, registry }
    }

    /// The text of a scrape, in the OpenMetrics format.
    ///
    /// # Errors
    /// When the text can't be written.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }

    /// The durations of the public listener's requests.
    pub(super) fn http(&self) -> &Arc<HttpDurations> {
        &self.http
    }

    /// The metrics are also about this node from now on.
    pub(super) fn attach(&self, node: &Arc<Node>) {
        let _ = self.node.set(Arc::clone(node));
    }
}

type Reading = Box<dyn Fn(&mut Exposition<'_>) -> fmt::Result + Send + Sync>;

/// Reads values at the time of a scrape.
struct Source(Reading);

impl Collector for Source {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        (self.0)(&mut encoder.into())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
