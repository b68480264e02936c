//! Selects the keys of a list: those that the caller asks for, and those that the caller may read.

use sqlx::{Database, Encode, QueryBuilder, Type};

use crate::base::clock::Timestamp;
use crate::domain::api_key::{EnvironmentSlug, IdBeginning, KeyId};
use crate::domain::key::{Owner, TagFilter};
use crate::domain::names::{OrganizationId, ProjectId};

/// The keys that a caller asks for. A field that is `None` matches all.
#[derive(Clone, Debug)]
pub struct KeyFilter {
    /// The organization that owns the keys.
    pub organization: OrganizationId,
    /// The project of the keys.
    pub project: Option<ProjectId>,
    /// The environment of the keys.
    pub environment: Option<EnvironmentSlug>,
    /// The state of the keys.
    pub status: StatusFilter,
    /// The keys with these ids.
    pub ids: Option<Vec<KeyId>>,
    /// A part of the name. ASCII case is ignored.
    pub name_contains: Option<String>,
    /// Whether a key matches too if its note contains `name_contains`, or its id or prefix begins with it.
    pub or_elsewhere: bool,
    /// The tags that the key must have, all of them.
    pub tags: Vec<TagFilter>,
    /// The owner of the key.
    pub owner: Option<Owner>,
    /// The creator: a key's id, or the bootstrap.
    pub created_by: Option<String>,
    /// The moment before which the key was last used, or created if it was never used.
    pub unused_since: Option<Timestamp>,
    /// The moment before which the key expires or has expired.
    pub expires_before: Option<Timestamp>,
    /// Whether the key must be usable from every IPv4 address or from every IPv6 address.
    pub any_address: bool,
    /// Whether the key must have a live secret with a tag of a replaced master key.
    pub earlier_master_key: bool,
}

/// The states of keys that a list includes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusFilter {
    /// Keys that work now.
    #[default]
    Active,
    /// Disabled keys that are neither expired nor revoked.
    Disabled,
    /// Expired keys that are not revoked.
    Expired,
    /// Revoked keys.
    Revoked,
    /// Active, disabled and expired keys.
    Unrevoked,
    /// All keys.
    All,
}

/// The keys of an organization that a caller may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisibleKeys {
    /// All keys.
    All,
    /// Keys that match one of the pairs. `None` matches any project or key.
    Only(Vec<(Option<ProjectId>, Option<KeyId>)>),
}

impl KeyFilter {
    /// All active keys of an organization.
    pub fn all_of(organization: OrganizationId) -> Self {
        Self {
            organization,
            project: None,
            environment: None,
            status: StatusFilter::Active,
            ids: None,
            name_contains: None,
            or_elsewhere: false,
            tags: Vec::new(),
            owner: None,
            created_by: None,
            unused_since: None,
            expires_before: None,
            any_address: false,
            earlier_master_key: false,
        }
    }

