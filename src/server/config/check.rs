//! Turns [`Settings`] into a [`Config`]: checks each setting alone, then all together.

use std::fmt::Display;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::origin::SettingName;
use super::settings::{AssertionAudience, AssertionSingleUse};
use super::{Config, Origin, Settings, default_issuer, issuer_url, sign_in};
use crate::base::key_file::{self, Readers};
use crate::client::FetchSettings;
use crate::domain::address::{AddressPolicy, TrustedProxies};
use crate::domain::api_key::Brand;
use crate::domain::cidr::CidrError;
use crate::domain::gate_mapping::{GateMapping, MappingError};
use crate::jose::dpop::{ALGORITHMS, PublicUrl};
use crate::jose::foreign;
use crate::jose::jwk::Algorithm;
use crate::listener::{Limits, TlsSettings};
use crate::node::keyring::{RotationPolicy, SigningKeySource};
use crate::node::{AcceptedAudience, AssertionPolicy, DEFAULT_COST, HashCost, ProofRules, SignInSettings};

/// In seconds. It exceeds the 300 s for which a JWKS may be cached, with room for verifiers that cache it twice as
/// long.
const LEAST_LEAD: u32 = 600;
const MOST_AUDIENCES: usize = 8;
const DAY: i64 = 86_400;

/// An invalid setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The settings file can't be used.
    #[error("{path}: {why}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause, without values from the file.
        why: String,
    },
    /// An invalid setting.
    #[error("{}: {why}", SettingName(setting, origin))]
    Setting {
        /// The setting's name as a variable: `CLAVIGER_…`.
        setting: &'static str,
        /// The source of its value.
        origin: Origin,
        /// The reason.
        why: String,
    },
}

fn wrong(setting: &'static str, why: impl Display) -> ConfigError {
    ConfigError::Setting { setting, origin: Origin::Variable, why: why.to_string() }
}

impl TryFrom<Settings> for Config {
    type Error = ConfigError;

    fn try_from(settings: Settings) -> Result<Self, ConfigError> {
        let listen = settings.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let key_readers = key_readers(settings.key_file_group.as_deref())?;
        let tls = tls(settings.tls_cert, settings.tls_key, key_readers)?;
        let addresses =
            addresses(settings.trusted_proxies.unwrap_or_default(), settings.forwarded_header.as_deref())?;
        let is_guarded = tls.is_some() || !addresses.proxies.is_empty() || settings.allow_http == Some(true);
        may_listen(listen, is_guarded, settings.issuer.is_some())?;
        let issuer = settings.issuer.map(issuer).transpose()?;
        let own_url = issuer.clone().unwrap_or_else(|| default_issuer(listen, tls.is_some()));
        let audiences = settings.audiences.map(|list| audiences(list, &own_url)).transpose()?;
        let sign_in = sign_in::sign_in(settings.sign_in, key_readers, settings.issuer_http == Some(true))
            .map_err(|why| wrong("CLAVIGER_SIGN_IN", why))?;
        let console_keys =
            sign_in::console_keys(settings.console_sign_in_by_key.unwrap_or_default(), &sign_in)
                .map_err(|why| wrong("CLAVIGER_CONSOLE_SIGN_IN_BY_KEY", why))?;
        Ok(Self {
            listen,
            // This listener may serve plain HTTP anywhere: it takes no credential, and shows no secret.
            metrics_listen: settings.metrics_listen,
            database_url: settings.database_url.unwrap_or_else(|| "sqlite://claviger.db".into()),
            keys_dir: settings.keys_dir.unwrap_or_else(|| "keys".into()),
            key_readers,
            master_key_command: settings.master_key_command,
            bootstrap: settings.bootstrap.unwrap_or_default(),
            tls,
            limits: Limits {
                connections: positive("CLAVIGER_MAX_CONNECTIONS", settings.max_connections, 10_000)?,
                header_timeout: seconds("CLAVIGER_HEADER_TIMEOUT", settings.header_timeout, 10)?,
                body_timeout: seconds("CLAVIGER_BODY_TIMEOUT", settings.body_timeout, 30)?,
                keep_alive: seconds("CLAVIGER_KEEP_ALIVE", settings.keep_alive, 120)?,
                drain_deadline: seconds("CLAVIGER_SHUTDOWN", settings.shutdown, 9)?,
                ..Limits::default()
            },
            flush_every: seconds("CLAVIGER_USAGE_FLUSH", settings.usage_flush, 10)?,
            issuer,
            audiences,
            brand: parsed::<Brand>("CLAVIGER_BRAND", settings.brand.as_deref())?.unwrap_or_default(),
            addresses,
            rotation: RotationPolicy {
                source: signing_source(
                    settings.signing_algorithm.as_deref(),
                    settings.signing_key_file.as_deref(),
                    key_readers,
                )?,
                ..rotation(settings.signing_key_days, settings.signing_key_lead)?
            },
            hash_cost: hash_cost(settings.argon2_memory, settings.argon2_passes, settings.argon2_lanes)?,
            hash_turns: hash_turns(settings.argon2_at_once)?,
            key_capacity: positive("CLAVIGER_CACHED_KEYS", settings.cached_keys, 200_000)?.get().into(),
            assertions: AssertionPolicy {
                algorithms: assertion_algorithms(settings.assertion_algorithms)?,
                audience: match settings.assertion_audience.unwrap_or_default() {
                    AssertionAudience::Issuer => AcceptedAudience::Issuer,
                    AssertionAudience::IssuerAsString => AcceptedAudience::IssuerAsString,
                    AssertionAudience::TokenEndpointToo => AcceptedAudience::TokenEndpointToo,
                },
                shares_used_ids: settings.assertion_single_use == Some(AssertionSingleUse::Store),
            },
            issuers: issuers(
                settings.issuer_networks.unwrap_or_default(),
                settings.issuer_proxy.as_deref(),
                settings.issuer_http == Some(true),
            )?,
            sign_in: SignInSettings { console_keys, ..sign_in },
            gate: gate(settings.gate_actions.as_deref(), settings.gate_prefix.as_deref())?
                .with_preflights(settings.gate_preflights == Some(true)),
            proofs: ProofRules {
                algorithms: proof_algorithms(settings.dpop_algorithms.as_deref())?,
                needs_nonce: settings.dpop_nonces == Some(true),
                required: settings.dpop_required == Some(true),
                gate_origin: gate_origin(settings.gate_origin.as_deref())?,
            },
            portal: settings.portal.unwrap_or_default().read()?,
            events_kept_seconds: events_kept_seconds(settings.audit_days.unwrap_or(400)),
        })
    }
}

