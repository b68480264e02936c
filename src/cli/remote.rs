//! The server that a command asks, and as whom.

mod arguments;
mod credential;
mod server;

use hyper::header::ETAG;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::CliError;
use super::failure::Refused;
use super::output;
use crate::client::{Answer, Client, Request};
use crate::names::OrganizationId;

pub(super) use arguments::{OrganizationArgs, RemoteArgs, ServerChoice};

/// A server, ready to be asked.
pub(super) struct Remote {
    client: Client,
    organization: Option<OrganizationId>,
    as_json: bool,
}

/// As much of `GET /v1/self` as tells whose the caller is.
#[derive(Deserialize)]
struct Own {
    organization: OrganizationId,
}

impl Remote {
    /// Sends a request; an answer that says no is an error.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer, CliError> {
        let answer = self.client.send(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(Refused::from(answer).into()) }
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
        human: impl FnOnce(T),
    ) -> Result<(), CliError> {
        if self.as_json {
            output::json(&answer.body);
            return Ok(());
        }
        human(read(answer)?);
        Ok(())
    }

    /// Sends a request and prints the answer, see [`Remote::show`].
    pub(super) async fn ask_and_show<T: DeserializeOwned>(
        &self,
        request: Request,
        human: impl FnOnce(T),
    ) -> Result<(), CliError> {
        self.show(&self.ask(request).await?, human)
    }

    /// Says what came of it to whoever watches; those who asked for JSON need no telling.
    pub(super) fn remark(&self, text: &str) {
        if !self.as_json {
            output::note(text);
        }
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
