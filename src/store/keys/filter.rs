//! Which keys a list has.

use sqlx::{Database, Encode, QueryBuilder, Type};

use crate::base::clock::Timestamp;
use crate::domain::api_key::{EnvironmentSlug, KeyId};
use crate::domain::names::{OrganizationId, ProjectId};

/// Which keys.
#[derive(Clone, Debug)]
pub struct KeyFilter {
    /// Of this organization.
    pub organization: OrganizationId,
    /// Only this project's.
    pub project: Option<ProjectId>,
    /// Only this environment's.
    pub environment: Option<EnvironmentSlug>,
    /// Only those that stand so.
    pub status: StatusFilter,
    /// Only those whose name has this in it, ASCII case ignored.
    pub name_contains: Option<String>,
    /// Those whose note has it count, too.
    pub or_note_contains: bool,
    /// Only those that this key, or the bootstrap, made.
    pub created_by: Option<String>,
    /// Only those whose last use, or else their creation, was before this moment.
    pub unused_since: Option<Timestamp>,
    /// Only those that expire, or have expired, before this moment.
    pub expires_before: Option<Timestamp>,
    /// Only those that every IPv4 address, or every IPv6 address, may use.
    pub any_address: bool,
}

/// Where a listed key must stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusFilter {
    /// Usable now.
    #[default]
    Active,
    /// Suspended, neither past its end nor revoked.
    Disabled,
    /// Past its end and not revoked.
    Expired,
    /// Revoked.
    Revoked,
    /// Active, disabled or expired.
    Unrevoked,
    /// Any.
    All,
}

/// What of an organization's keys a caller may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisibleKeys {
    /// Every one.
    All,
    /// Those that match one of the pairs; `None` matches any.
    Only(Vec<(Option<ProjectId>, Option<KeyId>)>),
}

impl KeyFilter {
    /// The active keys of an organization, all of them.
    pub fn all_of(organization: OrganizationId) -> Self {
        Self {
            organization,
            project: None,
            environment: None,
            status: StatusFilter::Active,
            name_contains: None,
            or_note_contains: false,
            created_by: None,
            unused_since: None,
            expires_before: None,
            any_address: false,
        }
    }

    /// Narrows a selection of the organization's keys by everything but their last use, which is not in their rows.
    pub(super) fn push<DB: Database>(&self, sql: &mut QueryBuilder<DB>, now: Timestamp)
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        if let Some(project) = &self.project {
            sql.push(" AND project = ").push_bind(project.to_string());
        }
        if let Some(environment) = &self.environment {
            sql.push(" AND environment = ").push_bind(environment.to_string());
        }
        if let Some(part) = &self.name_contains {
            sql.push(" AND (name_folded LIKE ").push_bind(substring_pattern(part)).push(r" ESCAPE '\'");
            if self.or_note_contains {
                sql.push(" OR ").push(folded_note::<DB>()).push(" LIKE ");
                sql.push_bind(substring_pattern(part)).push(r" ESCAPE '\'");
            }
            sql.push(")");
        }
        if let Some(creator) = &self.created_by {
            sql.push(" AND created_by = ").push_bind(creator.clone());
        }
        if let Some(moment) = self.expires_before {
            sql.push(" AND expires_at < ").push_bind(moment.unix());
        }
        if self.any_address {
            sql.push(
                " AND (' ' || cidrs || ' ' LIKE '% 0.0.0.0/0 %' OR ' ' || cidrs || ' ' LIKE '% ::/0 %')",
            );
        }
        self.status.push(sql, now);
    }

    /// Narrows a selection from `key_last_use` to keys that were idle for long enough.
    pub(super) fn push_idle<DB: Database>(&self, sql: &mut QueryBuilder<DB>)
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
    {
        if let Some(moment) = self.unused_since {
            sql.push(" AND key_last_use.idle_since < ").push_bind(moment.unix());
        }
    }
}

impl StatusFilter {
    fn push<DB: Database>(self, sql: &mut QueryBuilder<DB>, now: Timestamp)
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
    {
        match self {
            Self::All => {}
            Self::Revoked => drop(sql.push(" AND revoked_at IS NOT NULL")),
            Self::Unrevoked => drop(sql.push(" AND revoked_at IS NULL")),
            Self::Active => {
                sql.push(" AND revoked_at IS NULL AND disabled_at IS NULL AND (expires_at IS NULL OR expires_at > ");
                sql.push_bind(now.unix()).push(")");
            }
            Self::Disabled => {
                sql.push(" AND revoked_at IS NULL AND disabled_at IS NOT NULL");
                sql.push(" AND (expires_at IS NULL OR expires_at > ").push_bind(now.unix()).push(")");
            }
            Self::Expired => {
                sql.push(" AND revoked_at IS NULL AND expires_at <= ").push_bind(now.unix());
            }
        }
    }
}

impl VisibleKeys {
    /// The ids of all that is visible, where each of them is named.
    pub(super) fn ids(&self) -> Option<Vec<KeyId>> {
        match self {
            Self::All => None,
            Self::Only(pairs) => pairs.iter().map(|(_, key)| *key).collect(),
        }
    }

    /// The one project that all of it is in.
    pub(super) fn project(&self) -> Option<&ProjectId> {
        let Self::Only(pairs) = self else { return None };
        let (first, _) = pairs.first()?;
        pairs.iter().all(|(project, _)| project == first).then_some(first.as_ref()).flatten()
    }

    /// Narrows a selection of keys to it.
    pub(super) fn push<DB: Database>(&self, sql: &mut QueryBuilder<DB>)
    where
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        let Self::Only(pairs) = self else { return };
        if let Some(ids) = self.ids().filter(|ids| !ids.is_empty()) {
            // The pairs say it, too, but no database would look the keys up by them.
            sql.push(" AND id IN (");
            let mut list = sql.separated(", ");
            for id in ids {
                list.push_bind(id.to_string());
            }
            sql.push(")");
        }
        sql.push(" AND (1 = 0");
        for (project, key) in pairs {
            sql.push(" OR (1 = 1");
            if let Some(project) = project {
                sql.push(" AND project = ").push_bind(project.to_string());
            }
            if let Some(key) = key {
                sql.push(" AND id = ").push_bind(key.to_string());
            }
            sql.push(")");
        }
        sql.push(")");
    }
}

/// A note with its ASCII letters made small, as names are stored folded: SQLite knows no others, and PostgreSQL none in this
/// collation.
fn folded_note<DB: Database>() -> &'static str {
    match DB::NAME {
        "PostgreSQL" => r#"LOWER(note COLLATE "C")"#,
        _ => "LOWER(note)",
    }
}

/// A `LIKE` pattern that finds `part` anywhere in a folded name, taking every character for itself.
fn substring_pattern(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for character in part.chars().map(|character| character.to_ascii_lowercase()) {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_takes_wildcards_for_themselves_and_folds_ascii_only() {
        assert_eq!(substring_pattern("50%_Ä\\B"), "%50\\%\\_Ä\\\\b%");
    }
}
