//! Token exchange (RFC 8693): a resource server that calls another one exchanges the token that it received for a token
//! with fewer rights.

mod subject;

use std::net::IpAddr;
use std::sync::Arc;

use self::subject::Subject;
use super::{GrantRequest, InvalidRequest, Issued, OAuthError, UnauthorizedClient};
use crate::base::clock::Timestamp;
use crate::domain::address::Origin;
use crate::domain::scope::{Resource, Verb};
use crate::domain::usage::UseKind;
use crate::jose::claims::{AccessTokenClaims, ActorClaim, MAX_ACTORS, MAX_LIFETIME};
use crate::node::{Authenticated, Authenticator, PresentedClient, PresentedFor, Signer};

/// The grant type (RFC 8693 §2.1).
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The token type that the exchange accepts and issues (RFC 8693 §3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The token type of an API key as the subject token.
const API_KEY: &str = "urn:claviger:token-type:api_key";

/// The parameters of a request (RFC 8693 §2.1), as they came.
#[derive(Clone, Debug, Default)]
pub struct ExchangeRequest<'a> {
    /// The `subject_token` parameter.
    pub subject_token: &'a str,
    /// The `subject_token_type` parameter.
    pub subject_token_type: &'a str,
    /// The address that the subject called from, for which the client vouches.
    pub subject_address: Option<&'a str>,
    /// Whether `actor_token` or `actor_token_type` was sent. Both are refused: the client itself is the actor.
    pub has_actor: bool,
    /// The `requested_token_type` parameter.
    pub requested_token_type: Option<&'a str>,
    /// The `scope`, `resource` and `audience` parameters.
    pub grant: GrantRequest<'a>,
}

/// Issues a token that lets the client act for a subject, with no more rights than the subject has. A token that is bound
/// to a key, and a key that requires bound tokens, are exchanged only for a token that is bound to the client's own key.
///
/// # Errors
/// [`OAuthError`].
pub async fn token_exchange(
    authenticator: &Arc<Authenticator>,
    signer: &Signer,
    client: PresentedClient<'_>,
    origin: Origin<'_>,
    request: &ExchangeRequest<'_>,
    now: Timestamp,
) -> Result<Issued, OAuthError> {
    let client = authenticator.authenticate_client(client, PresentedFor::Token, origin, now).await?;
    request.is_for_what_is_here()?;
    let confirmation = request.grant.confirmation(authenticator, &client, origin, now)?;
    let subject = match request.subject_token_type {
        ACCESS_TOKEN | JWT => Subject::of_token(authenticator, request.subject_token, now).await?,
        API_KEY => Subject::of_key(authenticator, request.subject_token, now).await?,
        _ => return Err(InvalidRequest::SubjectTokenType.into()),
    };
    may_act_for(&client, &subject)?;
    if confirmation.is_none() {
        subject.may_be_exchanged_unproven(authenticator, now)?;
    }
    subject.admits(request.subject_address()?)?;
    let audience = request.grant.audience_of_others(&client.cached, &signer.issuer)?;
    let scope = subject.narrowed(request.grant.scope)?;
    let actor = actor(&client, &subject)?;
    let key = &client.cached.key;
    let ends = [subject.ends_at, key.expires_at, client.credential_expires_at];
    let claims = AccessTokenClaims {
        issuer: &signer.issuer,
        subject: &subject.id,
        client_id: &client.cached.client_id,
        audience: &audience,
        issued_at: now,
        expires_at: ends.into_iter().flatten().fold(now.plus(MAX_LIFETIME), std::cmp::min),
        token_id: "",
        scope: &scope,
        // This is the one member that the exchange does not narrow. The client uses the token, so the client's ranges
        // apply.
        cidrs: &client.cached.cidrs,
        organization: &subject.organization,
        project: &subject.project,
        environment: &subject.environment,
        generation: subject.generation,
        confirmation,
        actor: Some(&actor),
        origin: &subject.origin,
    };
    let issued = signer.sign(claims)?;
    authenticator.count_from(&client, UseKind::Token, origin.address, now);
    subject.count(authenticator, now);
    Ok(issued)
}

/// Checks that the client has the scope to act in the subject's project.
fn may_act_for(client: &Authenticated, subject: &Subject) -> Result<(), UnauthorizedClient> {
    let path = ["orgs", &subject.organization, "projects", &subject.project, "token-exchange"];
    let may = Resource::reserved(&path)
        .is_ok_and(|resource| client.cached.key.scopes.permits(Verb::Write, &resource));
    may.then_some(()).ok_or(UnauthorizedClient::Exchange)
}

/// The actors of the new token: the client, and those who acted before it (RFC 8693 §4.1).
fn actor(client: &Authenticated, subject: &Subject) -> Result<ActorClaim, InvalidRequest> {
    let earlier = subject.actor.clone().map(Box::new);
    let actor = ActorClaim {
        subject: client.cached.client_id.clone(),
        generation: client.cached.key.generation,
        earlier,
    };
    if actor.chain().count() > MAX_ACTORS {
        return Err(InvalidRequest::TooManyExchanges);
    }
    Ok(actor)
}

impl ExchangeRequest<'_> {
    fn is_for_what_is_here(&self) -> Result<(), InvalidRequest> {
        if self.has_actor {
            return Err(InvalidRequest::ActorToken);
        }
        match self.requested_token_type {
            None | Some(ACCESS_TOKEN) => Ok(()),
            Some(_) => Err(InvalidRequest::RequestedTokenType(ACCESS_TOKEN)),
        }
    }

    fn subject_address(&self) -> Result<Option<IpAddr>, InvalidRequest> {
        let parse = |text: &str| {
            let address: IpAddr = text.parse().map_err(|_| InvalidRequest::NotAnAddress)?;
            Ok(address.to_canonical())
        };
        self.subject_address.map(parse).transpose()
    }
}
