//! Tags of a key: names and values that people choose, to find keys again.
//!
//! ```
//! use claviger::domain::key::{TagFilter, Tags};
//!
//! let tags: Tags = serde_json::from_str(r#"{"tier": "gold", "team": "billing"}"#)?;
//! assert_eq!(tags.to_string(), r#"{"team":"billing","tier":"gold"}"#);
//! assert!("team:billing".parse::<TagFilter>()?.fits(&tags));
//! assert!("tier".parse::<TagFilter>()?.fits(&tags));
//! assert!(!"tier:silver".parse::<TagFilter>()?.fits(&tags));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::base::text::{Excerpt, reorders};

/// Up to [`Tags::MOST`] names with a value each, in the order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<Box<str>, Box<str>>);

/// Why tags are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// There are too many.
    #[error("a key has at most {} tags", Tags::MOST)]
    TooMany,
    /// Two tags have the same name.
    #[error("the tag `{0}` appears twice")]
    Twice(Excerpt),
    /// A name is not in the alphabet of names, or has the wrong length.
    #[error(
        "a tag's name has 1 to {most} characters of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or a digit, unlike `{0}`",
        most = Tags::MAX_NAME
    )]
    Name(Excerpt),
    /// The value of the tag is too long.
    #[error("the value of the tag `{0}` is longer than {most} characters", most = Tags::MAX_VALUE)]
    LongValue(Excerpt),
    /// The value of the tag has a control character, or one that changes the order in which others are shown.
    #[error("the value of the tag `{0}` contains a control character")]
    Control(Excerpt),
}

impl Tags {
    /// The most tags of a key.
    pub const MOST: usize = 16;
    /// The maximum length of a name, in characters.
    pub const MAX_NAME: usize = 63;
    /// The maximum length of a value, in characters.
    pub const MAX_VALUE: usize = 256;

    /// Tags from pairs of a name and a value.
    ///
    /// # Errors
    /// [`TagsError`].
    pub fn new<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, TagsError> {
        let mut tags = Self::default();
        for (name, value) in pairs {
            tags.add(name.as_ref(), value.as_ref())?;
        }
        Ok(tags)
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), TagsError> {
        if !is_name(name) {
            return Err(TagsError::Name(name.into()));
        }
        if value.chars().count() > Self::MAX_VALUE {
            return Err(TagsError::LongValue(name.into()));
        }
        if value.chars().any(|character| character.is_control() || reorders(character)) {
            return Err(TagsError::Control(name.into()));
        }
        if self.0.insert(name.into(), value.into()).is_some() {
            return Err(TagsError::Twice(name.into()));
        }
        if self.0.len() > Self::MOST { Err(TagsError::TooMany) } else { Ok(()) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of tags.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of the tag with this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// The names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= Tags::MAX_NAME
        && text.bytes().next().is_some_and(is_letter)
        && text.bytes().all(|byte| is_letter(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

impl fmt::Display for Tags {
    /// The tags as canonical JSON: names in order, without spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Tags {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;

        impl<'de> Visitor<'de> for OfMap {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of tags: names with a text each")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
                let mut tags = Tags::default();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    tags.add(&name, &value).map_err(A::Error::custom)?;
                }
                Ok(tags)
            }
        }

        deserializer.deserialize_map(OfMap)
    }
}

/// A condition on the tags of a key: that it has a tag of this name, or one with this value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFilter {
    name: Box<str>,
    value: Option<Box<str>>,
}

impl TagFilter {
    /// Whether tags fulfil the condition.
    pub fn fits(&self, tags: &Tags) -> bool {
        tags.value(&self.name).is_some_and(|held| self.value.as_deref().is_none_or(|wanted| wanted == held))
    }

    /// A text that the canonical JSON of tags contains if and only if they fulfil the condition. Quotation marks within
    /// a value are escaped, so that no value contains it.
    pub fn needle(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let value = self.value.as_deref().map(quoted).unwrap_or_default();
        format!("{}:{value}", quoted(&self.name))
    }
}

/// `name`, or `name:value`.
impl fmt::Display for TagFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.value.as_ref().map_or(Ok(()), |value| write!(f, ":{value}"))
    }
}

/// No name has a colon, so the first one ends it.
impl FromStr for TagFilter {
    type Err = TagsError;

    fn from_str(text: &str) -> Result<Self, TagsError> {
        let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
        Tags::new([(name, value.unwrap_or_default())])?;
        Ok(Self { name: name.into(), value: value.map(Into::into) })
    }
}

crate::base::text::serde_as_text!(TagFilter);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(json: &str) -> Result<Tags, String> {
        json.parse().map_err(|error: serde_json::Error| error.to_string())
    }

    #[test]
    fn tags_have_strict_names_and_values_of_any_script() {
        assert_eq!(tags("{}").unwrap(), Tags::default());
        let good = r#"{"0.a_b-c":"","team":"Κλειδί: \"🔑\\\""}"#;
        assert_eq!(tags(good).unwrap().to_string(), good);
        let long = "é".repeat(256);
        assert!(Tags::new([("a".repeat(63), &long)]).is_ok());
        for bad in ["", "-a", ".a", "A", "a b", "a:b", "é", &"a".repeat(64)] {
            assert_eq!(Tags::new([(bad, "x")]), Err(TagsError::Name(bad.into())), "{bad}");
        }
        assert_eq!(Tags::new([("a", long + "é")]), Err(TagsError::LongValue("a".into())));
        for bad in ["a\nb", "\0", "\u{7f}", "\u{202e}"] {
            assert_eq!(Tags::new([("a", bad)]), Err(TagsError::Control("a".into())), "{bad:?}");
        }
        assert_eq!(Tags::new([("a", "x"), ("a", "x")]), Err(TagsError::Twice("a".into())));
        assert!(tags(r#"{"a": "x", "a": "y"}"#).unwrap_err().starts_with("the tag `a` appears twice"));
        assert!(tags(r#"{"a": 1}"#).is_err() && tags("[]").is_err() && tags(r#"{"a": null}"#).is_err());
        let many = |count| Tags::new((0..count).map(|number: usize| (format!("t{number}"), "x")));
        assert_eq!(many(16).unwrap().len(), 16);
        assert_eq!(many(17), Err(TagsError::TooMany));
    }

    #[test]
    fn a_condition_reads_back() {
        for text in ["team", "team:", "team:billing", "team:a:b"] {
            assert_eq!(text.parse::<TagFilter>().unwrap().to_string(), text);
        }
        assert!(":x".parse::<TagFilter>().is_err() && "Team:x".parse::<TagFilter>().is_err());
    }

    proptest! {
        #[test]
        fn a_needle_is_found_exactly_where_the_condition_is_fulfilled(
            held in proptest::collection::btree_map("[ab]{1,2}", "[ab:\"\\\\{},]{0,6}", 0..4),
            name in "[ab]{1,2}",
            value in proptest::option::of("[ab:\"\\\\{},]{0,6}"),
        ) {
            let tags = Tags::new(&held).unwrap();
            let filter = TagFilter { name: name.into(), value: value.map(Into::into) };
            prop_assert_eq!(tags.to_string().contains(&filter.needle()), filter.fits(&tags));
            prop_assert_eq!(tags.to_string().parse::<Tags>().unwrap(), tags);
        }
    }
}
