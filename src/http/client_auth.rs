//! Client authentication at the OAuth endpoints: HTTP Basic, or parameters in the body (RFC 6749 §2.3.1), or an assertion
//! that the client has signed (RFC 7523 §2.2).

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::form::{Form, decode};
use crate::domain::api_key::looks_like_key;
use crate::jose::assertion::JWT_BEARER;
use crate::node::{Presented, PresentedAssertion, PresentedClient};
use crate::use_cases::token::{InvalidClient, InvalidRequest, OAuthError};

/// The credentials with which a client authenticates.
pub(super) enum ClientCredentials<'f> {
    /// `client_secret_basic` or `client_secret_post`.
    Secret(ClientSecret),
    /// `private_key_jwt`.
    Assertion(PresentedAssertion<'f>),
}

impl<'f> ClientCredentials<'f> {
    /// Reads the credentials, which must be in exactly one place.
    ///
    /// # Errors
    /// [`OAuthError::InvalidRequest`] when credentials are in two places, or malformed; [`OAuthError::InvalidClient`]
    /// when there are none, or the API key is in the wrong place.
    pub(super) fn of(headers: &HeaderMap, form: &'f Form<'_>) -> Result<Self, OAuthError> {
        match assertion(headers, form)? {
            Some(presented) => Ok(Self::Assertion(presented)),
            None => ClientSecret::of(headers, form).map(Self::Secret),
        }
    }

    /// The credentials as the node's authenticator takes them.
    pub(super) fn presented(&self) -> PresentedClient<'_> {
        match self {
            Self::Secret(ClientSecret { client_id, secret }) => {
                PresentedClient::Secret(Presented { client_id: client_id.as_deref(), key: secret })
            }
            Self::Assertion(presented) => PresentedClient::Assertion(*presented),
        }
    }
}

/// Whether a form has an assertion, or half of one.
pub(super) fn has_assertion(form: &Form<'_>) -> bool {
    form.get("client_assertion").or_else(|| form.get("client_assertion_type")).is_some()
}

/// The assertion in a form, if there is one. RFC 6749 §2.3: a client uses one method only.
fn assertion<'f>(
    headers: &HeaderMap,
    form: &'f Form<'_>,
) -> Result<Option<PresentedAssertion<'f>>, InvalidRequest> {
    if !has_assertion(form) {
        return Ok(None);
    }
    if form.get("client_secret").is_some() || authorization(headers)?.is_some() {
        return Err(InvalidRequest::AssertionBesideOther);
    }
    match (form.get("client_assertion_type"), form.get("client_assertion")) {
        (Some(JWT_BEARER), Some(assertion)) => {
            Ok(Some(PresentedAssertion { client_id: form.get("client_id"), assertion }))
        }
        _ => Err(InvalidRequest::AssertionType(JWT_BEARER)),
    }
}

/// The assertion of the JWT bearer grant (RFC 7523 §2.1). It needs the client id, and no other credential may be beside
/// it.
pub(super) fn sole_assertion<'f>(
    headers: &HeaderMap,
    form: &'f Form<'_>,
) -> Result<PresentedAssertion<'f>, InvalidRequest> {
    if has_assertion(form) || form.get("client_secret").is_some() || authorization(headers)?.is_some() {
        return Err(InvalidRequest::AssertionBesideOther);
    }
    let assertion = form.require("assertion")?;
    Ok(PresentedAssertion { client_id: Some(form.require("client_id")?), assertion })
}

/// An API key as the secret of a client.
pub(super) struct ClientSecret {
    client_id: Option<String>,
    secret: Zeroizing<String>,
}

impl ClientSecret {
    fn of(headers: &HeaderMap, form: &Form<'_>) -> Result<Self, OAuthError> {
        let credentials = match basic(headers)? {
            Some(basic) => basic.beside(form)?,
            None => Self::in_body(form)?,
        };
        if credentials.secret.is_empty() {
            return Err(InvalidClient::EmptySecret.into());
        }
        Ok(credentials)
    }

    fn beside(self, form: &Form<'_>) -> Result<Self, OAuthError> {
        if form.get("client_secret").is_some() {
            return Err(InvalidRequest::SecretTwice.into());
        }
        if form.get("client_id").is_some_and(|id| Some(id) != self.client_id.as_deref()) {
            return Err(InvalidRequest::OtherClientId.into());
        }
        match self.client_id.as_deref() {
            // Proxies log user names.
            Some(user) if looks_like_key(user) => Err(InvalidClient::KeyAsUserName.into()),
            Some("") => Err(InvalidClient::EmptyUserName.into()),
            _ => Ok(self),
        }
    }

    fn in_body(form: &Form<'_>) -> Result<Self, InvalidClient> {
        let client_id = form.get("client_id");
        if client_id.is_some_and(looks_like_key) {
            return Err(InvalidClient::KeyAsClientId);
        }
        let secret = form.get("client_secret").ok_or(match client_id {
            Some(_) => InvalidClient::NoSecret,
            None => InvalidClient::NoCredentials,
        })?;
        Ok(Self { client_id: client_id.map(str::to_owned), secret: Zeroizing::new(secret.into()) })
    }
}

/// The `Authorization` header, if there is one.
///
/// # Errors
/// [`InvalidRequest`] when there are two. Another reader could take the other one, and see another client.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<&HeaderValue>, InvalidRequest> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (_, Some(_)) => Err(InvalidRequest::AuthorizationTwice),
        (only, None) => Ok(only),
    }
}