fn parsed<T: FromStr>(setting: &'static str, text: Option<&str>) -> Result<Option<T>, ConfigError>
where
    T::Err: Display,
{
    text.map(|text| text.parse().map_err(|error| wrong(setting, error))).transpose()
}

fn positive(setting: &'static str, given: Option<u32>, default: u32) -> Result<NonZeroU32, ConfigError> {
    NonZeroU32::new(given.unwrap_or(default)).ok_or_else(|| wrong(setting, "must be more than 0"))
}

fn seconds(setting: &'static str, given: Option<u32>, default: u32) -> Result<Duration, ConfigError> {
    Ok(Duration::from_secs(positive(setting, given, default)?.get().into()))
}

fn events_kept_seconds(days: u16) -> Option<i64> {
    (days > 0).then(|| i64::from(days) * DAY)
}

/// Limits the cost to what a machine can afford. Beyond, the first hash would exhaust memory or never finish.
fn hash_cost(memory: Option<u32>, passes: Option<u32>, lanes: Option<u32>) -> Result<HashCost, ConfigError> {
    let at_most = |setting, given: u32, most: u32| match given {
        1.. if given <= most => Ok(given),
        _ => Err(wrong(setting, format!("must be 1 to {most}"))),
    };
    let passes = at_most("CLAVIGER_ARGON2_PASSES", passes.unwrap_or(DEFAULT_COST.1), 100)?;
    let lanes = at_most("CLAVIGER_ARGON2_LANES", lanes.unwrap_or(DEFAULT_COST.2), 64)?;
    // argon2id takes at least 8 KiB per lane.
    let memory = memory.unwrap_or(DEFAULT_COST.0 * lanes);
    let memory = at_most("CLAVIGER_ARGON2_MEMORY", memory, 1024 * 1024)?;
    HashCost::new(memory, passes, lanes).map_err(|error| wrong("CLAVIGER_ARGON2_MEMORY", error))
}

fn hash_turns(given: Option<u16>) -> Result<usize, ConfigError> {
    match given {
        Some(0) => Err(wrong("CLAVIGER_ARGON2_AT_ONCE", "must be more than 0")),
        Some(turns) => Ok(turns.into()),
        // One processor stays free for clients whose secrets are already verified.
        None => {
            Ok(std::thread::available_parallelism().map_or(1, |processors| (processors.get() - 1).max(1)))
        }
    }
}

fn gate(actions: Option<&[String]>, prefix: Option<&str>) -> Result<GateMapping, ConfigError> {
    GateMapping::new(actions, prefix).map_err(|error| match error {
        MappingError::Action(_) => wrong("CLAVIGER_GATE_ACTIONS", error),
        MappingError::Prefix(_) => wrong("CLAVIGER_GATE_PREFIX", error),
    })
}

fn gate_origin(text: Option<&str>) -> Result<Option<PublicUrl>, ConfigError> {
    let setting = "CLAVIGER_GATE_ORIGIN";
    let url = parsed::<PublicUrl>(setting, text)?;
    match url.as_ref().is_none_or(PublicUrl::is_origin) {
        true => Ok(url),
        // The gateway names the whole path of the original request.
        false => Err(wrong(setting, "must have no path")),
    }
}

fn proof_algorithms(names: Option<&[String]>) -> Result<Vec<foreign::Algorithm>, ConfigError> {
    let setting = "CLAVIGER_DPOP_ALGORITHMS";
    let Some(names) = names else { return Ok(ALGORITHMS.to_vec()) };
    let known = |name: &String| {
        let algorithm = name.parse().ok().filter(|algorithm| ALGORITHMS.contains(algorithm));
        algorithm.ok_or_else(|| wrong(setting, "must be some of ES256, ES384, EdDSA, PS256 and RS256"))
    };
    if names.is_empty() {
        return Err(wrong(setting, "must name an algorithm"));
    }
    names.iter().map(known).collect()
}

fn key_readers(group: Option<&str>) -> Result<Readers, ConfigError> {
    let readers = group.map(Readers::with_group).transpose();
    Ok(readers.map_err(|error| wrong("CLAVIGER_KEY_FILE_GROUP", error))?.unwrap_or_default())
}

fn tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    key_readers: Readers,
) -> Result<Option<TlsSettings>, ConfigError> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(TlsSettings { key_readers, ..TlsSettings::new(certificate, key) }))
        }
        (Some(_), None) => Err(wrong("CLAVIGER_TLS_KEY", "is missing beside CLAVIGER_TLS_CERT")),
        (None, Some(_)) => Err(wrong("CLAVIGER_TLS_CERT", "is missing beside CLAVIGER_TLS_KEY")),
    }
}

