//! The server that a command asks, and as whom.

mod arguments;
mod credential;
mod proxy;
mod server;

use hyper::StatusCode;
use hyper::header::ETAG;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::CliError;
use super::failure::Refused;
use super::output::{self, OutputError};
use crate::client::{Answer, Client, Request};
use crate::domain::names::OrganizationId;

pub(super) use arguments::{OrganizationArgs, RemoteArgs, ServerChoice};

/// A server, ready to be asked.
pub(super) struct Remote {
    client: Client,
    organization: Option<OrganizationId>,
    as_json: bool,
    /// What names the server's URL.
    url_from: String,
    /// Where server and credential come from, as a sentence.
    sources: String,
}

/// As much of `GET /v1/self` as tells whose the caller is.
#[derive(Deserialize)]
struct Own {
    organization: OrganizationId,
}

impl Remote {
    /// Sends a request; an answer that says no is an error.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer, CliError> {
        let answer = self.client.send(request).await.map_err(|error| self.asking(error))?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.refused(answer).await) }
    }

    /// The error of an answer that says no.
    pub(super) async fn refused(&self, answer: Answer) -> CliError {
        if answer.status == StatusCode::NOT_FOUND && self.names_the_api().await {
            let (url, named_by) = (self.client.base(), &self.url_from);
            return CliError::Usage(format!(
                "{named_by} is {url}, which is the API and not the server: leave /v1 out"
            ));
        }
        self.asking(Refused::from(answer))
    }

    /// The error, with where server and credential come from.
    pub(super) fn asking(&self, error: impl Into<CliError>) -> CliError {
        error.into().asking(&self.sources)
    }

    /// Whether the URL is the one of the API, below the server's own. A server may be under such a path itself.
    async fn names_the_api(&self) -> bool {
        if !self.client.base().to_string().ends_with("/v1") {
            return false;
        }
        let keys = self.client.send(Request::get(&[".well-known", "jwks.json"]).anonymous()).await;
        keys.is_ok_and(|answer| !answer.status.is_success())
    }

    /// The organization that the command is about: the one named, else the caller's own.
    pub(super) async fn organization(&self) -> Result<OrganizationId, CliError> {
        if let Some(named) = &self.organization {
            return Ok(named.clone());
        }
        let own: Own = read(&self.ask(Request::get(&["v1", "self"])).await?)?;
        Ok(own.organization)
    }

    /// Prints an answer: as it is for those who asked for JSON, as `human` does it for others.
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

    /// Sends a request and prints the answer, see [`Remote::show`].
    pub(super) async fn ask_and_show<T: DeserializeOwned>(
        &self,
        request: Request,
        human: impl FnOnce(T) -> Result<(), OutputError>,
    ) -> Result<(), CliError> {
        self.show(&self.ask(request).await?, human)
    }

    /// Says what came of it to whoever watches; those who asked for JSON need no telling.
    pub(super) fn remark(&self, text: &str) -> Result<(), OutputError> {
        if self.as_json { Ok(()) } else { output::note(text) }
    }

    /// The server's client.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether answers are to be printed as they come.
    pub(super) fn as_json(&self) -> bool {
        self.as_json
    }
}

/// What an answer says.
pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, CliError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        CliError::Failed(format!(
            "the server's answer is not understood ({error}): is it of another version?"
        ))
    })
}

/// The answer's ETag, for a later `--if-match`.
pub(super) fn etag(answer: &Answer) -> Option<&str> {
    answer.header(&ETAG)
}
