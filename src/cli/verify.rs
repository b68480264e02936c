//! `claviger verify`: shows a token's contents, whether it is valid, and which rule it breaks.

mod contents;
mod report;
mod rule;

use std::io::Read as _;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use self::contents::Contents;
use self::report::{Checked, Report};
use super::CliError;
use super::failure::{Failure, UsageError};
use super::remote::{Remote, ServerChoice, read};
use crate::base::clock::{Clock, Timestamp};
use crate::client::Request;
use crate::domain::api_key::looks_like_key;
use crate::domain::cidr::Cidrs;
use crate::jose::claims::{Audience, Claims, Leeway, Presentation, Rules, TokenFault, verify_access_token};
use crate::jose::jwk::{Jwks, VerifyingKey};
use crate::jose::jws::UnverifiedJws;
use crate::jose::revocation_feed::{Document, FeedFault, verify_document};

/// Decode an access token, and verify it offline against the server's key set
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger token | claviger verify -
  claviger verify - --audience https://api.example.com --address 203.0.113.7 < token.txt
  claviger verify - --jwks jwks.json --issuer https://auth.example.com < token.txt    # without any server

The command checks the token against RFC 9068 §4, the issuer's own rules and its revocation feed. It shows the contents in any
case, even of a forged token.

The exit code is 0 if the token is valid, and 7 if it is not.")]
pub(super) struct VerifyArgs {
    /// The token, or - for standard input, which other users of the machine cannot see
    token: String,

    /// Expected audience; repeatable [default: any]
    #[arg(long = "audience", value_name = "URI")]
    audiences: Vec<String>,

    /// Caller's address, to check the token's network ranges
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,

    /// Expected issuer [default: from the server's metadata]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,

    /// File with the key set [default: fetched from the server]
    #[arg(long, value_name = "FILE", requires = "issuer")]
    jwks: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerChoice,
}

/// The required part of the metadata (RFC 8414 §2).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
}

/// The result of the verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Holds,
    Breaks(TokenFault),
    /// Valid, but not from the caller's address.
    Elsewhere,
    /// Revoked, according to the issuer's revocation feed.
    Revoked,
}

/// The issuer that a token is verified against.
struct Issuer {
    name: String,
    keys: Vec<VerifyingKey>,
    /// The issuer's revocations. `None` without a server.
    revocations: Option<Document>,
}

impl VerifyArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let token = self.token()?;
        if looks_like_key(&token) {
            return Err(UsageError::KeyAsToken.into());
        }
        let issuer = self.issuer().await?;
        let now = Clock::system().now();
        let verdict = self.judge(&token, &issuer, now);
        let checked = Checked {
            issuer: &issuer.name,
            audiences: &self.audiences,
            address: self.address,
            revocations: issuer.revocations.is_some(),
        };
        let report = Report { contents: Contents::of(&token), verdict, checked, now };
        report.print(self.json)?;
        match verdict {
            Verdict::Holds => Ok(()),
            _ => Err(CliError::Invalid),
        }
    }

    fn token(&self) -> Result<String, UsageError> {
        if self.token != "-" {
            return Ok(self.token.clone());
        }
        let mut text = String::new();
        // Reads beyond the maximum length, so that a longer token is detected.
        let most = UnverifiedJws::MAX_LENGTH as u64 + 2;
        let read = std::io::stdin().lock().take(most).read_to_string(&mut text);
        read.map_err(|error| UsageError::input("standard input", error))?;
        Ok(text.trim_ascii().to_owned())
    }

    async fn issuer(&self) -> Result<Issuer, CliError> {
        if let (Some(issuer), Some(path)) = (&self.issuer, &self.jwks) {
            let text = std::fs::read(path).map_err(|error| UsageError::input(path.display(), error))?;
            let parsed = Jwks::parse(&text).map_err(|fault| UsageError::input(path.display(), fault))?;
            return Ok(Issuer { name: issuer.clone(), keys: verifying(parsed.usable), revocations: None });
        }
        let remote = self.server.connect()?;
        let name = match &self.issuer {
            Some(issuer) => issuer.clone(),
            None => issuer_of(&remote).await?,
        };
        let jwks = remote.ask(Request::get(&[".well-known", "jwks.json"])).await?;
        let parsed = Jwks::parse(&jwks.body).map_err(Failure::KeySet)?;
        let keys = verifying(parsed.usable);
        let revocations = revocations(&remote, &name, &keys).await?;
        Ok(Issuer { name, keys, revocations })
    }

    fn judge(&self, token: &str, issuer: &Issuer, now: Timestamp) -> Verdict {
        let audiences: Vec<&str> = self.audiences.iter().map(String::as_str).collect();
        let audience = if audiences.is_empty() { Audience::Any } else { Audience::OneOf(&audiences) };
        let rules = Rules {
            issuer: &issuer.name,
            audience,
            presentation: Presentation::Shown,
            now,
            leeway: Leeway::NONE,
        };
        let mut signed_by = "";
        let key_for = |kid: &str| {
            let key = issuer.keys.iter().find(|key| key.kid() == kid)?;
            signed_by = key.kid();
            Some(key)
        };
        match verify_access_token(token, key_for, &rules) {
            Err(fault) => Verdict::Breaks(fault),
            Ok(claims) if issuer.has_revoked(&claims, signed_by) => Verdict::Revoked,
            Ok(claims) if self.is_elsewhere(&claims) => Verdict::Elsewhere,
            Ok(_) => Verdict::Holds,
        }
    }

    /// Whether the caller's address is outside of the token's ranges. Unreadable ranges match no address.
    fn is_elsewhere(&self, claims: &Claims) -> bool {
        let ranges = Cidrs::parse(claims.cidrs.iter().map(String::as_str));
        self.address
            .is_some_and(|address| !ranges.is_ok_and(|ranges| ranges.admits(Some(address.to_canonical()))))
    }
}

impl Issuer {
    fn has_revoked(&self, claims: &Claims, kid: &str) -> bool {
        self.revocations.as_ref().is_some_and(|revocations| revocations.revokes(claims, kid))
    }
}

fn verifying(keys: Jwks) -> Vec<VerifyingKey> {
    keys.keys.into_iter().map(VerifyingKey::from).collect()
}

/// The server's revocations. `None` if the server has another issuer.
async fn revocations(
    remote: &Remote,
    issuer: &str,
    keys: &[VerifyingKey],
) -> Result<Option<Document>, CliError> {
    let feed = remote.ask(Request::get(&["oauth", "revocations"])).await?;
    let text = String::from_utf8_lossy(&feed.body);
    let verified = verify_document(&text, |kid| keys.iter().find(|key| key.kid() == kid), issuer);
    match verified {
        Ok((document, _)) => Ok(Some(document)),
        Err(FeedFault::Issuer) => Ok(None),
        Err(fault) => Err(Failure::Feed(fault).into()),
    }
}

async fn issuer_of(remote: &Remote) -> Result<String, CliError> {
    let request = Request::get(&[".well-known", "oauth-authorization-server"]);
    let metadata: Metadata = read(&remote.ask(request).await?)?;
    Ok(metadata.issuer)
}
