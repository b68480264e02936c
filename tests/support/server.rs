//! A whole server in the test's own process: real sockets, a real database, and a clock that the test moves.

use std::net::SocketAddr;
use std::sync::Arc;

use claviger::base::clock::{Clock, Timestamp};
use claviger::base::entropy::Entropy;
use claviger::base::key_file::Readers;
use claviger::base::master_key::MasterKey;
use claviger::client::FetchSettings;
use claviger::domain::address::AddressPolicy;
use claviger::domain::api_key::{self, KeyId, PlainKey};
use claviger::domain::audit::{Actor, Who};
use claviger::domain::gate_mapping::GateMapping;
use claviger::domain::key::ApiKey;
use claviger::domain::portal::PortalSettings;
use claviger::domain::principal::Principal;
use claviger::domain::scope::Scopes;
use claviger::jose::jwk::Algorithm;
use claviger::listener::{Limits, Listener};
use claviger::node::keyring::{RotationPolicy, SigningKeySource};
use claviger::node::{
    AssertionPolicy, Deployment, HashCost, Node, ProofRules, SignInProviders, SignInSettings,
};
use claviger::server;
use claviger::server::metrics::{Metrics, Sources, metrics_service};
use claviger::store::{NewKey, Store};
use claviger::use_cases::bootstrap::{Bootstrapper, MasterKeySources};
use tokio::sync::oneshot;

use super::client::Client;
use super::database::{Backend, Database};
use super::openapi;

/// 2026-01-01T00:00:00Z, when every test begins.
pub const START: Timestamp = Timestamp::from_unix(1_767_225_600);

/// What a test wants otherwise than usual.
pub struct Options {
    pub issuer: Option<String>,
    pub audiences: Option<Vec<String>>,
    pub brand: &'static str,
    pub addresses: AddressPolicy,
    pub source: SigningKeySource,
    pub limits: Limits,
    pub key_capacity: u64,
    pub assertions: AssertionPolicy,
    pub issuers: FetchSettings,
    pub gate: GateMapping,
    pub proofs: ProofRules,
    pub events_kept_seconds: Option<i64>,
    /// Where members sign in.
    pub sign_in: SignInProviders,
    /// How the console signs people in.
    pub sign_in_settings: SignInSettings,
    pub portal: PortalSettings,
    /// Whether there is a listener for metrics, see [`Server::metrics`].
    pub has_metrics: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            issuer: None,
            audiences: None,
            brand: "clv",
            addresses: AddressPolicy::default(),
            source: SigningKeySource::Generate(Algorithm::Es256),
            limits: Limits::default(),
            key_capacity: 10_000,
            assertions: AssertionPolicy::default(),
            // The issuers of tests are on this machine.
            issuers: FetchSettings {
                networks: "127.0.0.0/8".parse().expect("a network"),
                allows_http: true,
                ..FetchSettings::default()
            },
            gate: GateMapping::default(),
            proofs: ProofRules::default(),
            events_kept_seconds: Some(400 * 86_400),
            sign_in: SignInProviders::named(["sso"]),
            sign_in_settings: SignInSettings::default(),
            portal: PortalSettings::default(),
            has_metrics: false,
        }
    }
}

/// A running server. It ends with the test.
pub struct Server {
    pub node: Arc<Node>,
    pub clock: Clock,
    pub admin_key: String,
    pub database: Database,
    address: SocketAddr,
    metrics: Option<(SocketAddr, oneshot::Sender<()>)>,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// The issuer's URL.
    pub fn issuer(&self) -> String {
        self.node.deployment.issuer.clone()
    }

