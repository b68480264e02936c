//! Tags and owners as arguments.

use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value};

use crate::domain::key::{Owner, TagFilter, Tags, TagsError};

/// A tag of a key, as `name=value`.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    name: String,
    value: String,
}

/// Why an argument is no tag.
#[derive(Debug, thiserror::Error)]
pub(super) enum TagError {
    #[error("a tag is a name and a value, such as team=billing")]
    NoValue,
    #[error(transparent)]
    Tags(#[from] TagsError),
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let (name, value) = text.split_once('=').ok_or(TagError::NoValue)?;
        Tags::new([(name, value)])?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// The tags as a JSON object. `None` if there are none.
pub(super) fn as_object(tags: &[Tag]) -> Option<Map<String, Value>> {
    let members = tags.iter().map(|tag| (tag.name.clone(), tag.value.clone().into()));
    (!tags.is_empty()).then(|| members.collect())
}

/// The tags and the owner to filter by.
#[derive(Debug, Args)]
pub(super) struct LabelFilterArgs {
    /// Only keys with this tag: its name, or name=value; repeatable, and all have to match
    #[arg(long = "tag", value_name = "TAG", value_parser = tag_filter)]
    pub(super) tags: Vec<TagFilter>,

    /// Only keys of this owner
    #[arg(long)]
    pub(super) owner: Option<Owner>,
}

/// `name`, or `name=value` as tags are set. The API has a colon there.
pub(super) fn tag_filter(text: &str) -> Result<TagFilter, TagsError> {
    match text.split_once('=') {
        Some((name, value)) => format!("{name}:{value}").parse(),
        None => text.parse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_given_as_it_is_set() {
        for (text, asked) in [("team", "team"), ("team=a=b", "team:a=b"), ("team:billing", "team:billing")] {
            assert_eq!(tag_filter(text).unwrap().to_string(), asked);
        }
        let tags: Vec<Tag> = ["team=billing", "tier="].iter().map(|tag| tag.parse().unwrap()).collect();
        assert_eq!(Value::Object(as_object(&tags).unwrap()).to_string(), r#"{"team":"billing","tier":""}"#);
        assert!("team".parse::<Tag>().is_err() && "Team=x".parse::<Tag>().is_err());
    }
}
