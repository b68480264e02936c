//! The settings as written, in one layer per source.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::portal::PortalTable;
use super::sign_in::{ConsoleSignInByKey, SignInTable};
use crate::base::text::{without_byte_order_mark, without_values};

/// What the server does with an empty store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BootstrapMode {
    /// Bootstrap the store, and show the administrator's key once.
    #[default]
    Auto,
    /// Serve only the console's set-up page, until somebody with the one-time code sets up the store.
    Console,
    /// Refuse to start, because the store should not be empty.
    Off,
}

/// What an assertion of a client may have as its `aud`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssertionAudience {
    /// The issuer alone.
    #[default]
    Issuer,
    /// The issuer alone, and only as a string, not as an array of one.
    IssuerAsString,
    /// The token endpoint's URL, too, for older clients.
    TokenEndpointToo,
}

/// Where the ids of used assertions are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AssertionSingleUse {
    /// In the memory of each node.
    #[default]
    Memory,
    /// In the store too, for all nodes and beyond restarts. Each assertion then costs a write.
    Store,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Defines [`Settings`] and its merging from one list of fields.
macro_rules! settings {
    ($($(#[$attribute:meta])* $field:ident: $type:ty,)*) => {
        /// One layer of settings. A lower layer fills in what is missing.
        #[derive(Clone, Debug, Default, Args, Deserialize, Serialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Settings {
            $($(#[$attribute])* pub $field: Option<$type>,)*
        }

        impl Settings {
            const NAMES: &[&str] = &[$(stringify!($field),)*];

            /// The names of the settings that this layer sets.
            pub(super) fn given(&self) -> Vec<&'static str> {
                let all = [$((stringify!($field), self.$field.is_some()),)*];
                all.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect()
            }

            /// This layer, completed by `below`.
            #[must_use]
            pub fn over(self, below: Self) -> Self {
                Self { $($field: self.$field.or(below.$field),)* }
            }
        }
    };
}

settings! {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "CLAVIGER_LISTEN", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,

    /// Address and port for metrics and health checks; keep it inside your network [default: none]
    #[arg(long, env = "CLAVIGER_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    metrics_listen: SocketAddr,

    /// Public base URL, and `iss` of every token [default: http:// and the listener, on loopback only]
    #[arg(long, env = "CLAVIGER_ISSUER", value_name = "URL")]
    issuer: String,

    /// Audiences that tokens can have, separated by commas [default: {issuer}/api]
    #[arg(long, env = "CLAVIGER_AUDIENCES", value_delimiter = ',', value_name = "URI,…")]
    audiences: Vec<String>,

    /// sqlite://path or postgres://… [default: sqlite://claviger.db]
    #[arg(long, env = "CLAVIGER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,

    /// Folder of the key files [default: keys]
    #[arg(long, env = "CLAVIGER_KEYS_DIR", value_name = "FOLDER")]
    keys_dir: PathBuf,

    /// Group that may read the key files, too (mode 0440 or 0640): a number, or a name in /etc/group
    #[arg(long, env = "CLAVIGER_KEY_FILE_GROUP", value_name = "GROUP")]
    key_file_group: String,

    /// Program that prints the master key, and its arguments, separated by spaces; it is run once, without a shell
    #[arg(long, env = "CLAVIGER_MASTER_KEY_COMMAND", value_name = "COMMAND")]
    master_key_command: String,

    /// Proxies whose forwarding header is trusted: addresses and CIDRs, separated by commas
    #[arg(long, env = "CLAVIGER_TRUSTED_PROXIES", value_delimiter = ',', value_name = "CIDR,…")]
    trusted_proxies: Vec<String>,

    /// Forwarding header of the trusted proxies: X-Forwarded-For or Forwarded [default: X-Forwarded-For]
    #[arg(long, env = "CLAVIGER_FORWARDED_HEADER", value_name = "NAME")]
    forwarded_header: String,

    /// Prefix of new API keys [default: clv]
    #[arg(long, env = "CLAVIGER_BRAND", value_name = "SLUG")]
    brand: String,

    /// What to do with an empty store [default: auto]
    #[arg(long, env = "CLAVIGER_BOOTSTRAP")]
    bootstrap: BootstrapMode,

    /// Allow a listener beyond loopback without TLS and without a proxy
    #[arg(long, env = "CLAVIGER_ALLOW_HTTP", num_args = 0..=1, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    allow_http: bool,

    /// PEM file with the certificate chain; enables TLS
    #[arg(long, env = "CLAVIGER_TLS_CERT", value_name = "FILE")]
    tls_cert: PathBuf,

    /// PEM file with the certificate's private key
    #[arg(long, env = "CLAVIGER_TLS_KEY", value_name = "FILE")]
    tls_key: PathBuf,

    /// ES256 or EdDSA; RS256 requires a signing key file [default: that of the active key; ES256 on an empty store]
    #[arg(long, env = "CLAVIGER_SIGNING_ALGORITHM", value_name = "NAME")]
    signing_algorithm: String,

    /// PEM file with your own private signing key
    #[arg(long, env = "CLAVIGER_SIGNING_KEY_FILE", value_name = "FILE")]
    signing_key_file: PathBuf,

    /// Days for which a signing key signs [default: 90]
    #[arg(long, env = "CLAVIGER_SIGNING_KEY_DAYS", value_name = "DAYS")]
    signing_key_days: u16,

    /// Seconds for which a signing key is published before it signs [default: 7200]
    #[arg(long, env = "CLAVIGER_SIGNING_KEY_LEAD", value_name = "SECONDS")]
    signing_key_lead: u32,

    /// Memory in KiB for one argon2id hash of a secret [default: 8]
    #[arg(long, env = "CLAVIGER_ARGON2_MEMORY", value_name = "KIB")]
    argon2_memory: u32,

    /// Passes of one argon2id hash [default: 1]
    #[arg(long, env = "CLAVIGER_ARGON2_PASSES", value_name = "N")]
    argon2_passes: u32,

    /// Lanes of one argon2id hash [default: 1]
    #[arg(long, env = "CLAVIGER_ARGON2_LANES", value_name = "N")]
    argon2_lanes: u32,

    /// Concurrent argon2id hashes [default: the processors, less one]
    #[arg(long, env = "CLAVIGER_ARGON2_AT_ONCE", value_name = "N")]
    argon2_at_once: u16,

    /// API keys cached in memory [default: 200000]
    #[arg(long, env = "CLAVIGER_CACHED_KEYS", value_name = "N")]
    cached_keys: u32,

    /// Seconds between writes of usage counters, which SIGKILL can lose [default: 10]
    #[arg(long, env = "CLAVIGER_USAGE_FLUSH", value_name = "SECONDS")]
    usage_flush: u32,

    /// Algorithms of clients' assertions, separated by commas [default: ES256,ES384,EdDSA,PS256,RS256]
    #[arg(long, env = "CLAVIGER_ASSERTION_ALGORITHMS", value_delimiter = ',', value_name = "NAME,…")]
    assertion_algorithms: Vec<String>,

    /// Audience of clients' assertions [default: issuer]
    #[arg(long, env = "CLAVIGER_ASSERTION_AUDIENCE")]
    assertion_audience: AssertionAudience,

    /// Where used assertions are remembered; `store` also covers other nodes and restarts, at the cost of a write each
    /// [default: memory]
    #[arg(long, env = "CLAVIGER_ASSERTION_SINGLE_USE")]
    assertion_single_use: AssertionSingleUse,

    /// Networks beyond the public ones in which trusted issuers may be: addresses and CIDRs, separated by commas
    #[arg(long, env = "CLAVIGER_ISSUER_NETWORKS", value_delimiter = ',', value_name = "CIDR,…")]
    issuer_networks: Vec<String>,

    /// HTTP proxy for requests to trusted issuers
    #[arg(long, env = "CLAVIGER_ISSUER_PROXY", value_name = "URL")]
    issuer_proxy: String,

    /// Allow trusted issuers at http URLs of this machine, for tests; issuer networks must have its address, too
    #[arg(long, env = "CLAVIGER_ISSUER_HTTP", num_args = 0..=1, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    issuer_http: bool,

    /// The OpenID providers at which members sign in. The settings file alone has them.
    #[arg(skip)]
    sign_in: Vec<SignInTable>,

    /// Which API keys open the console; admin-key: only those that claviger admin-key made [default: allowed]
    #[arg(long, env = "CLAVIGER_CONSOLE_SIGN_IN_BY_KEY")]
    console_sign_in_by_key: ConsoleSignInByKey,

    /// Mapping from methods to actions at the gate [default: GET=read,HEAD=read,OPTIONS=read,*=write]
    #[arg(long, global = true, env = "CLAVIGER_GATE_ACTIONS", value_delimiter = ',', value_name = "LIST")]
    gate_actions: Vec<String>,

    /// Path prefix that the gate removes to get the resource
    #[arg(long, global = true, env = "CLAVIGER_GATE_PREFIX", value_name = "PATH")]
    gate_prefix: String,

    /// Let CORS preflight requests, which have no credential, pass the gate
    #[arg(long, global = true, env = "CLAVIGER_GATE_PREFLIGHTS", num_args = 0..=1, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    gate_preflights: bool,

    /// Origin under which clients reach what is behind the gateways; the gate then accepts DPoP [default: none]
    #[arg(long, global = true, env = "CLAVIGER_GATE_ORIGIN", value_name = "URL")]
    gate_origin: String,

    /// Signature algorithms of DPoP proofs, separated by commas [default: ES256,ES384,EdDSA,PS256,RS256]
    #[arg(long, env = "CLAVIGER_DPOP_ALGORITHMS", value_delimiter = ',', value_name = "NAME,…")]
    dpop_algorithms: Vec<String>,

    /// Require a nonce of this deployment in every DPoP proof
    #[arg(long, env = "CLAVIGER_DPOP_NONCES", num_args = 0..=1, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    dpop_nonces: bool,

    /// Issue only tokens that are bound to a key: refuse requests for a token without a DPoP proof
    #[arg(long, env = "CLAVIGER_DPOP_REQUIRED", num_args = 0..=1, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    dpop_required: bool,

    /// Days for which audit events are kept; 0 keeps them forever [default: 400]
    #[arg(long, global = true, env = "CLAVIGER_AUDIT_DAYS", value_name = "DAYS")]
    audit_days: u16,

    /// Concurrent connections [default: 10000]
    #[arg(long, env = "CLAVIGER_MAX_CONNECTIONS", value_name = "N")]
    max_connections: u32,

    /// Time limit for a request's head, in seconds [default: 10]
    #[arg(long, env = "CLAVIGER_HEADER_TIMEOUT", value_name = "SECONDS")]
    header_timeout: u32,

    /// Time limit for a request's body, in seconds [default: 30]
    #[arg(long, env = "CLAVIGER_BODY_TIMEOUT", value_name = "SECONDS")]
    body_timeout: u32,

    /// Time limit for an idle connection, in seconds [default: 120]
    #[arg(long, env = "CLAVIGER_KEEP_ALIVE", value_name = "SECONDS")]
    keep_alive: u32,

    /// Time limit for a shutdown, in seconds [default: 9]
    #[arg(long, env = "CLAVIGER_SHUTDOWN", value_name = "SECONDS")]
    shutdown: u32,

    /// Format of log lines [default: human]
    #[arg(long, env = "CLAVIGER_LOG_FORMAT")]
    log_format: LogFormat,

    /// Log level: error, warn, info, debug, trace, or filters such as claviger=debug [default: info]
    #[arg(long, env = "CLAVIGER_LOG", value_name = "FILTER")]
    log: String,

    /// The customers' portal; only a settings file has it.
    #[arg(skip)]
    portal: PortalTable,
}

/// The settings file unless another is named.
pub(crate) const DEFAULT_FILE: &str = "claviger.toml";

impl Settings {
    /// The layer of a settings file. A named file must exist; `claviger.toml` may be missing.
    ///
    /// # Errors
    /// [`ConfigError::File`] when the file can't be read or parsed.
    pub fn from_file(named: Option<&Path>) -> Result<Self, ConfigError> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        let failed = |why: String| ConfigError::File { path: path.to_owned(), why };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        let text = without_byte_order_mark(&text);
        toml::from_str(text).map_err(|error| failed(located(text, &error)))
    }
}

/// The line, the setting and the reason. toml would quote the line, which may hold a password, so neither line nor
/// value is shown.
fn located(text: &str, error: &toml::de::Error) -> String {
    let why = without_values(error.message());
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let (line, begun) = (before.split('\n').count(), before.rsplit('\n').next().unwrap_or_default());
    match begun.split_once('=') {
        Some((setting, _)) if Settings::NAMES.contains(&setting.trim()) => {
            format!("line {line}: {}: {why}", setting.trim())
        }
        _ => format!("line {line}: {why}"),
    }
}