/// RFC 7617. Both parts are form-encoded, as RFC 6749 §2.3.1 requires. `None` without an `Authorization` header.
fn basic(headers: &HeaderMap) -> Result<Option<ClientSecret>, OAuthError> {
    let Some(value) = authorization(headers)? else { return Ok(None) };
    // RFC 9110 §11.1: the scheme is case-insensitive.
    let encoded = match value.as_bytes().split_at_checked(6) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"basic ") => rest.trim_ascii(),
        _ => return Err(not_basic(value.as_bytes()).into()),
    };
    let decoded = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| InvalidRequest::MalformedBasic)?);
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or(InvalidRequest::MalformedBasic)?;
    Ok(Some(ClientSecret {
        client_id: Some(decode(&decoded[..colon]).map(Cow::into_owned)?),
        secret: Zeroizing::new(decode(&decoded[colon + 1..]).map(Cow::into_owned)?),
    }))
}

/// What is wrong with an `Authorization` header that is not Basic.
fn not_basic(value: &[u8]) -> InvalidClient {
    let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    if scheme.is_empty() {
        InvalidClient::EmptyAuthorization
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        InvalidClient::EmptyBasic
    } else if scheme.eq_ignore_ascii_case(b"bearer") {
        InvalidClient::Bearer
    } else {
        InvalidClient::OtherScheme
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "key_4f2aB9cD3eF5gH7i";

    /// The client id and the secret of a request with these `Authorization` headers and this form.
    fn read(headers: &[&str], form: &str) -> Result<(Option<String>, String), OAuthError> {
        let headers =
            headers.iter().map(|value| (header::AUTHORIZATION, HeaderValue::from_str(value).unwrap()));
        let form = form.replace("{id}", ID).replace("{key}", &key());
        let form = Form::parse(form.as_bytes()).unwrap();
        match ClientCredentials::of(&headers.collect(), &form)? {
            ClientCredentials::Secret(secret) => Ok((secret.client_id, secret.secret.to_string())),
            ClientCredentials::Assertion(presented) => {
                Ok((presented.client_id.map(str::to_owned), format!("assertion {}", presented.assertion)))
            }
        }
    }

    fn key() -> String {
        format!("clv_prd_{}", "a".repeat(65))
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn credentials_in_one_place_are_read() {
        let whole = Ok((Some(ID.to_owned()), key()));
        assert_eq!(read(&[&basic(ID, &key())], ""), whole);
        assert_eq!(read(&[&basic(ID, &key())], "client_id={id}&client_secret="), whole);
        assert_eq!(read(&[], "client_id={id}&client_secret={key}"), whole);
        assert_eq!(read(&[], "client_secret={key}"), Ok((None, key())));
        assert_eq!(read(&[&basic("a%20b", "c+d")], ""), Ok((Some("a b".into()), "c d".into())));
    }

    const TYPE: &str = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    #[test]
    fn an_assertion_is_read_with_its_type_and_beside_nothing_else() {
        let whole = format!("client_id={{id}}&{TYPE}&client_assertion=a.b.c");
        assert_eq!(read(&[], &whole), Ok((Some(ID.to_owned()), "assertion a.b.c".to_owned())));
        let bare = format!("{TYPE}&client_assertion=a.b.c");
        assert_eq!(read(&[], &bare), Ok((None, "assertion a.b.c".to_owned())));
        let beside = InvalidRequest::AssertionBesideOther;
        assert_eq!(read(&[&basic(ID, &key())], &bare), Err(beside.clone().into()));
        assert_eq!(read(&[], &format!("{bare}&client_secret={{key}}")), Err(beside.into()));
        let half = Err(InvalidRequest::AssertionType(crate::jose::assertion::JWT_BEARER).into());
        assert_eq!(read(&[], TYPE), half);
        assert_eq!(read(&[], "client_assertion=a.b.c"), half);
        assert_eq!(read(&[], "client_assertion=a.b.c&client_assertion_type=other"), half);
    }

    #[test]
    fn credentials_in_two_places_and_malformed_ones_are_invalid_requests() {
        use InvalidRequest as I;

        let good = basic(ID, &key());
        for (headers, form, reason) in [
            (&[&*good, &*good][..], "", I::AuthorizationTwice),
            (&[&*good], "client_secret={key}", I::SecretTwice),
            (&[&*good], "client_id=key_0123456789abcdef", I::OtherClientId),
            (&["Basic !!!!"], "", I::MalformedBasic),
            (&["Basic bm9jb2xvbg=="], "", I::MalformedBasic),
            (&[&*basic(ID, "%4")], "", I::Escape),
            (&[&*basic(ID, "%00")], "", I::Nul),
            (&[&*basic("%ff", "x")], "", I::NotUtf8),
        ] {
            assert_eq!(read(headers, form), Err(reason.into()), "{headers:?} {form}");
        }
    }

    #[test]
    fn misplaced_and_missing_credentials_are_told_apart() {
        use InvalidClient as I;

        for (headers, form, reason) in [
            (&[][..], "", I::NoCredentials),
            (&[], "client_id={id}", I::NoSecret),
            (&[], "client_id={key}", I::KeyAsClientId),
            (&[], "client_id={key}&client_secret={key}", I::KeyAsClientId),
            (&[&*basic(ID, "")], "", I::EmptySecret),
            (&[&*basic("", &key())], "", I::EmptyUserName),
            (&[&*basic(&key(), "")], "", I::KeyAsUserName),
            (&[&*basic(&key(), &key())], "", I::KeyAsUserName),
            (&[""], "client_secret={key}", I::EmptyAuthorization),
            (&["bAsIc"], "client_secret={key}", I::EmptyBasic),
            (&["Bearer x"], "client_secret={key}", I::Bearer),
            (&["Negotiate YIIB"], "client_secret={key}", I::OtherScheme),
            (&[&*key()], "client_secret={key}", I::OtherScheme),
        ] {
            assert_eq!(read(headers, form), Err(reason.into()), "{headers:?} {form}");
        }
    }
}