fn addresses(proxies: Vec<String>, header: Option<&str>) -> Result<AddressPolicy, ConfigError> {
    let proxies: TrustedProxies =
        proxies.join(",").parse().map_err(|error| wrong("CLAVIGER_TRUSTED_PROXIES", error))?;
    if header.is_some() && proxies.is_empty() {
        return Err(wrong(
            "CLAVIGER_FORWARDED_HEADER",
            "is read from trusted proxies only, and there are none",
        ));
    }
    let header = parsed("CLAVIGER_FORWARDED_HEADER", header)?.unwrap_or_default();
    Ok(AddressPolicy { proxies, header })
}

/// Beyond loopback, keys would cross the network in plain text unless TLS or a proxy protects them.
fn may_listen(listen: SocketAddr, is_guarded: bool, has_issuer: bool) -> Result<(), ConfigError> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    if !is_guarded {
        return Err(wrong(
            "CLAVIGER_LISTEN",
            "beyond loopback this needs CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY, CLAVIGER_TRUSTED_PROXIES, \
             or CLAVIGER_ALLOW_HTTP=1",
        ));
    }
    if !has_issuer {
        return Err(wrong("CLAVIGER_ISSUER", "must be given for a listener beyond loopback"));
    }
    Ok(())
}

fn issuer(text: String) -> Result<String, ConfigError> {
    issuer_url::check(&text).map_err(|why| wrong("CLAVIGER_ISSUER", why))?;
    Ok(text)
}

