//! The decoded fields of a submitted form.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::request::Parts;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::body;
use crate::http::form;
use crate::use_cases::management::{ApiError, InvalidRequest};

/// The field of the session's form token, which protects against cross-site request forgery.
pub(super) const TOKEN: &str = "token";

/// The field with the form's id, by which a second submission of the same form is recognized.
pub(super) const FORM: &str = "form";

/// The field that asks to show the form again with its input, without submitting it.
pub(super) const RESUME: &str = "resume";

/// The field of a pasted token of a workload. No page carries it on.
pub(super) const WORKLOAD_TOKEN: &str = "workload_token";

/// The size limit of a form in bytes. Percent-encoded notes and scopes have room in it.
const MAX_BODY: usize = 64 * 1024;

/// The size limit in bytes of a form that carries another one, which is percent-encoded twice.
const MAX_CARRIER: usize = 2 * MAX_BODY;

/// The fields in order. A name may repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a form from a request.
    ///
    /// # Errors
    /// [`ApiError`] when the body can't be read, or is not a form.
    pub(super) async fn read(request: Request) -> Result<(Parts, Bytes, Self), ApiError> {
        Self::read_up_to(MAX_BODY, request).await
    }

    /// Reads a form that may carry another form.
    ///
    /// # Errors
    /// As for [`Fields::read`].
    pub(super) async fn read_carrier(request: Request) -> Result<(Parts, Self), ApiError> {
        let (parts, _, fields) = Self::read_up_to(MAX_CARRIER, request).await?;
        Ok((parts, fields))
    }

    async fn read_up_to(most: usize, request: Request) -> Result<(Parts, Bytes, Self), ApiError> {
        let (parts, body) = request.into_parts();
        if !body::is_of_type(&parts.headers, "application/x-www-form-urlencoded") {
            return Err(InvalidRequest::NotAForm.into());
        }
        let bytes = body::read(&parts.headers, body, most).await?;
        let fields = Self::parse(&bytes)?;
        Ok((parts, bytes, fields))
    }

    /// Parses an encoded form.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for bad percent-encoding, invalid UTF-8 or a NUL.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(at + 1..).unwrap_or_default();
            fields.push((decoded(&pair[..at])?, decoded(value)?));
        }
        Ok(Self(fields))
    }

    /// Removes the fields with these names.
    pub(super) fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    /// Encodes the fields as a form.
    pub(super) fn encoded(&self) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = self.0.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The names and their values.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// A field's value without surrounding white space, or an empty string.
    pub(super) fn text(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default().trim()
    }

    /// Whether the field is present: a checkbox is ticked, or a button was pressed.
    pub(super) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// All values of fields with this name.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> + use<'f> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// Browsers send CR LF line endings, which become LF.
fn decoded(text: &[u8]) -> Result<String, ApiError> {
    let decoded = form::decode(text).map_err(|_| InvalidRequest::FormEncoding)?;
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
