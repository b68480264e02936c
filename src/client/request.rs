//! The requests of a client.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::{BaseUrl, BearerCredential};

/// The characters to encode: all but the unreserved ones (RFC 3986 §2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request to a server, without the parts that all requests share.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    /// The path below the server's base, and the query.
    target: String,
    headers: HeaderMap,
    body: Bytes,
    is_anonymous: bool,
}

impl Request {
    /// A request for the resource at the path of these segments.
    pub fn new(method: Method, segments: &[&str]) -> Self {
        let target = segments.iter().map(|segment| format!("/{}", encode(segment))).collect();
        Self { method, target, headers: HeaderMap::new(), body: Bytes::new(), is_anonymous: false }
    }

    /// A `GET` request.
    pub fn get(segments: &[&str]) -> Self {
        Self::new(Method::GET, segments)
    }

    /// A `GET` request for `url`, to be sent by a client of its [`BaseUrl::origin`].
    pub fn get_url(url: &BaseUrl) -> Self {
        Self { target: url.path().to_owned(), ..Self::get(&[]) }
    }

    /// A `POST` request.
    pub fn post(segments: &[&str]) -> Self {
        Self::new(Method::POST, segments)
    }

    /// Adds a query parameter, if there is a value.
    #[must_use]
    pub fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            let separator = if self.target.contains('?') { '&' } else { '?' };
            self.target.push_str(&format!("{separator}{}={}", encode(name), encode(&value.to_string())));
        }
        self
    }

    /// Adds a query parameter for each value.
    #[must_use]
    pub fn queries(self, name: &str, values: &[impl ToString]) -> Self {
        values.iter().fold(self, |request, value| request.query(name, Some(value.to_string())))
    }

    /// Adds the query parameter `name=true`, if `is_set`.
    #[must_use]
    pub fn flag(self, name: &str, is_set: bool) -> Self {
        self.query(name, is_set.then_some("true"))
    }

    /// Sets a header field, if there is a value that a header can hold.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: Option<&str>) -> Self {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets a header field that is never shown. `None` if a header can't hold the value.
    pub fn secret_header(mut self, name: HeaderName, value: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Some(self)
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// When `body` can't be serialized.
    pub fn json(self, body: &impl Serialize) -> serde_json::Result<Self> {
        let body = serde_json::to_vec(body)?;
        Ok(self.with_body(HeaderValue::from_static("application/json"), body))
    }

    /// Sets a form as the body.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.with_body(HeaderValue::from_static("application/x-www-form-urlencoded"), pairs.join("&").into())
    }

    /// Omits the client's credential. The request carries another one, or none.
    #[must_use]
    pub fn anonymous(self) -> Self {
        Self { is_anonymous: true, ..self }
    }

    fn with_body(mut self, media_type: HeaderValue, body: Vec<u8>) -> Self {
        self.headers.insert(CONTENT_TYPE, media_type);
        Self { body: body.into(), ..self }
    }

    pub(super) fn into_http(
        self,
        base: &BaseUrl,
        credential: Option<&BearerCredential>,
    ) -> hyper::Request<Full<Bytes>> {
        let mut request = hyper::Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        // The origin form (RFC 9112 §3.2.1). Everything in it is encoded, so it always parses.
        *request.uri_mut() = format!("{}{}", base.path(), self.target).parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("claviger/", env!("CARGO_PKG_VERSION"))));
        headers.extend(self.headers);
        headers.extend(HeaderValue::from_str(base.authority()).ok().map(|host| (HOST, host)));
        let credential = credential.filter(|_| !self.is_anonymous);
        headers.extend(credential.and_then(BearerCredential::header).map(|value| (AUTHORIZATION, value)));
        request
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_what_it_was_given_and_what_all_have() {
        let base = "https://example.com:8443/auth/".parse().unwrap();
        let request = Request::get(&["v1", "orgs", "a b/é"])
            .query("q", Some("x&y=z"))
            .query("cursor", None::<&str>)
            .flag("dry_run", true)
            .flag("force", false)
            .header(ACCEPT, Some("text/csv"));
        let request = request.into_http(&base, Some(&"clv_prd_x".parse().unwrap()));
        assert_eq!(request.uri(), "/auth/v1/orgs/a%20b%2F%C3%A9?q=x%26y%3Dz&dry_run=true");
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(header("host"), "example.com:8443");
        assert_eq!(header("accept"), "text/csv");
        assert_eq!(header("authorization"), "Bearer clv_prd_x");
    }
}