fn audiences(list: Vec<String>, issuer: &str) -> Result<Vec<String>, ConfigError> {
    let invalid = |why: String| wrong("CLAVIGER_AUDIENCES", why);
    if list.is_empty() || list.len() > MOST_AUDIENCES {
        return Err(invalid(format!("must be 1 to {MOST_AUDIENCES}")));
    }
    for (at, audience) in list.iter().enumerate() {
        if !is_absolute_uri(audience) {
            return Err(invalid(format!("{audience} is not an absolute URI without fragment")));
        }
        if issuer == audience {
            return Err(invalid(format!(
                "{audience} is the issuer, which is reserved for the management API"
            )));
        }
        if list[..at].contains(audience) {
            return Err(invalid(format!("{audience} appears twice")));
        }
    }
    Ok(list)
}

/// The parts of RFC 3986 §4.3 that matter here: a scheme, something after it, and only visible ASCII.
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
        && !rest.is_empty()
        && text.len() <= 512
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte))
}

fn assertion_algorithms(names: Option<Vec<String>>) -> Result<Vec<foreign::Algorithm>, ConfigError> {
    const KNOWN: [foreign::Algorithm; 5] = foreign::Algorithm::OF_CLIENTS;
    let Some(names) = names else { return Ok(KNOWN.to_vec()) };
    let invalid = |why: String| wrong("CLAVIGER_ASSERTION_ALGORITHMS", why);
    let known = || KNOWN.map(foreign::Algorithm::as_str).join(", ");
    let mut accepted = Vec::new();
    for name in &names {
        let algorithm = name.parse().ok().filter(|algorithm| KNOWN.contains(algorithm));
        let algorithm = algorithm.ok_or_else(|| invalid(format!("{name} is none of {}", known())))?;
        if accepted.contains(&algorithm) {
            return Err(invalid(format!("{algorithm} appears twice")));
        }
        accepted.push(algorithm);
    }
    if accepted.is_empty() { Err(invalid(format!("must be some of {}", known()))) } else { Ok(accepted) }
}

fn issuers(
    networks: Vec<String>,
    proxy: Option<&str>,
    allows_http: bool,
) -> Result<FetchSettings, ConfigError> {
    let networks =
        networks.join(",").parse().map_err(|error: CidrError| wrong("CLAVIGER_ISSUER_NETWORKS", error))?;
    let settings = FetchSettings { networks, allows_http, ..FetchSettings::default() };
    match proxy.filter(|url| !url.is_empty()) {
        Some(url) => settings.through_proxy(url).map_err(|error| wrong("CLAVIGER_ISSUER_PROXY", error)),
        None => Ok(settings),
    }
}

fn rotation(days: Option<u16>, lead: Option<u32>) -> Result<RotationPolicy, ConfigError> {
    let every = i64::from(days.unwrap_or(90)) * DAY;
    let lead = lead.unwrap_or(7_200);
    if lead < LEAST_LEAD {
        return Err(wrong(
            "CLAVIGER_SIGNING_KEY_LEAD",
            format!("must be at least {LEAST_LEAD}: verifiers cache keys"),
        ));
    }
    if every < 2 * i64::from(lead) {
        return Err(wrong("CLAVIGER_SIGNING_KEY_DAYS", "must be at least twice CLAVIGER_SIGNING_KEY_LEAD"));
    }
    Ok(RotationPolicy { every, lead: lead.into(), source: SigningKeySource::Unset })
}

fn signing_source(
    algorithm: Option<&str>,
    file: Option<&Path>,
    readers: Readers,
) -> Result<SigningKeySource, ConfigError> {
    const ALGORITHM: &str = "CLAVIGER_SIGNING_ALGORITHM";
    let algorithm = parsed::<Algorithm>(ALGORITHM, algorithm)?;
    let Some(path) = file else {
        return match algorithm {
            Some(Algorithm::Rs256) => {
                Err(wrong(ALGORITHM, "RS256 keys are not made here: set CLAVIGER_SIGNING_KEY_FILE"))
            }
            algorithm => Ok(algorithm.map_or(SigningKeySource::Unset, SigningKeySource::Generate)),
        };
    };
    let setting = "CLAVIGER_SIGNING_KEY_FILE";
    let pem = key_file::read_shared(path, readers).map_err(|error| wrong(setting, error))?;
    let (key, _) = crate::jose::pem::import(&pem)
        .map_err(|error| wrong(setting, format!("{}: {error}", path.display())))?;
    if algorithm.is_some_and(|algorithm| algorithm != key.algorithm()) {
        return Err(wrong(ALGORITHM, format!("the key in {} is for {}", path.display(), key.algorithm())));
    }
    Ok(SigningKeySource::Pem(Zeroizing::new(pem.to_string())))
}
