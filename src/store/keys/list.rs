//! Pages of keys, newest first or in another order.

use sqlx::{Database, Encode, QueryBuilder, Type};

use super::row::{KeyRow, group};
use super::{joined, newest_secret_last, select_key};
use crate::api_key::{EnvironmentSlug, KeyId};
use crate::clock::Timestamp;
use crate::key::ApiKey;
use crate::names::{OrganizationId, ProjectId};
use crate::store::db::on;
use crate::store::page::Page;
use crate::store::write::Write;
use crate::store::{Store, StoreError};

/// A page of an organization's keys.
#[derive(Debug)]
pub struct KeyQuery {
    /// Only those that the caller may read.
    pub visible: VisibleKeys,
    /// Which of them.
    pub filter: KeyFilter,
    /// In which order.
    pub order: KeyOrder,
    /// Only those behind the key of this creation number: where the previous page ended.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

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
    /// Only those that this key, or the bootstrap, made.
    pub created_by: Option<String>,
    /// Only those whose last use, or else their creation, was before this moment.
    pub unused_since: Option<Timestamp>,
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
            created_by: None,
            unused_since: None,
        }
    }
}

/// In which order keys are listed. Those that are alike in it are in the order that they were made in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// By name, ASCII case ignored; the rest is as the database sorts text.
    Name,
    /// Those that end first, and those that never do last.
    End,
}

impl KeyOrder {
    /// What rows are sorted by, and whether downwards. There is an index for each.
    const fn columns(self) -> (&'static str, bool) {
        match self {
            Self::Newest => ("created_seq", true),
            Self::Oldest => ("created_seq", false),
            Self::Name => ("name_folded, created_seq", false),
            Self::End => ("(COALESCE(expires_at, 253402300800)), created_seq", false),
        }
    }

    /// Narrows a selection to what comes after the key of this creation number.
    fn push_after<DB: Database>(self, sql: &mut QueryBuilder<DB>, seq: i64)
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
    {
        match self {
            Self::Newest => drop(sql.push(" AND created_seq < ").push_bind(seq)),
            Self::Oldest => drop(sql.push(" AND created_seq > ").push_bind(seq)),
            Self::Name | Self::End => {
                let (columns, _) = self.columns();
                sql.push(format_args!(
                    " AND ({columns}) > (SELECT {columns} FROM api_keys WHERE created_seq = "
                ));
                sql.push_bind(seq).push(")");
            }
        }
    }

    fn push_order<DB: Database>(self, sql: &mut QueryBuilder<DB>) {
        let (columns, is_down) = self.columns();
        sql.push(format_args!(" ORDER BY {columns}{}", if is_down { " DESC" } else { "" }));
    }
}

/// Where a listed key must stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusFilter {
    /// Usable now.
    #[default]
    Active,
    /// Past its end and not revoked.
    Expired,
    /// Revoked.
    Revoked,
    /// Active or expired.
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

impl Store {
    /// One page of keys.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn keys(&self, query: &KeyQuery, now: Timestamp) -> Result<Page<ApiKey>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let mut select = select::<DB>(query, now);
            select.build_query_as::<KeyRow>().fetch_all(pool).await
        })?;
        page(rows, query.limit)
    }
}

impl Write {
    /// The first page of keys, as this mutation sees them.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn keys(&mut self, filter: &KeyFilter, limit: u16) -> Result<Page<ApiKey>, StoreError> {
        let query = KeyQuery {
            visible: VisibleKeys::All,
            filter: filter.clone(),
            before: None,
            limit,
            order: KeyOrder::Newest,
        };
        let now = self.at;
        let rows = on!(&mut self.tx, |tx, DB| {
            let mut select = select::<DB>(&query, now);
            select.build_query_as::<KeyRow>().fetch_all(&mut **tx).await
        })?;
        page(rows, limit)
    }
}

fn page(rows: Vec<KeyRow>, limit: u16) -> Result<Page<ApiKey>, StoreError> {
    Ok(Page::of(group(rows)?.into_iter().map(|(stored, seq)| (seq, stored.key)).collect(), limit))
}

fn select<DB: Database>(query: &KeyQuery, now: Timestamp) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let filter = &query.filter;
    let mut sql = QueryBuilder::new(concat!(select_key!(), "(SELECT * FROM api_keys WHERE organization = "));
    sql.push_bind(filter.organization.to_string());
    if let Some(project) = &filter.project {
        sql.push(" AND project = ").push_bind(project.to_string());
    }
    if let Some(environment) = &filter.environment {
        sql.push(" AND environment = ").push_bind(environment.to_string());
    }
    if let Some(part) = &filter.name_contains {
        sql.push(" AND name_folded LIKE ").push_bind(substring_pattern(part)).push(r" ESCAPE '\'");
    }
    if let Some(creator) = &filter.created_by {
        sql.push(" AND created_by = ").push_bind(creator.clone());
    }
    if let Some(moment) = filter.unused_since {
        sql.push(" AND COALESCE(last_used_at, created_at) < ").push_bind(moment.unix());
    }
    if let Some(seq) = query.before {
        query.order.push_after(&mut sql, seq);
    }
    push_status(&mut sql, filter.status, now);
    push_visible(&mut sql, &query.visible);
    query.order.push_order(&mut sql);
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1).push(concat!(")", joined!()));
    match query.order {
        KeyOrder::Newest => sql.push("ORDER BY k.created_seq DESC, "),
        KeyOrder::Oldest => sql.push("ORDER BY k.created_seq, "),
        KeyOrder::Name => sql.push("ORDER BY k.name_folded, k.created_seq, "),
        KeyOrder::End => sql.push("ORDER BY COALESCE(k.expires_at, 253402300800), k.created_seq, "),
    };
    sql.push(newest_secret_last!());
    sql
}

fn push_status<DB: Database>(sql: &mut QueryBuilder<DB>, status: StatusFilter, now: Timestamp)
where
    for<'t> i64: Encode<'t, DB> + Type<DB>,
{
    match status {
        StatusFilter::All => {}
        StatusFilter::Revoked => drop(sql.push(" AND revoked_at IS NOT NULL")),
        StatusFilter::Unrevoked => drop(sql.push(" AND revoked_at IS NULL")),
        StatusFilter::Active => {
            sql.push(" AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ");
            sql.push_bind(now.unix()).push(")");
        }
        StatusFilter::Expired => {
            sql.push(" AND revoked_at IS NULL AND expires_at <= ").push_bind(now.unix());
        }
    }
}

fn push_visible<DB: Database>(sql: &mut QueryBuilder<DB>, visible: &VisibleKeys)
where
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let VisibleKeys::Only(pairs) = visible else { return };
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
