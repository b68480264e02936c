//! Error pages.

use askama::Template;

use super::page::refused;
use super::shell::Shell;
use crate::http::failure::Failure;
use crate::http::request_id::RequestId;
use crate::use_cases::management::ApiError;

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem {
    shell: Shell,
    title: &'static str,
    message: String,
    scope: Option<String>,
    request_id: String,
}

/// The page of an error.
pub(super) fn page(shell: Shell, error: ApiError, id: Option<RequestId>) -> Failure {
    let problem = Problem {
        shell,
        title: title(&error),
        message: message(&error),
        scope: match &error {
            ApiError::Forbidden(reason) => reason.scope().map(str::to_owned),
            _ => None,
        },
        request_id: id.map(|id| id.to_string()).unwrap_or_default(),
    };
    refused(&problem, error)
}

/// The page's text. API clients get the protocol's terms instead, which do not help a person at a browser.
fn message(error: &ApiError) -> String {
    match error {
        ApiError::NotFound => "This page does not exist, or your key cannot see it.".into(),
        ApiError::MethodNotAllowed => "This address does not accept this kind of request.".into(),
        ApiError::PreconditionFailed | ApiError::WeakPrecondition => {
            "The key changed after you opened this page. Go back, reload the page and try again.".into()
        }
        error => sentence(&error.message()),
    }
}

/// Turns a message into a sentence: with a capital letter and a full stop.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let end = if message.ends_with(['.', '?', '!']) { "" } else { "." };
    first.into_iter().chain(letters).chain(end.chars()).collect()
}

fn title(error: &ApiError) -> &'static str {
    match error {
        ApiError::InvalidRequest(_)
        | ApiError::TooSlow
        | ApiError::TooLarge
        | ApiError::UnsupportedMediaType
        | ApiError::ContentEncoding => "Invalid request",
        ApiError::Unauthenticated { .. }
        | ApiError::OtherAudience
        | ApiError::KeyRevoked
        | ApiError::KeyExpired
        | ApiError::KeyDisabled
        | ApiError::ProofRequired
        | ApiError::TokenExpired
        | ApiError::TokenRevoked
        | ApiError::TokenBinding(_)
        | ApiError::InvalidProof(_) => "You are not signed in",
        ApiError::Forbidden(_) => "Permission denied",
        ApiError::AddressNotAllowed(_) => "Address not allowed",
        ApiError::NotFound | ApiError::MethodNotAllowed => "Page not found",
        ApiError::Conflict(_) => "Conflict",
        ApiError::PreconditionFailed | ApiError::WeakPrecondition => "Changed by someone else",
        ApiError::TooManyConcurrent | ApiError::TooManyProofs => "Too many concurrent requests",
        ApiError::RateLimited(_) => "Too many attempts",
        ApiError::Internal(_) => "Internal server error",
        ApiError::Unavailable(_) | ApiError::NotReady(_) => "Service unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_gets_a_capital_and_a_full_stop() {
        assert_eq!(sentence("the key is revoked"), "The key is revoked.");
        assert_eq!(sentence("Try again?"), "Try again?");
        assert_eq!(sentence(""), ".");
    }
}