    /// A freshly bootstrapped server.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, Options::default()).await
    }

    /// A freshly bootstrapped server, with `options`.
    pub async fn start_with(backend: Backend, options: Options) -> Self {
        Self::start_on(backend.fresh().await, options).await
    }

    /// The same on this database, which must be empty.
    pub async fn start_on(database: Database, options: Options) -> Self {
        let clock = Clock::manual(START);
        let store = Store::open(&database.url).await.expect("a store");
        let listener = bind(&options.limits);
        let deployment = deployment(&options, listener.local_addr());
        let entropy = Entropy::system();
        let keys_dir = database.folder.path().join("keys");
        let bootstrapper = Bootstrapper {
            store: &store,
            deployment: &deployment,
            master_key: &MasterKeySources::new(&keys_dir, Readers::Owner, None),
            entropy: &entropy,
            now: clock.now(),
        };
        let (master_key, admin) = bootstrapper.bootstrap(None).await.expect("a bootstrap");
        let admin_key = admin.expose().to_owned();
        let metrics = options.has_metrics.then(|| measure(&listener, &store, &deployment, &clock));
        Self::run(database, store, listener, deployment, &master_key, (clock, metrics), admin_key).await
    }

    /// A client of the listener for metrics.
    pub fn metrics(&self) -> Client {
        Client::new(self.metrics.as_ref().expect("a listener for metrics").0)
    }

    /// Another server process over the same database, as far as the database can tell: it shares nothing
    /// with this one but the clock. PostgreSQL only.
    pub async fn second_node(&self) -> Node2 {
        self.second_node_at(&self.database.url).await
    }

    /// The same, which reaches the database by another way.
    pub async fn second_node_at(&self, url: &str) -> Node2 {
        self.node_over(Store::open(url).await.expect("a second connection")).await
    }

    /// The node after a restart: it has nothing in memory but what the store has.
    pub async fn restarted(&self) -> Node2 {
        self.node_over(self.node.records.store.clone()).await
    }

    async fn node_over(&self, store: Store) -> Node2 {
        let listener = bind(&Limits::default());
        let address = listener.local_addr();
        let master_key = self.master_key();
        let entropy = Entropy::system();
        let deployment = self.node.deployment.clone();
        let node =
            Node::over(store, deployment, &master_key, self.clock.clone(), entropy).await.expect("a node");
        let stop = serve(listener, &node, None);
        Node2 { node, address, _stop: stop }
    }

    pub fn master_key(&self) -> MasterKey {
        let path = self.database.folder.path().join("keys/master.key");
        std::fs::read_to_string(path).expect("the master key").parse().expect("a master key")
    }

    /// Gives the node a master key that may take over.
    pub async fn offer_master_key(&self) -> MasterKey {
        let next = MasterKey::generate(&Entropy::system()).expect("randomness");
        self.node.report(Some(&next)).await.expect("a report");
        next
    }

    /// Replaces the master key, in the file as well.
    pub async fn replace_master_key(&self) -> MasterKey {
        let next = self.offer_master_key().await;
        self.admin().post_json("/v1/master-key/rotate", &serde_json::json!({})).await.done(200);
        let path = self.database.folder.path().join("keys/master.key");
        std::fs::write(path, next.expose().as_bytes()).expect("the master key");
        next
    }

    /// Moves the clock, and has the node hear from its store at that time.
    pub async fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
        self.node.catch_up().await.expect("the store answers");
    }

    /// Writes down what the node has counted and noted.
    pub async fn flush(&self) {
        self.node.usage.flush(&self.node.records.store, self.clock.now()).await.expect("a flush");
    }

    /// A client without credentials. Whatever it is answered, openapi.yaml has to describe it.
    pub fn client(&self) -> Client {
        Client::new(self.address).observed(openapi::check)
    }

    /// A client with the administrator's key.
    pub fn admin(&self) -> Client {
        self.client().bearer(&self.admin_key)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A new key for `read:*`, put into the store past the management API; its id and its text.
    pub async fn stored_key(&self) -> (KeyId, String) {
        self.stored_key_with("read:*").await
    }

    /// The same with these scopes.
    pub async fn stored_key_with(&self, scopes: &str) -> (KeyId, String) {
        let (node, now) = (&self.node, self.clock.now());
        let admin = api_key::claimed_id(&self.admin_key).expect("a key");
        let template =
            node.records.store.key(&admin).await.expect("the store").expect("the administrator's key").key;
        let plain = PlainKey::generate(
            &template.brand,
            &template.environment,
            &node.master_keys.tagger(),
            &node.records.entropy,
        );
        let plain = plain.expect("randomness");
        let secrets = &node.authenticator.secrets;
        let secret = secrets.new_secret(&plain, &Principal::default(), &node.records.entropy, now).await;
        let secret = secret.expect("a hash");
        let scopes = Scopes::parse_list(scopes).expect("scopes");
        let new = NewKey::new(ApiKey { id: plain.id(), scopes, ..template }, secret);
        let mut write = node.records.store.write(now, &Actor::server(Who::Schedule)).await.expect("a turn");
        write.insert_key(&new).await.expect("a stored key");
        write.commit().await.expect("a stored key");
        (plain.id(), plain.expose().to_owned())
    }

    /// A new key with these scopes, see [`Client::create_key`].
    pub async fn key(&self, scopes: &[&str]) -> (String, String) {
        self.admin().create_key(scopes).await
    }

    /// A new key from these members, see [`Client::create_key_from`].
    pub async fn key_from(&self, members: serde_json::Value) -> (String, String) {
        self.admin().create_key_from(members).await
    }

    async fn run(
        database: Database,
        store: Store,
        listener: Listener,
        deployment: Deployment,
        master_key: &MasterKey,
        (clock, metrics): (Clock, Option<Measured>),
        admin_key: String,
    ) -> Self {
        let address = listener.local_addr();
        let (metrics, scrapes) = metrics.unzip();
        let entropy = Entropy::system();
        let node = Node::over(store, deployment, master_key, clock.clone(), entropy).await.expect("a node");
        let stop = serve(listener, &node, metrics.as_ref());
        Self { node, clock, admin_key, database, address, metrics: scrapes, _stop: stop }
    }
}

