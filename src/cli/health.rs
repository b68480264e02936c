//! `claviger health`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::CliError;
use super::failure::Refused;
use super::output::say;
use super::server_args::ServerArgs;
use crate::client::{Request, RequestLimits, probe};
use crate::server::config::{Config, ConfigError, Origin};

/// The timeout. The server answers health checks from memory, so a working one is fast.
const WITHIN: Duration = Duration::from_secs(4);

/// Check whether the server on this machine responds
#[derive(Debug, Args)]
#[command(after_help = "\
The command takes the listener's address and whether it uses TLS from the server's settings, so give it the same file, variables
and flags. It sends GET /healthz, or with --ready GET /readyz, and waits for at most four seconds. It needs no API key, and does
not verify the certificate, which names the public host.")]
pub(super) struct HealthArgs {
    /// Check whether the server is ready for requests, too
    #[arg(long)]
    ready: bool,

    #[command(flatten)]
    server: ServerArgs,
}

impl HealthArgs {
    pub(super) fn server(&mut self) -> &mut ServerArgs {
        &mut self.server
    }

    pub(super) async fn run(self) -> Result<(), CliError> {
        let is_ready = self.ready;
        self.server.load()?.run(|config| check(config, is_ready)).await
    }
}

async fn check(config: Config, is_ready: bool) -> Result<(), CliError> {
    let address = reachable(config.listen)?;
    let (path, state) = if is_ready { ("readyz", "is ready") } else { ("healthz", "responds") };
    let limits = RequestLimits { connect: WITHIN, answer: WITHIN, body: 64 << 10 };
    let answer = probe(address, config.tls.is_some(), Request::get(&[path]), limits);
    let answer = answer.await.map_err(CliError::Health)?;
    if !answer.status.is_success() {
        return Err(Refused::from(answer).into());
    }
    Ok(say(&format!("The server on {address} {state}."))?)
}

/// The address at which this machine reaches its own listener.
pub(super) fn reachable(listen: SocketAddr) -> Result<SocketAddr, CliError> {
    if listen.port() == 0 {
        return Err(CliError::Config(ConfigError::Setting {
            setting: "CLAVIGER_LISTEN",
            origin: Origin::Variable,
            why: "with port 0, only the server knows its port".into(),
        }));
    }
    let ip = match listen.ip() {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, listen.port()))
}
