//! Strict JSON (RFC 8259) for signed documents. Headers, claims and keys are all read here.
//!
//! Two readers that see different things in the same bytes make forgeries possible. This reader therefore leaves
//! nothing open: it refuses a duplicate member at any depth, resolves escapes before it compares names, keeps
//! integers exact, and bounds depth and width. A map-based reader silently keeps the last of two equal names, and
//! what `serde_json` does with numbers depends on features that any other crate of a host program may enable.

use std::borrow::Cow;

use crate::base::clock::Timestamp;

#[cfg(test)]
mod tests;

/// The maximum depth of objects and arrays, including the outermost object.
pub(crate) const MAX_DEPTH: usize = 8;

/// The default maximum of members in one object. It also bounds the search for duplicates.
pub(crate) const MAX_MEMBERS: usize = 64;

/// The maximum of members in an object that is a table.
const MAX_ROWS: usize = 1 << 20;

/// Why a text is refused as a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// The text is not UTF-8 or not JSON, or something follows its end.
    #[error("it is not well-formed JSON")]
    Syntax,
    /// The text is JSON, but not an object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// A member occurs twice. RFC 7515 §4 and RFC 7519 §4 let a recipient refuse that.
    #[error("a member occurs twice")]
    DuplicateMember,
    /// The nesting is more than 8 levels deep.
    #[error("it is nested too deeply")]
    TooDeep,
    /// An object has more than 64 members, or a table too many rows.
    #[error("an object has too many members")]
    TooManyMembers,
}

/// A JSON value. Strings without escapes borrow from the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    String(Cow<'a, str>),
    /// A number without fraction and exponent, within 64 bits.
    Integer(i64),
    Boolean(bool),
    Array(Vec<Value<'a>>),
    Object(Object<'a>),
    /// `null` and all other numbers. No signed document here uses them.
    Other,
}

impl Value<'_> {
    /// The time of a NumericDate (RFC 7519 §2) in whole seconds that RFC 3339 can write.
    pub(crate) fn numeric_date(&self) -> Option<Timestamp> {
        match self {
            Self::Integer(seconds) if (0..=Timestamp::MAX.unix()).contains(seconds) => {
                Some(Timestamp::from_unix(*seconds))
            }
            _ => None,
        }
    }
}

