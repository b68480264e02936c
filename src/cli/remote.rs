//! The server that a command talks to, and the credential.

mod arguments;
mod credential;
mod proxy;
mod server;

use hyper::StatusCode;
use hyper::header::ETAG;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::CliError;
use super::failure::{Failure, Refused, UsageError};
use super::output::{self, OutputError};
use crate::client::{Answer, Client, Request};
use crate::domain::names::OrganizationId;

pub(super) use arguments::{OrganizationArgs, RemoteArgs, ServerChoice};

/// A server with a client that is ready to send requests.
pub(super) struct Remote {
    client: Client,
    organization: Option<OrganizationId>,
    as_json: bool,
    /// The source of the server's URL.
    url_from: String,
    /// The sources of the URL and of the credential, as a sentence.
    sources: String,
}

/// The part of `GET /v1/self` with the caller's organization.
#[derive(Deserialize)]
struct OwnKey {
    organization: OrganizationId,
}

impl Remote {
    /// Sends a request. An error response becomes an error.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer, CliError> {
        let answer = self.client.send(request).await.map_err(|error| self.asking(error))?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.refused(answer).await) }
    }

    /// The error of an error response.
    pub(super) async fn refused(&self, answer: Answer) -> CliError {
        if answer.status == StatusCode::NOT_FOUND && self.names_the_api().await {
            let (url, named_by) = (self.client.base().clone(), self.url_from.clone());
            return UsageError::UrlOfApi { named_by, url }.into();
        }
        self.asking(Refused::from(answer))
    }

    /// Adds the sources of the URL and of the credential to an error.
    pub(super) fn asking(&self, error: impl Into<CliError>) -> CliError {
        error.into().asking(&self.sources)
    }

    /// Whether the URL wrongly includes the API's path `/v1`. A server's own path may end like that.
    async fn names_the_api(&self) -> bool {
        if !self.client.base().to_string().ends_with("/v1") {
            return false;
        }
        let keys = self.client.send(Request::get(&[".well-known", "jwks.json"]).anonymous()).await;
        keys.is_ok_and(|answer| !answer.status.is_success())
    }

    /// The organization of the command: the one named, otherwise the caller's own.
    pub(super) async fn organization(&self) -> Result<OrganizationId, CliError> {
        if let Some(named) = &self.organization {
            return Ok(named.clone());
        }
        let own: OwnKey = read(&self.ask(Request::get(&["v1", "self"])).await?)?;
        Ok(own.organization)
    }

    /// Prints a response: unchanged with `--json`, otherwise by `human`.
    pub(super) fn show<T: DeserializeOwned>(
        &self,
        answer: &Answer,
        human: impl FnOnce(T) -> Result<(), OutputError>,
    ) -> Result<(), CliError> {
        if self.as_json {
            output::json(&answer.body)?;
            return Ok(());
        }
        Ok(human(read(answer)?)?)
    }

    /// Sends a request and prints the response as [`Remote::show`] does.
    pub(super) async fn ask_and_show<T: DeserializeOwned>(
        &self,
        request: Request,
        human: impl FnOnce(T) -> Result<(), OutputError>,
    ) -> Result<(), CliError> {
        self.show(&self.ask(request).await?, human)
    }

    /// Prints a remark for people. With `--json` it prints nothing.
    pub(super) fn remark(&self, text: &str) -> Result<(), OutputError> {
        if self.as_json { Ok(()) } else { output::note(text) }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether to print responses unchanged.
    pub(super) fn as_json(&self) -> bool {
        self.as_json
    }
}

/// Parses a response.
pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, CliError> {
    Ok(serde_json::from_slice(&answer.body).map_err(Failure::NotUnderstood)?)
}

/// The response's ETag, for a later `--if-match`.
pub(super) fn etag(answer: &Answer) -> Option<&str> {
    answer.header(&ETAG)
}
