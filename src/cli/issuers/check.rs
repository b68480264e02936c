//! `claviger issuers check`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::path;
use crate::cli::CliError;
use crate::cli::body::Body;
use crate::cli::failure::UsageError;
use crate::cli::key_argument::KeyArgument;
use crate::cli::output::{OutputError, Sheet, Stream, Tone};
use crate::cli::remote::Remote;
use crate::client::Request;
use crate::domain::names::{OrganizationId, TrustedIssuerId};

/// The most bytes of a token that are read.
const MOST: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Id
    issuer: TrustedIssuerId,

    /// File with a token of the issuer; - reads standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Key whose trust rules are tried on the token
    #[arg(long, requires = "token_file")]
    key: Option<KeyArgument>,
}

#[derive(Deserialize)]
struct Check {
    keys: Keys,
    token: Option<Outcome>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Keys {
    usable: usize,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Outcome {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
    reason: Option<String>,
}

impl CheckArgs {
    pub(super) async fn run(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let token = self.token_file.as_deref().map(token).transpose()?;
        let body = Body::new().with("token", token).with("key", self.key.map(|key| key.to_string()));
        let path = [&path(org, &self.issuer)[..], &["check"]].concat();
        let request = Request::post(&path).json(&body).map_err(CliError::failed)?;
        remote.ask_and_show(request, Check::print).await
    }
}

fn token(path: &Path) -> Result<String, UsageError> {
    let mut text = String::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().lock().take(MOST).read_to_string(&mut text),
        _ => std::fs::File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text)),
    };
    read.map_err(|error| UsageError::input(path.display(), error))?;
    Ok(text.trim().to_owned())
}

impl Check {
    fn print(self) -> Result<(), OutputError> {
        let keys = match &self.keys.reason {
            None => (format!("{} usable", self.keys.usable), Tone::Good),
            Some(reason) => (reason.clone(), Tone::Bad),
        };
        let mut sheet = Sheet::new().toned("Keys", keys.0, keys.1);
        if let Some(token) = &self.token {
            let (words, tone) = in_words("good", token.reason.as_deref());
            sheet = sheet.toned("Token", words, tone);
        }
        for rule in &self.rules {
            let (words, tone) = in_words("matches", rule.reason.as_deref());
            sheet = sheet.toned("Rule", format!("{}: {words}", rule.id), tone);
        }
        sheet.print(Stream::Out)
    }
}

fn in_words(good: &str, reason: Option<&str>) -> (String, Tone) {
    match reason {
        None => (good.to_owned(), Tone::Good),
        Some(reason) => (reason.to_owned(), Tone::Bad),
    }
}
