//! Client authentication at the OAuth endpoints (RFC 6749 §2.3.1): HTTP Basic, or parameters in the body.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::form::{Form, decode};
use crate::domain::api_key::looks_like_key;
use crate::node::Presented;
use crate::use_cases::token::OAuthError;

/// The credentials with which a client authenticates.
pub(super) struct ClientCredentials {
    client_id: Option<String>,
    secret: Zeroizing<String>,
}

impl ClientCredentials {
    /// Reads the credentials, which must be in exactly one place.
    ///
    /// # Errors
    /// [`OAuthError::InvalidRequest`] when credentials are in two places, or malformed; [`OAuthError::InvalidClient`]
    /// when there are none, or the API key is in the wrong place.
    pub(super) fn of(headers: &HeaderMap, form: &Form<'_>) -> Result<Self, OAuthError> {
        let credentials = match basic(headers)? {
            Some(basic) => basic.beside(form)?,
            None => Self::in_body(form)?,
        };
        if credentials.secret.is_empty() {
            return Err(rejected("the client secret is empty: it is the whole API key"));
        }
        Ok(credentials)
    }

    /// The credentials as the node's authenticator takes them.
    pub(super) fn presented(&self) -> Presented<'_> {
        Presented { client_id: self.client_id.as_deref(), key: &self.secret }
    }

    fn beside(self, form: &Form<'_>) -> Result<Self, OAuthError> {
        if form.get("client_secret").is_some() {
            return Err(invalid("client_secret is in the body and in the Authorization header"));
        }
        if form.get("client_id").is_some_and(|id| Some(id) != self.client_id.as_deref()) {
            return Err(invalid("client_id differs from the one in the Authorization header"));
        }
        match self.client_id.as_deref() {
            // Proxies log user names.
            Some(user) if looks_like_key(user) => Err(rejected(
                "the API key was sent as the user name, which proxies log: send -u key_...:KEY, the key's id before the \
                 colon and the API key after it",
            )),
            Some("") => Err(rejected(
                "the user name is empty: send -u key_...:KEY, with the key's id before the colon",
            )),
            _ => Ok(self),
        }
    }

    fn in_body(form: &Form<'_>) -> Result<Self, OAuthError> {
        let client_id = form.get("client_id");
        if client_id.is_some_and(looks_like_key) {
            return Err(rejected("the API key was sent as client_id: send it as client_secret"));
        }
        let secret = form.get("client_secret").ok_or_else(|| {
            rejected(match client_id {
                Some(_) => "client_secret is missing: it is the whole API key",
                None => {
                    "no client credentials were sent: send HTTP Basic with client_id:client_secret, or client_id and \
                     client_secret in the body"
                }
            })
        })?;
        Ok(Self { client_id: client_id.map(str::to_owned), secret: Zeroizing::new(secret.into()) })
    }
}

/// The `Authorization` header, if there is one.
///
/// # Errors
/// [`OAuthError::InvalidRequest`] when there are two. Another reader could take the other one, and see another client.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<&HeaderValue>, OAuthError> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (_, Some(_)) => Err(invalid("the request has two Authorization headers")),
        (only, None) => Ok(only),
    }
}

/// RFC 7617. Both parts are form-encoded, as RFC 6749 §2.3.1 requires. `None` without an `Authorization` header.
fn basic(headers: &HeaderMap) -> Result<Option<ClientCredentials>, OAuthError> {
    let Some(value) = authorization(headers)? else { return Ok(None) };
    // RFC 9110 §11.1: the scheme is case-insensitive.
    let encoded = match value.as_bytes().split_at_checked(6) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"basic ") => rest.trim_ascii(),
        _ => return Err(rejected(not_basic(value.as_bytes()))),
    };
    let malformed =
        || invalid("the Authorization header is not Basic with base64 of client_id:client_secret");
    let decoded = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| malformed())?);
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or_else(malformed)?;
    Ok(Some(ClientCredentials {
        client_id: Some(decode(&decoded[..colon]).map(Cow::into_owned)?),
        secret: Zeroizing::new(decode(&decoded[colon + 1..]).map(Cow::into_owned)?),
    }))
}

/// What is wrong with an `Authorization` header that is not Basic. The text repeats no part of the header, which may be
/// the API key.
fn not_basic(value: &[u8]) -> &'static str {
    let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    if scheme.is_empty() {
        "the Authorization header is empty: leave it out, or send Basic with client_id:client_secret"
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        "the Authorization header has nothing after Basic: send base64 of client_id:client_secret"
    } else if scheme.eq_ignore_ascii_case(b"bearer") {
        "the Authorization header is Bearer, which does not authenticate a client here: send Basic, or leave the header \
         out and send client_secret in the body"
    } else {
        "the Authorization header is not Basic: send Basic, or leave the header out and send client_secret in the body"
    }
}

/// A failed client authentication with a reason that is safe to reveal, because it says nothing about any key.
fn rejected(why: &str) -> OAuthError {
    OAuthError::InvalidClient(Some(why.into()))
}

fn invalid(why: &str) -> OAuthError {
    OAuthError::InvalidRequest(why.into())
}