/// A second node, see [`Server::second_node`].
pub struct Node2 {
    pub node: Arc<Node>,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Node2 {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn client(&self) -> Client {
        Client::new(self.address).observed(openapi::check)
    }
}

fn bind(limits: &Limits) -> Listener {
    Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), limits.clone(), None).expect("a listener")
}

/// Metrics, and where they are served until the sender is dropped.
type Measured = (Arc<Metrics>, (SocketAddr, oneshot::Sender<()>));

/// The metrics of the server behind this listener.
fn measure(public: &Listener, store: &Store, deployment: &Deployment, clock: &Clock) -> Measured {
    let metrics = Arc::new(Metrics::new(Sources {
        issuer: deployment.issuer.clone(),
        commit: None,
        clock: clock.clone(),
        store: store.clone(),
        connections: public.connections(),
        dropped_log_lines: || 0,
    }));
    let service = metrics_service(&metrics, &deployment.issuer, &Entropy::system()).expect("a service");
    let listener = bind(&Limits::default());
    let address = listener.local_addr();
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(listener.serve(service, async move { stopped.await.unwrap_or_default() }));
    (metrics, (address, stop))
}

fn serve(listener: Listener, node: &Arc<Node>, metrics: Option<&Arc<Metrics>>) -> oneshot::Sender<()> {
    let service = server::service(Arc::clone(node), metrics).expect("a service");
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(listener.serve(service, async move { stopped.await.unwrap_or_default() }));
    stop
}

fn deployment(options: &Options, address: SocketAddr) -> Deployment {
    let issuer = options.issuer.clone().unwrap_or_else(|| format!("http://{address}"));
    Deployment {
        audiences: options.audiences.clone().unwrap_or_else(|| vec![format!("{issuer}/api")]),
        issuer,
        brand: options.brand.parse().expect("a brand"),
        addresses: options.addresses.clone(),
        rotation: RotationPolicy { every: 90 * 86_400, lead: 7_200, source: options.source.clone() },
        // The least that argon2id takes: what it costs is no affair of these tests.
        hash_cost: HashCost::new(8, 1, 1).expect("a cost"),
        hash_turns: 2,
        key_capacity: options.key_capacity,
        assertions: options.assertions.clone(),
        issuers: options.issuers.clone(),
        gate: options.gate.clone(),
        proofs: options.proofs.clone(),
        portal: options.portal.clone(),
        events_kept_seconds: options.events_kept_seconds,
        sign_in: match &options.sign_in_settings.providers[..] {
            [] => options.sign_in.clone(),
            _ => SignInProviders::of(&options.sign_in_settings),
        },
        sign_in_settings: options.sign_in_settings.clone(),
    }
}