/// An object with distinct member names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Object<'a> {
    /// Reads `bytes` as exactly one object, with optional white space around it.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        Self::read(bytes, MAX_MEMBERS)
    }

    /// Like [`Object::parse`], but an object may be a table with many rows. It allocates memory for each row, so it
    /// is only for documents that are known to come from the issuer.
    pub(crate) fn parse_with_tables(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        Self::read(bytes, MAX_ROWS)
    }

    fn read(bytes: &'a [u8], most_members: usize) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(bytes).map_err(|_| JsonFault::Syntax)?;
        let mut reader = Reader { rest: text, most_members };
        reader.skip_whitespace();
        let value = reader.value(1)?;
        reader.skip_whitespace();
        if !reader.rest.is_empty() {
            return Err(JsonFault::Syntax);
        }
        match value {
            Value::Object(object) => Ok(object),
            _ => Err(JsonFault::NotAnObject),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether a member called `name` exists, with any value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// The members with their names.
    #[cfg(feature = "server")]
    pub(crate) fn into_members(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        self.0.into_iter()
    }

    fn insert(&mut self, name: Cow<'a, str>, value: Value<'a>, most: usize) -> Result<(), JsonFault> {
        // Beyond this number, `check_rows` finds duplicates at the end.
        if self.0.len() <= MAX_MEMBERS && self.has(&name) {
            return Err(JsonFault::DuplicateMember);
        }
        if self.0.len() == most {
            return Err(JsonFault::TooManyMembers);
        }
        self.0.push((name, value));
        Ok(())
    }

    /// Finds the duplicates that [`Object::insert`] doesn't look for. It sorts the names instead of comparing all
    /// pairs.
    fn check_rows(&self) -> Result<(), JsonFault> {
        if self.0.len() <= MAX_MEMBERS {
            return Ok(());
        }
        let mut names: Vec<&str> = self.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let is_twice = names.windows(2).any(|pair| pair[0] == pair[1]);
        if is_twice { Err(JsonFault::DuplicateMember) } else { Ok(()) }
    }
}

/// The rest of the text.
struct Reader<'a> {
    rest: &'a str,
    most_members: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonFault> {
        match self.rest.as_bytes().first() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'{') => self.object(depth).map(Value::Object),
            Some(b'[') => self.array(depth).map(Value::Array),
            _ if self.eat("true") => Ok(Value::Boolean(true)),
            _ if self.eat("false") => Ok(Value::Boolean(false)),
            _ if self.eat("null") => Ok(Value::Other),
            _ => Err(JsonFault::Syntax),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Object<'a>, JsonFault> {
        // Enough for the claims of a token.
        let mut object = Object(Vec::with_capacity(16));
        self.list("{", "}", depth, |reader| {
            let name = reader.string()?;
            reader.skip_whitespace();
            reader.expect(":")?;
            reader.skip_whitespace();
            object.insert(name, reader.value(depth + 1)?, reader.most_members)
        })?;
        object.check_rows()?;
        Ok(object)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value<'a>>, JsonFault> {
        let mut values = Vec::new();
        self.list("[", "]", depth, |reader| {
            values.push(reader.value(depth + 1)?);
            Ok(())
        })?;
        Ok(values)
    }

    /// Reads `open`, items separated by commas, and `close`. `item` is called at the first character of each item.
    fn list(
        &mut self,
        open: &str,
        close: &str,
        depth: usize,
        mut item: impl FnMut(&mut Self) -> Result<(), JsonFault>,
    ) -> Result<(), JsonFault> {
        self.expect(open)?;
        if depth > MAX_DEPTH {
            return Err(JsonFault::TooDeep);
        }
        self.skip_whitespace();
        if self.eat(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            self.skip_whitespace();
            if self.eat(close) {
                return Ok(());
            }
            self.expect(",")?;
            self.skip_whitespace();
        }
    }

    /// RFC 8259 §7.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonFault> {
        self.expect("\"")?;
        let plain = self.unescaped()?;
        if self.eat("\"") {
            return Ok(Cow::Borrowed(plain));
        }
        let mut decoded = plain.to_owned();
        while !self.eat("\"") {
            decoded.push(self.escape()?);
            decoded.push_str(self.unescaped()?);
        }
        Ok(Cow::Owned(decoded))
    }

    /// Takes everything up to the next quotation mark, backslash or control character.
    fn unescaped(&mut self) -> Result<&'a str, JsonFault> {
        let ends = |byte: u8| byte == b'"' || byte == b'\\' || byte < b' ';
        let length = self.rest.bytes().position(ends).ok_or(JsonFault::Syntax)?;
        self.take(length)
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        match self.take(2)? {
            "\\\"" => Ok('"'),
            "\\\\" => Ok('\\'),
            "\\/" => Ok('/'),
            "\\b" => Ok('\u{8}'),
            "\\f" => Ok('\u{c}'),
            "\\n" => Ok('\n'),
            "\\r" => Ok('\r'),
            "\\t" => Ok('\t'),
            "\\u" => self.unicode_escape(),
            _ => Err(JsonFault::Syntax),
        }
    }

    /// Reads one UTF-16 unit, or two that form a surrogate pair. A lone surrogate is an error.
    fn unicode_escape(&mut self) -> Result<char, JsonFault> {
        let first = self.utf16_unit()?;
        if let Some(character) = char::from_u32(first.into()) {
            return Ok(character);
        }
        self.expect("\\u")?;
        let pair = [first, self.utf16_unit()?];
        match char::decode_utf16(pair).next() {
            Some(Ok(character)) => Ok(character),
            _ => Err(JsonFault::Syntax),
        }
    }

    fn utf16_unit(&mut self) -> Result<u16, JsonFault> {
        let digits = self.take(4)?;
        // `from_str_radix` would also accept a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(JsonFault::Syntax);
        }
        u16::from_str_radix(digits, 16).map_err(|_| JsonFault::Syntax)
    }

    /// RFC 8259 §6.
    fn number(&mut self) -> Result<Value<'a>, JsonFault> {
        let start = self.rest;
        self.eat("-");
        if !self.eat("0") {
            self.digits()?;
        }
        let integer = start.get(..start.len() - self.rest.len());
        let fraction = self.eat(".");
        if fraction {
            self.digits()?;
        }
        let exponent = self.eat("e") || self.eat("E");
        if exponent {
            let _ = self.eat("+") || self.eat("-");
            self.digits()?;
        }
        match integer.filter(|digits| !fraction && !exponent && *digits != "-0").map(str::parse) {
            Some(Ok(integer)) => Ok(Value::Integer(integer)),
            _ => Ok(Value::Other),
        }
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        let after = self.rest.trim_start_matches(|character: char| character.is_ascii_digit());
        if after.len() == self.rest.len() {
            return Err(JsonFault::Syntax);
        }
        self.rest = after;
        Ok(())
    }

    fn skip_whitespace(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, length: usize) -> Result<&'a str, JsonFault> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(JsonFault::Syntax)?;
        self.rest = rest;
        Ok(taken)
    }

    fn expect(&mut self, token: &str) -> Result<(), JsonFault> {
        if self.eat(token) { Ok(()) } else { Err(JsonFault::Syntax) }
    }

    /// Skips `token` if the text continues with it.
    fn eat(&mut self, token: &str) -> bool {
        let after = self.rest.strip_prefix(token);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }
}
