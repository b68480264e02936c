//! The use cases of the OAuth endpoints: issuing, introspecting and revoking tokens.

mod client_credentials;
mod error;
mod exchange;
mod grant;
mod introspect;
mod issue;
mod jwt_bearer;
mod revoke;

pub use client_credentials::client_credentials;
pub use error::{
    InvalidClient, InvalidRequest, InvalidScope, InvalidTarget, OAuthError, ScopeHolder, SubjectTokenFault,
    TooMany, UnauthorizedClient,
};
pub use exchange::{ACCESS_TOKEN, ExchangeRequest, TOKEN_EXCHANGE, token_exchange};
pub use grant::{Grant, GrantRequest};
pub use introspect::{Introspection, introspect};
pub use issue::{IssueError, Issued, TokenId, end_of_token};
pub use jwt_bearer::{JWT_BEARER_GRANT, jwt_bearer};
pub use revoke::{RevokeRequest, revoke};