    /// Narrows a selection of the organization's keys by all conditions except the last use, which is in another
    /// table.
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
        if let Some(ids) = &self.ids {
            push_ids(sql, ids);
        }
        if let Some(part) = &self.name_contains {
            sql.push(" AND (name_folded LIKE ").push_bind(substring_pattern(part)).push(r" ESCAPE '\'");
            if self.or_elsewhere {
                sql.push(" OR ").push(folded_note::<DB>()).push(" LIKE ");
                sql.push_bind(substring_pattern(part)).push(r" ESCAPE '\'");
                push_id_beginning(sql, part);
            }
            sql.push(")");
        }
        for tag in &self.tags {
            sql.push(format_args!(" AND {}(tags, ", position::<DB>())).push_bind(tag.needle()).push(") > 0");
        }
        if let Some(owner) = &self.owner {
            sql.push(" AND owner = ").push_bind(owner.to_string());
        }
        if let Some(creator) = &self.created_by {
            sql.push(" AND created_by = ").push_bind(creator.clone());
            if creator.starts_with("portal:") {
                // The other condition implies this one, but no database would use the index of such keys for it.
                sql.push(" AND substr(created_by, 1, 7) = 'portal:'");
            }
        }
        if let Some(moment) = self.expires_before {
            sql.push(" AND expires_at < ").push_bind(moment.unix());
        }
        if self.any_address {
            sql.push(
                " AND (' ' || cidrs || ' ' LIKE '% 0.0.0.0/0 %' OR ' ' || cidrs || ' ' LIKE '% ::/0 %')",
            );
        }
        if self.earlier_master_key {
            sql.push(
                " AND EXISTS (SELECT 1 FROM key_secrets s
                      WHERE s.key_id = api_keys.id AND s.retired_at IS NULL AND s.public_jwk IS NULL AND s.trust_rule IS NULL
                        AND s.master_key < (SELECT MAX(number) FROM master_keys)
                        AND (s.expires_at IS NULL OR s.expires_at > ",
            );
            sql.push_bind(now.unix()).push("))");
        }
        self.status.push(sql, now);
    }

    /// Narrows a selection from `key_last_use` to keys that were idle long enough.
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
    /// The ids of all visible keys, if each is named.
    pub(super) fn ids(&self) -> Option<Vec<KeyId>> {
        match self {
            Self::All => None,
            Self::Only(pairs) => pairs.iter().map(|(_, key)| *key).collect(),
        }
    }

    /// The only project with visible keys, if there is just one.
    pub(super) fn project(&self) -> Option<&ProjectId> {
        let Self::Only(pairs) = self else { return None };
        let (first, _) = pairs.first()?;
        pairs.iter().all(|(project, _)| project == first).then_some(first.as_ref()).flatten()
    }

    /// Narrows a selection to the visible keys.
    pub(super) fn push<DB: Database>(&self, sql: &mut QueryBuilder<DB>)
    where
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        let Self::Only(pairs) = self else { return };
        if let Some(ids) = self.ids().filter(|ids| !ids.is_empty()) {
            // The pairs imply this condition, but no database would use an index for them.
            push_ids(sql, &ids);
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

/// Narrows a selection to keys with these ids.
fn push_ids<DB: Database>(sql: &mut QueryBuilder<DB>, ids: &[KeyId])
where
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    if ids.is_empty() {
        sql.push(" AND 1 = 0");
        return;
    }
    sql.push(" AND id IN (");
    let mut list = sql.separated(", ");
    for id in ids {
        list.push_bind(id.to_string());
    }
    sql.push(")");
}

/// Adds the keys whose id or prefix begins with this text, if any can.
fn push_id_beginning<DB: Database>(sql: &mut QueryBuilder<DB>, text: &str)
where
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let Some(beginning) = IdBeginning::read(text) else { return };
    // It consists of ASCII characters, so its length in bytes is that in characters.
    sql.push(format_args!(" OR (SUBSTR(id, 1, {}) = ", beginning.id.len())).push_bind(beginning.id);
    if let Some((brand, environment)) = beginning.issued_as {
        sql.push(" AND brand = ").push_bind(brand.to_string());
        sql.push(" AND environment = ").push_bind(environment.to_string());
    }
    sql.push(")");
}

/// The function that finds a text in another, with the case of its letters: `LIKE` ignores that on SQLite.
fn position<DB: Database>() -> &'static str {
    match DB::NAME {
        "PostgreSQL" => "STRPOS",
        _ => "INSTR",
    }
}

/// The note with ASCII letters in lower case, as names are folded. SQLite's LOWER changes no others, and neither does
/// PostgreSQL's in this collation.
fn folded_note<DB: Database>() -> &'static str {
    match DB::NAME {
        "PostgreSQL" => r#"LOWER(note COLLATE "C")"#,
        _ => "LOWER(note)",
    }
}

/// A `LIKE` pattern that finds `part` anywhere in a folded name, and takes every character literally.
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
