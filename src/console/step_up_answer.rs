//! Takes the answer of a provider about a member who was asked to sign in again.

use std::sync::Arc;

use axum::http::request::Parts;

use super::session::{self, SessionId, Visit};
use crate::domain::address::Origin;
use crate::jose::foreign::LEEWAY;
use crate::node::{Again, Attempt, Node, Person, ProviderSettings};
use crate::use_cases::access::Caller;
use crate::use_cases::management::ApiError;
use crate::use_cases::sign_in::{self, SignInRefusal};

/// Why a member is not confirmed. The text is for them.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotConfirmed {
    #[error("You signed in with another account than the one of your session.")]
    OtherPerson,
    #[error(
        "Your provider does not say when you signed in (auth_time), so it cannot confirm that it is you. Ask an administrator."
    )]
    NoTime,
    #[error(
        "Your provider says that you signed in at another time than just now, so it has not asked you again."
    )]
    OtherTime,
    #[error("{0}")]
    Refused(SignInRefusal),
    #[error("The session in which you began has ended. Sign in again.")]
    Ended,
    #[error("The session could not be changed.")]
    Failed(ApiError),
}

impl From<SignInRefusal> for NotConfirmed {
    fn from(refusal: SignInRefusal) -> Self {
        match refusal {
            SignInRefusal::Store(error) => Self::Failed(error.into()),
            SignInRefusal::Internal(error) => Self::Failed(ApiError::internal(error)),
            refusal => Self::Refused(refusal),
        }
    }
}

impl From<ApiError> for NotConfirmed {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

/// Replaces the member's session by one that says when they signed in again. Whoever knew the earlier one's id has nothing
/// of it.
///
/// # Errors
/// [`NotConfirmed`]. The earlier session is then as it was.
pub(super) async fn confirmed(
    node: &Arc<Node>,
    parts: &Parts,
    (provider, person): (&ProviderSettings, &Person),
    (attempt, again): (&Attempt, &Again),
    origin: Origin<'_>,
) -> Result<(SessionId, Caller), NotConfirmed> {
    if !again.is(&person.identity) {
        return Err(NotConfirmed::OtherPerson);
    }
    let at = person.authenticated_at.ok_or(NotConfirmed::NoTime)?;
    let (began, now) = (attempt.began(), node.clock.now());
    if at < began.plus(-LEEWAY) || at > now.plus(LEEWAY) {
        return Err(NotConfirmed::OtherTime);
    }
    // What their groups have become since counts from now on.
    sign_in::follow_groups(node, provider, person, origin).await?;
    let earlier = attempt.earlier.as_ref().and_then(|id| id.parse::<SessionId>().ok());
    let (Some(earlier), Ok(member)) = (earlier, again.member.parse()) else {
        return Err(NotConfirmed::Ended);
    };
    let visit = Visit::new(origin, &parts.headers);
    let confirmed = session::confirm_member(node, (&member, &person.identity), at, &earlier, visit).await?;
    confirmed.ok_or(NotConfirmed::Ended)
}
