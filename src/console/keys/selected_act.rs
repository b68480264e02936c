//! What can be done to keys that are selected in the list.

use crate::console::fields::Fields;
use crate::domain::key::{TagFilter, Tags, TagsError};
use crate::domain::names::OrganizationId;
use crate::use_cases::access::Caller;
use crate::use_cases::management::keys::{ChosenAct, Suspension, may_act_on_some};
use crate::use_cases::management::{ApiError, InvalidRequest};

/// An act on selected keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelectedAct {
    AddTag,
    RemoveTag,
    Disable,
    Enable,
    Revoke,
}

impl SelectedAct {
    const ALL: [Self; 5] = [Self::AddTag, Self::RemoveTag, Self::Disable, Self::Enable, Self::Revoke];

    /// Those that the caller may do to any key of the organization.
    pub(super) fn offered_to(caller: &Caller, organization: &OrganizationId) -> &'static [Self] {
        if may_act_on_some(caller, organization).is_ok() { &Self::ALL } else { &[] }
    }

    /// The act that a form names.
    pub(super) fn read(word: &str) -> Result<Self, ApiError> {
        let found = Self::ALL.into_iter().find(|act| act.word() == word);
        found.ok_or(InvalidRequest::FormField.into())
    }

    /// Its name in a form.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::AddTag => "tag",
            Self::RemoveTag => "untag",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Revoke => "revoke",
        }
    }

    /// The text of its button in the list.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::AddTag => "Add a tag",
            Self::RemoveTag => "Remove a tag",
            Self::Disable => "Disable",
            Self::Enable => "Enable",
            Self::Revoke => "Revoke",
        }
    }

    /// The verb that stands before the number of keys.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::AddTag => "Tag",
            Self::RemoveTag => "Remove a tag of",
            Self::Disable => "Disable",
            Self::Enable => "Enable",
            Self::Revoke => "Revoke",
        }
    }

    /// What has been done to keys.
    pub(super) const fn done(self) -> &'static str {
        match self {
            Self::AddTag => "tagged",
            Self::RemoveTag => "changed",
            Self::Disable => "disabled",
            Self::Enable => "enabled",
            Self::Revoke => "revoked",
        }
    }

    /// Why a key stays as it is if it is already so.
    pub(super) const fn already(self) -> &'static str {
        match self {
            Self::AddTag => "It has the tag already.",
            Self::RemoveTag => "It has no such tag.",
            Self::Disable => "It is disabled already.",
            Self::Enable => "It is not disabled.",
            Self::Revoke => "It is revoked already.",
        }
    }

    /// Whether it takes access away, so that its button looks like a warning.
    pub(super) const fn is_dangerous(self) -> bool {
        matches!(self, Self::Disable | Self::Revoke)
    }

    /// Whether it needs a tag.
    pub(super) const fn needs_tag(self) -> bool {
        matches!(self, Self::AddTag | Self::RemoveTag)
    }

    /// The act with what was typed on the confirmation. An empty tag is none yet.
    pub(super) fn typed(self, fields: &Fields) -> Result<ChosenAct, ApiError> {
        let text = |name| Some(fields.text(name)).filter(|text| !text.is_empty());
        // People write tags with an equals sign as well. No name of a tag has one.
        let tag = text("tag").map(|tag| tag.replacen('=', ":", 1));
        let wrong = |error: TagsError| ApiError::from(InvalidRequest::Value(error.into()));
        match self {
            Self::Revoke => ChosenAct::revoke(text("reason").map(str::to_owned)),
            Self::Disable => Ok(ChosenAct::Suspend(Suspension::Disable)),
            Self::Enable => Ok(ChosenAct::Suspend(Suspension::Enable)),
            Self::AddTag => {
                let pair = tag.as_deref().map(|tag| tag.split_once(':').unwrap_or((tag, "")));
                let add = Tags::new(pair.map(|(name, value)| (name.trim(), value.trim())));
                Ok(ChosenAct::Retag { add: add.map_err(wrong)?, remove: Vec::new() })
            }
            Self::RemoveTag => {
                let remove = tag.as_deref().map(str::parse::<TagFilter>).transpose().map_err(wrong)?;
                Ok(ChosenAct::Retag { add: Tags::default(), remove: remove.into_iter().collect() })
            }
        }
    }
}
