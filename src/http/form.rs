//! Reads `application/x-www-form-urlencoded` strictly, and refuses whatever is ambiguous.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::use_cases::token::InvalidRequest;

/// The parameters of a form that have a value. Each occurs once, except those that may repeat.
#[derive(Debug)]
pub(crate) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// RFC 8707 §2 lets `resource` repeat. `audience` is an alias of it here.
const MAY_REPEAT: [&str; 2] = ["resource", "audience"];

impl<'a> Form<'a> {
    /// # Errors
    /// [`InvalidRequest`] for bad percent-encoding, invalid UTF-8, a NUL, or a repeated parameter (RFC 6749
    /// §3.2).
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, InvalidRequest> {
        let mut pairs = Vec::with_capacity(8);
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &pair[pair.len()..]),
            };
            pairs.push((decode(name)?, decode(value)?));
        }
        refuse_repeated(&pairs)?;
        // RFC 6749 §3.2: a parameter without a value counts as omitted.
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self(pairs))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| &**value)
    }

    /// All values of a parameter that may repeat, in order.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> + use<'a, 'f> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| &**value)
    }

    /// The value of a required parameter.
    ///
    /// # Errors
    /// [`InvalidRequest`] when it is missing.
    pub(crate) fn require(&self, name: &'static str) -> Result<&str, InvalidRequest> {
        self.get(name).ok_or(InvalidRequest::ParameterMissing(name))
    }
}

/// Decodes one name or value: `+` becomes a space, `%` begins an escape, and the result must be UTF-8 without NUL.
///
/// # Errors
/// [`InvalidRequest`].
pub(crate) fn decode(encoded: &[u8]) -> Result<Cow<'_, str>, InvalidRequest> {
    if !encoded.iter().any(|byte| matches!(byte, b'%' | b'+' | 0)) {
        return std::str::from_utf8(encoded).map(Cow::Borrowed).map_err(|_| InvalidRequest::NotUtf8);
    }
    if !has_whole_escapes(encoded) {
        return Err(InvalidRequest::Escape);
    }
    let bytes: Cow<'_, [u8]> = if encoded.contains(&b'+') {
        let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decode(&spaced).collect::<Vec<u8>>().into()
    } else {
        percent_decode(encoded).into()
    };
    if bytes.contains(&0) {
        return Err(InvalidRequest::Nul);
    }
    let text = match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    };
    text.ok_or(InvalidRequest::NotUtf8)
}

/// Checked here because `percent_decode` passes a stray `%` through.
fn has_whole_escapes(encoded: &[u8]) -> bool {
    let mut rest = encoded;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        match rest.get(at + 1..at + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => rest = &rest[at + 3..],
            _ => return false,
        }
    }
    true
}

fn refuse_repeated(pairs: &[(Cow<'_, str>, Cow<'_, str>)]) -> Result<(), InvalidRequest> {
    let mut names: Vec<&str> =
        pairs.iter().map(|(name, _)| &**name).filter(|name| !MAY_REPEAT.contains(name)).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(InvalidRequest::ParameterTwice(known(pair[0]))),
    }
}

/// Only known names appear in messages. Any other could be a secret in the wrong place.
fn known(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 9] = [
        "grant_type",
        "client_id",
        "client_secret",
        "assertion",
        "client_assertion",
        "client_assertion_type",
        "scope",
        "token",
        "token_type_hint",
    ];
    NAMES.into_iter().find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(body: &str) -> Result<Vec<(String, String)>, InvalidRequest> {
        let form = Form::parse(body.as_bytes())?;
        Ok(form.0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn a_form_is_decoded_and_empty_values_are_dropped() {
        let read = pairs("scope=read%3A*+write&&empty=&bare&a=b=c&%66oo=%C3%A9").unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(read, [("scope", "read:* write"), ("a", "b=c"), ("foo", "é")]);
    }

    #[test]
    fn an_ambiguous_form_is_refused_for_its_own_reason() {
        use InvalidRequest as I;

        for (body, reason) in [
            ("a=%", I::Escape),
            ("a=%4", I::Escape),
            ("a=%zz", I::Escape),
            ("%=1", I::Escape),
            ("a=%00", I::Nul),
            ("a=\0", I::Nul),
            ("a=%ff", I::NotUtf8),
            ("a=+%ff", I::NotUtf8),
            ("a=1&a=2", I::ParameterTwice(None)),
            ("a=&a=", I::ParameterTwice(None)),
            ("%61=1&a=2", I::ParameterTwice(None)),
            ("scope=read&grant_type=x&scope=write", I::ParameterTwice(Some("scope"))),
        ] {
            assert_eq!(pairs(body), Err(reason), "{body}");
        }
        assert_eq!(Form::parse(b"a=\xff").map(|_| ()), Err(I::NotUtf8));
    }

    #[test]
    fn a_required_parameter_without_a_value_is_missing() {
        let form = Form::parse(b"token=&scope=read").unwrap();
        assert_eq!(form.require("scope"), Ok("read"));
        assert_eq!(form.require("token"), Err(InvalidRequest::ParameterMissing("token")));
    }

    #[test]
    fn resource_may_repeat() {
        let form = Form::parse(b"resource=a&resource=b&audience=c&audience=d").unwrap();
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(form.all("audience").collect::<Vec<_>>(), ["c", "d"]);
    }
}
