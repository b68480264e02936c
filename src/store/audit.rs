//! Reads and prunes the audit trail. [`super::Write`] writes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Database, Encode, QueryBuilder, Type};

use super::db::{on, row};
use super::{Page, Reading, Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::audit::{ActionFilter, EventFilter, EventId, RecordedEvent};

/// A query for one page of events.
#[derive(Debug)]
pub struct EventQuery<'f> {
    /// The events that the caller asks for.
    pub filter: &'f EventFilter,
    /// Where the previous page ended: the page has only earlier events.
    pub before: Option<EventPosition>,
    /// The most events on the page.
    pub limit: u16,
}

/// The position of an event in the trail. The trail is sorted by time and, within a second, by change number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPosition {
    /// Unix seconds.
    at: i64,
    seq: i64,
}

/// A page of events.
pub type EventPage = Page<RecordedEvent, EventPosition>;

row! {
    struct EventRow {
        seq: i64,
        at: i64,
        actor: String,
        actor_name: Option<String>,
        operator_id: Option<String>,
        address: Option<String>,
        request_id: Option<String>,
        action: String,
        organization: Option<String>,
        key_id: Option<String>,
        subject: String,
        before: Option<String>,
        after: Option<String>,
    }
}

impl Reading {
    /// One page of events, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn events(&self, query: &EventQuery<'_>) -> Result<EventPage, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            select::<DB>(query).build_query_as::<EventRow>().fetch_all(pool).await
        })?;
        let events = rows.into_iter().map(|row| Ok((row.position(), row.try_into()?)));
        Ok(Page::of(events.collect::<Result<_, StoreError>>()?, query.limit))
    }
}

impl Store {
    /// Deletes at most `most` events from before `before`. Returns how many it deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_old_events(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query::<DB>(
                "DELETE FROM audit_events
                 WHERE seq IN (SELECT seq FROM audit_events WHERE at < $1 ORDER BY at, seq LIMIT $2)",
            )
            .bind(before.unix())
            .bind(i64::from(most))
            .execute(pool)
            .await
            .map(|done| done.rows_affected())
        })?)
    }
}

/// Selects one event more than the limit, which shows whether there is a next page.
fn select<DB: Database>(query: &EventQuery<'_>) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let mut sql = QueryBuilder::new(
        "SELECT seq, at, actor, actor_name, operator_id, address, request_id, action, organization, key_id, subject,
                before, after
         FROM audit_events WHERE 1 = 1",
    );
    let filter = query.filter;
    if let Some(organization) = &filter.organization {
        sql.push(" AND organization = ").push_bind(organization.to_string());
    }
    if let Some(actor) = &filter.actor {
        sql.push(" AND actor = ").push_bind(actor.to_string());
    }
    if let Some(key) = filter.key {
        sql.push(" AND key_id = ").push_bind(key.to_string());
    }
    match &filter.action {
        None => {}
        Some(ActionFilter::Exactly(action)) => drop(sql.push(" AND action = ").push_bind(action.clone())),
        Some(ActionFilter::Family(family)) => drop(sql.push(" AND family = ").push_bind(family.clone())),
    }
    if let Some(from) = filter.from {
        sql.push(" AND at >= ").push_bind(from.unix());
    }
    match (query.before, filter.to) {
        // The position comes from an earlier page, so it already lies before `to`.
        (Some(before), _) => {
            sql.push(" AND (at, seq) < (").push_bind(before.at);
            sql.push(", ").push_bind(before.seq).push(")");
        }
        (None, Some(to)) => drop(sql.push(" AND at < ").push_bind(to.unix())),
        (None, None) => {}
    }
    sql.push(" ORDER BY at DESC, seq DESC LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql
}

impl EventRow {
    const fn position(&self) -> EventPosition {
        EventPosition { at: self.at, seq: self.seq }
    }
}

impl TryFrom<EventRow> for RecordedEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: EventId(row.seq),
            at: Timestamp::from_unix(row.at),
            actor: row.actor,
            actor_name: row.actor_name,
            operator_id: row.operator_id,
            address: row.address,
            request_id: row.request_id,
            action: row.action,
            organization: row.organization,
            key: row.key_id,
            subject: row.subject,
            before: json(row.before)?,
            after: json(row.after)?,
        })
    }
}

fn json(text: Option<String>) -> Result<Option<Value>, StoreError> {
    let read = |text: String| serde_json::from_str(&text);
    text.map(read).transpose().map_err(|error| StoreError::corrupt("audit event", error))
}

#[cfg(test)]
mod tests {
    use sqlx::Sqlite;

    use super::*;
    use crate::domain::audit::Who;
    use crate::store::db::{Either, plan};

    #[tokio::test]
    async fn a_page_is_read_off_an_index_whatever_narrows_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let Either::Sqlite(pool) = &store.db else { unreachable!() };
        let everything = EventFilter::default();
        let by_actor = EventFilter { actor: Some(Who::Schedule), ..everything.clone() };
        let by_key = EventFilter { key: "key_0123456789abcdef".parse().ok(), ..everything.clone() };
        let by_action = EventFilter { action: "key.revoke".parse().ok(), ..everything.clone() };
        let by_family = EventFilter { action: "key.*".parse().ok(), ..everything.clone() };
        for (filter, of_all, of_one) in [
            (everything, "by_time (", "in_organization (organization=? AND "),
            (by_actor, "by_actor (actor=? AND ", "in_organization_by_actor (organization=? AND actor=? AND "),
            (by_key, "by_key (key_id=? AND ", "by_key (key_id=? AND "),
            (
                by_action,
                "by_action (action=? AND ",
                "in_organization_by_action (organization=? AND action=? AND ",
            ),
            (
                by_family,
                "by_family (family=? AND ",
                "in_organization_by_family (organization=? AND family=? AND ",
            ),
        ] {
            for (organization, index) in [(None, of_all), (Some("acme"), of_one)] {
                let organization = organization.map(|id| id.parse().unwrap());
                let (from, to) = (Some(Timestamp::from_unix(1)), Some(Timestamp::from_unix(9)));
                let filter = EventFilter { organization, from, to, ..filter.clone() };
                let somewhere = EventPosition { at: 5, seq: 5 };
                for (before, bounds) in
                    [(None, "at>? AND at<?"), (Some(somewhere), "at>? AND (at,seq)<(?,?)")]
                {
                    let query = EventQuery { filter: &filter, before, limit: 200 };
                    // A single step: the index also provides the order.
                    let expected = format!("SEARCH audit_events USING INDEX audit_events_{index}{bounds})");
                    assert_eq!(plan(pool, select::<Sqlite>(&query).sql().as_str()).await, [expected]);
                }
            }
        }
    }
}
