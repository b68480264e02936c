//! The fields of a form, as they were typed.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::request::Parts;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::body;
use crate::http::form;
use crate::use_cases::management::ApiError;

/// The field with what only a page of the session's can know.
pub(super) const TOKEN: &str = "token";

/// The field that tells one filling-in of a form from another.
pub(super) const FORM: &str = "form";

/// The field of a form that is only to be shown once more, with what was typed.
pub(super) const RESUME: &str = "resume";

/// The most bytes of a form: notes and scopes, all of them escaped.
const MAX_BODY: usize = 64 * 1024;

/// The most bytes of a form that carries another one, escaped twice.
const MAX_CARRIER: usize = 2 * MAX_BODY;

/// The fields of a form, in their order. One may be there often.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(super) async fn read(request: Request) -> Result<(Parts, Bytes, Self), ApiError> {
        Self::read_up_to(MAX_BODY, request).await
    }

    /// Reads the body of a request that may carry another form.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(super) async fn read_carrier(request: Request) -> Result<(Parts, Self), ApiError> {
        let (parts, _, fields) = Self::read_up_to(MAX_CARRIER, request).await?;
        Ok((parts, fields))
    }

    async fn read_up_to(most: usize, request: Request) -> Result<(Parts, Bytes, Self), ApiError> {
        let (parts, body) = request.into_parts();
        if !body::is_of_type(&parts.headers, "application/x-www-form-urlencoded") {
            return Err(ApiError::invalid("this is not a form of the console"));
        }
        let bytes = body::read(&parts.headers, body, most).await?;
        let fields = Self::parse(&bytes)?;
        Ok((parts, bytes, fields))
    }

    /// Reads what a form is encoded as.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`].
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(at + 1..).unwrap_or_default();
            fields.push((decoded(&pair[..at])?, decoded(value)?));
        }
        Ok(Self(fields))
    }

    /// All but the fields of these names.
    pub(super) fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    /// The fields as a form is encoded.
    pub(super) fn encoded(&self) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = self.0.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Each name and what it holds.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// A field without the blanks around it; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default().trim()
    }

    /// Whether a box is ticked, or a button pressed.
    pub(super) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// What every field of this name holds.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> + use<'f> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// Browsers end the lines of a form in two characters, whatever was typed.
fn decoded(text: &[u8]) -> Result<String, ApiError> {
    let decoded = form::decode(text).map_err(|_| ApiError::invalid("the form is not UTF-8 without NUL"))?;
    Ok(match decoded.contains('\r') {
        true => decoded.replace("\r\n", "\n"),
        false => Cow::into_owned(decoded),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_what_was_typed() {
        let fields = Fields::parse(b"name=+a+b+&note=1%0D%0A2&scope=x&scope=y&on=").unwrap();
        assert_eq!((fields.text("name"), fields.text("note"), fields.text("none")), ("a b", "1\n2", ""));
        assert_eq!(fields.all("scope").collect::<Vec<_>>(), ["x", "y"]);
        assert!(fields.has("on") && !fields.has("none"));
        let fields = fields.without(&["on", "scope"]);
        assert_eq!(fields.encoded(), "name=%20a%20b%20&note=1%0A2");
        for bad in [&b"a=%00"[..], b"a=%f", b"a=\xff"] {
            assert!(Fields::parse(bad).is_err(), "{bad:?}");
        }
    }
}
