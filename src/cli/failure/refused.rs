//! Error responses of a server.

use hyper::StatusCode;
use hyper::header::{LOCATION, RETRY_AFTER};
use serde::Deserialize;

use super::Exit;
use crate::cli::output::plain;
use crate::client::Answer;

/// A parsed error response.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.message())]
pub(in crate::cli) struct Refused {
    answer: Answer,
    said: ErrorBody,
    /// What to do about it, if the command knows better than [`Refused::advice`].
    better: Option<&'static str>,
}

/// The contents of the body.
#[derive(Debug)]
enum ErrorBody {
    /// JSON of the management API.
    Api { code: String, message: String, request_id: String },
    /// OAuth JSON (RFC 6749 §5.2).
    OAuth { code: String, description: String },
    /// Anything else. It does not come from a Claviger server.
    Foreign,
}

#[derive(Deserialize)]
struct ApiBody {
    error: ApiMembers,
}

#[derive(Deserialize)]
struct ApiMembers {
    code: String,
    message: String,
    request_id: String,
}

#[derive(Deserialize)]
struct OAuthBody {
    error: String,
    error_description: String,
}

impl From<Answer> for Refused {
    fn from(answer: Answer) -> Self {
        let said = ErrorBody::read(&answer.body);
        Self { answer, said, better: None }
    }
}

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        if let Ok(ApiBody { error: ApiMembers { code, message, request_id } }) = serde_json::from_slice(body)
        {
            return Self::Api { code, message, request_id };
        }
        match serde_json::from_slice(body) {
            Ok(OAuthBody { error, error_description }) => {
                Self::OAuth { code: error, description: error_description }
            }
            Err(_) => Self::Foreign,
        }
    }
}

impl Refused {
    pub(super) fn exit(&self) -> Exit {
        match (&self.said, self.answer.status) {
            (ErrorBody::Foreign, _) => Exit::Unavailable,
            (ErrorBody::OAuth { code, .. }, _)
                if matches!(code.as_str(), "invalid_scope" | "unauthorized_client") =>
            {
                Exit::Denied
            }
            (_, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Exit::Denied,
            (_, StatusCode::NOT_FOUND) => Exit::NotFound,
            (_, StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED) => Exit::Conflict,
            (_, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => Exit::Unavailable,
            (_, status) if status.is_client_error() => Exit::Usage,
            _ => Exit::Unavailable,
        }
    }

    /// Whether the body is a Claviger server's JSON.
    pub(super) fn is_json(&self) -> bool {
        !matches!(self.said, ErrorBody::Foreign)
    }

    pub(super) fn body(&self) -> String {
        String::from_utf8_lossy(&self.answer.body).into_owned()
    }

    fn message(&self) -> String {
        match &self.said {
            ErrorBody::Api { code, message, request_id } => {
                plain(&format!("{message} ({code}, request {request_id})"))
            }
            ErrorBody::OAuth { code, description } => plain(&format!("{description} ({code})")),
            ErrorBody::Foreign => {
                format!(
                    "the response has status {} and does not come from a Claviger server",
                    self.answer.status
                )
            }
        }
    }

    /// The same with another advice.
    pub(super) fn advised(self, advice: &'static str) -> Self {
        Self { better: Some(advice), ..self }
    }

    pub(super) fn advice(&self) -> Option<String> {
        if let Some(better) = self.better {
            return Some(better.into());
        }
        if let Some(elsewhere) = self.answer.header(&LOCATION).filter(|_| !self.is_json()) {
            return Some(plain(&format!(
                "It redirects to {elsewhere}. Redirects are not followed; use that URL if it is the server's."
            )));
        }
        let advice = match self.code() {
            None => "Check that this is the server's URL, including its path.",
            Some("dpop_required") => {
                "The command line sends no proofs. Use another key, or have this one changed: `claviger keys update --dpop \
                 optional`."
            }
            Some("invalid_dpop_proof") if self.message().contains("requires a DPoP proof") => {
                "The command line sends no proofs. Get the token with an OAuth library that supports DPoP."
            }
            Some("key_disabled") => "Ask an administrator to enable it: `claviger keys enable`.",
            Some(
                "unauthenticated" | "invalid_client" | "key_revoked" | "key_expired" | "token_expired"
                | "token_revoked",
            ) => {
                "Check which key is used: CLAVIGER_API_KEY, --api-key-file, or the profile's (`claviger profiles list`)."
            }
            Some("forbidden") => {
                "`claviger self` shows what this key can do. Use another key, or have scopes added to this one."
            }
            Some("address_not_allowed") => {
                "Call from an allowed address, or ask the key's administrator to allow this one."
            }
            Some("not_found") => {
                "Search with `list` (`claviger keys list --status all`), or try another --org."
            }
            Some("precondition_failed") => "Read it again, and repeat the command with its current ETag.",
            Some("invalid_scope") => {
                "`claviger self` shows the key's scopes. --resource sets the audience of the token."
            }
            Some("invalid_target") => "Use an audience that the organization and the project allow.",
            Some("conflict") if self.message().contains("force=true") => {
                "On the command line, this is --force."
            }
            Some("conflict") if self.message().contains("prune_all=true") => {
                "Check that the file is complete. To revoke these keys, add --prune-all."
            }
            Some("internal") => "The server's log has the details under this request id.",
            Some(_) => return self.wait(),
        };
        Some(advice.into())
    }

    fn code(&self) -> Option<&str> {
        match &self.said {
            ErrorBody::Api { code, .. } | ErrorBody::OAuth { code, .. } => Some(code),
            ErrorBody::Foreign => None,
        }
    }

    fn wait(&self) -> Option<String> {
        let seconds: u32 = self.answer.header(&RETRY_AFTER)?.parse().ok()?;
        Some(format!("Try again in {seconds} s."))
    }
}
