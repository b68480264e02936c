//! Reads what other nodes commit, on a dedicated connection. Requests that wait for the pool never delay it, and
//! a connection whose server is silent costs one time limit, once.

use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use tokio::time::{Instant, timeout};

use super::calls::CallKind;
use super::change_kind::ChangeKind;
use super::changes::{Change, Position};
use super::db::{Db, Either, either, row};
use super::error::timed_out;
use super::master_keys::{MASTER_KEYS, MasterKeyRow};
use super::primary::Primary;
use super::revoked_tokens::RevokedTokenRow;
use super::signing_keys::{SIGNING_KEYS, SigningKeyRow};
use super::withdrawals::{WITHDRAWALS_AFTER, WithdrawalRow};
use super::{RevokedToken, SealedSigningKey, Store, StoreError, StoredMasterKey, Withdrawal};
use crate::base::clock::{Timestamp, monotonic_now, timer_now};

/// The longest wait for one answer. It also bounds how late a node notices a failover.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The longest wait for an answer on a connection that has worked before. A new connection is tried after it.
const ANSWER_AGAIN_WITHIN: Duration = Duration::from_secs(1);

/// If a new connection answers within this time, the older one was at fault, and the server isn't just busy.
const PROMPT: Duration = Duration::from_millis(500);

/// The age at which the reader replaces its connection. A server that is being drained is rid of it after this
/// time.
const LIFE: Duration = Duration::from_secs(300);

/// Reads the changes in order, and the state that a node keeps complete in memory.
#[derive(Debug)]
pub struct ChangeReader {
    /// The pool whose connections expire when this reader finds another primary.
    db: Db,
    source: Either<SqliteConnectOptions, Primary>,
    open: Option<Open>,
    /// Whether a connection has failed since the last answer on a new one.
    is_broken: bool,
}

#[derive(Debug)]
struct Open {
    connection: Either<SqliteConnection, PgConnection>,
    /// The timeline that PostgreSQL reported when the connection opened. A session never changes its timeline.
    timeline: Option<String>,
    since: Instant,
}

/// Where the store's history ends, and whether it is still the known history.
#[derive(Debug)]
pub struct HistoryStatus {
    /// The end of the history.
    pub position: Position,
    /// Whether the history continues from the given position. If not, it is a different history.
    pub is_continuous: bool,
}

/// Selects the last change, the known change, and whether this server accepts writes. A standby or a read-only
/// server confirms nothing, because its history may end before the primary's.
macro_rules! position {
    ($is_writable:literal) => {
        concat!(
            "SELECT deployment.epoch, sequences.value AS last, ",
            $is_writable,
            " AS is_writable,
                    newest.kind AS newest_kind, newest.subject AS newest_subject, newest.at AS newest_at,
                    known.kind AS known_kind, known.subject AS known_subject, known.at AS known_at
             FROM sequences
             LEFT JOIN deployment ON deployment.id = 1
             LEFT JOIN changes AS newest ON newest.seq = sequences.value
             LEFT JOIN changes AS known ON known.seq = $1
             WHERE sequences.name = 'changes'"
        )
    };
}

const POSITION_ON_SQLITE: &str = position!("CAST(1 AS BIGINT)");
const POSITION_ON_POSTGRES: &str = position!(
    "CAST(CASE WHEN pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN 0 ELSE 1 END
          AS BIGINT)"
);

const CHANGES_AFTER: &str = "SELECT seq, kind, subject, at FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2";

const TOKENS_OF_CHANGES: &str = "SELECT r.jti, r.key_id, r.expires_at, r.revoked_at FROM changes c
     JOIN revoked_tokens r ON r.jti = c.subject
     WHERE c.kind = 'token' AND c.seq > $1 AND c.seq <= $2";

const TOKENS_SINCE: &str =
    "SELECT jti, key_id, expires_at, revoked_at FROM revoked_tokens WHERE revoked_at >= $1";

row! {
    struct PositionRow {
        epoch: Option<String>,
        last: i64,
        is_writable: i64,
        newest_kind: Option<String>,
        newest_subject: Option<String>,
        newest_at: Option<i64>,
        known_kind: Option<String>,
        known_subject: Option<String>,
        known_at: Option<i64>,
    }
}

row! {
    struct ChangeRow {
        seq: i64,
        kind: String,
        subject: String,
        at: i64,
    }
}

/// Runs one query on the reader's connection, within its time limit. The connection is kept only if the query
/// succeeds.
macro_rules! ask {
    ($reader:expr, |$connection:ident, $DB:ident| $body:expr) => {{
        let mut open = $reader.take().await?;
        let answer =
            timeout(ANSWER_WITHIN, async { either!(&mut open.connection, |$connection, $DB| $body) });
        let answer = answer.await.unwrap_or_else(|_| Err(timed_out()));
        match &answer {
            Ok(_) => $reader.open = Some(open),
            Err(_) => $reader.is_broken = true,
        }
        answer.map_err(StoreError::from)
    }};
}

impl Store {
    /// A reader of this store's changes. It connects when it is first used.
    pub fn change_reader(&self) -> ChangeReader {
        ChangeReader { db: self.db.clone(), source: self.changes.clone(), open: None, is_broken: false }
    }
}

impl ChangeReader {
    /// Where the store's history ends, and whether it continues from `known`. The answer confirms the store: it
    /// comes from a server that accepts writes, and it includes everything that was committed before the call.
    ///
    /// # Errors
    /// When the store fails, or when the server that answers is a standby or read-only.
    pub async fn position(&mut self, known: Option<&Position>) -> Result<HistoryStatus, StoreError> {
        let begun = monotonic_now();
        let position = self.position_now(known).await;
        let calls = either!(&self.db, |pool, DB| pool.calls());
        calls.ended(CallKind::Follow, begun.elapsed(), position.is_err());
        position
    }

    async fn position_now(&mut self, known: Option<&Position>) -> Result<HistoryStatus, StoreError> {
        let seq = known.map_or(-1, |known| known.last);
        if self.open.as_ref().is_some_and(|open| open.since.elapsed() >= LIFE) {
            self.close().await;
        }
        // A broken connection says nothing about the store. The answer on a new one does.
        let answered = match self.open.take() {
            Some(open) => {
                let answered = timeout(ANSWER_AGAIN_WITHIN, position_on(open, seq)).await;
                let answered = answered.ok().and_then(Result::ok);
                self.is_broken |= answered.is_none();
                answered
            }
            None => None,
        };
        let (open, row) = match answered {
            Some(answered) => answered,
            None => self.position_anew(seq).await?,
        };
        let heard = row.heard(open.timeline.clone(), known);
        self.open = Some(open);
        Ok(heard)
    }

    /// Asks on a new connection. If this one answers after an older one failed, the pool's older connections
    /// expire too.
    async fn position_anew(&mut self, seq: i64) -> Result<(Open, PositionRow), StoreError> {
        let asked = timer_now();
        let open = self.take().await?;
        let answered =
            timeout(ANSWER_WITHIN, position_on(open, seq)).await.unwrap_or_else(|_| Err(timed_out()))?;
        let is_prompt = asked.elapsed() < PROMPT;
        if std::mem::take(&mut self.is_broken)
            && is_prompt
            && let (Either::Postgres(pool), Either::Postgres(primary)) = (&self.db, &self.source)
        {
            // The older connections lead to the old primary, which is silent or has stale data.
            pool.expire_all();
            primary.note_failover();
        }
        Ok(answered)
    }

    /// The changes after number `seq`, oldest first, at most `limit` of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn changes_after(&mut self, seq: i64, limit: u16) -> Result<Vec<Change>, StoreError> {
        let rows = ask!(self, |connection, DB| {
            let changes = sqlx::query_as::<DB, ChangeRow>(CHANGES_AFTER).bind(seq).bind(i64::from(limit));
            changes.fetch_all(connection).await
        })?;
        Ok(rows.into_iter().map(Change::from).collect())
    }

    /// The tokens that the changes after number `seq`, up to and including `last`, revoked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tokens_revoked_by(&mut self, seq: i64, last: i64) -> Result<Vec<RevokedToken>, StoreError> {
        let rows = ask!(self, |connection, DB| {
            let tokens = sqlx::query_as::<DB, RevokedTokenRow>(TOKENS_OF_CHANGES).bind(seq).bind(last);
            tokens.fetch_all(connection).await
        })?;
        rows.into_iter().map(RevokedToken::try_from).collect()
    }

    /// The tokens that were revoked at `since` or later.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tokens_revoked_since(&mut self, since: Timestamp) -> Result<Vec<RevokedToken>, StoreError> {
        let rows = ask!(self, |connection, DB| {
            let tokens = sqlx::query_as::<DB, RevokedTokenRow>(TOKENS_SINCE).bind(since.unix());
            tokens.fetch_all(connection).await
        })?;
        rows.into_iter().map(RevokedToken::try_from).collect()
    }

    /// The withdrawals by changes after number `seq`, except those before `since`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn withdrawals_after(
        &mut self,
        seq: i64,
        since: Timestamp,
    ) -> Result<Vec<Withdrawal>, StoreError> {
        let rows = ask!(self, |connection, DB| {
            let withdrawals = sqlx::query_as::<DB, WithdrawalRow>(WITHDRAWALS_AFTER);
            withdrawals.bind(seq).bind(since.unix()).fetch_all(connection).await
        })?;
        rows.into_iter().map(Withdrawal::try_from).collect()
    }

    /// All master keys of the store, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn master_keys(&mut self) -> Result<Vec<StoredMasterKey>, StoreError> {
        let rows = ask!(self, |connection, DB| {
            sqlx::query_as::<DB, MasterKeyRow>(MASTER_KEYS).fetch_all(connection).await
        })?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// All signing keys, earliest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signing_keys(&mut self) -> Result<Vec<SealedSigningKey>, StoreError> {
        let rows = ask!(self, |connection, DB| {
            sqlx::query_as::<DB, SigningKeyRow>(SIGNING_KEYS).fetch_all(connection).await
        })?;
        Ok(rows.into_iter().map(SealedSigningKey::from).collect())
    }

    /// Closes the connection. It waits only briefly for the server.
    pub async fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let closed = async {
            match open.connection {
                Either::Sqlite(connection) => connection.close().await,
                Either::Postgres(connection) => connection.close().await,
            }
        };
        // A connection whose server is silent is dropped without a goodbye.
        let _ = timeout(ANSWER_AGAIN_WITHIN, closed).await;
    }

    /// Takes the open connection, or opens one. The caller puts it back once it has answered.
    async fn take(&mut self) -> Result<Open, StoreError> {
        if let Some(open) = self.open.take() {
            return Ok(open);
        }
        let since = timer_now();
        let (connection, timeline) = match &self.source {
            Either::Sqlite(options) => {
                let connecting = timeout(ANSWER_WITHIN, options.connect());
                (Either::Sqlite(connecting.await.unwrap_or_else(|_| Err(timed_out()))?), None)
            }
            Either::Postgres(primary) => {
                let session = primary.connect().await?;
                (Either::Postgres(session.connection), session.timeline)
            }
        };
        Ok(Open { connection, timeline, since })
    }
}

async fn position_on(mut open: Open, seq: i64) -> sqlx::Result<(Open, PositionRow)> {
    let statement = match &open.connection {
        Either::Sqlite(_) => POSITION_ON_SQLITE,
        Either::Postgres(_) => POSITION_ON_POSTGRES,
    };
    let row = either!(&mut open.connection, |connection, DB| {
        sqlx::query_as::<DB, PositionRow>(statement).bind(seq).fetch_one(connection).await
    })?;
    if row.is_writable == 0 {
        // The error drops the connection. The next one may lead to the primary.
        return Err(super::primary::not_primary());
    }
    Ok((open, row))
}

impl PositionRow {
    fn heard(self, timeline: Option<String>, known: Option<&Position>) -> HistoryStatus {
        let Self { epoch, last, newest_kind, newest_subject, newest_at, .. } = self;
        let at_known =
            change(known.map_or(-1, |known| known.last), self.known_kind, self.known_subject, self.known_at);
        let position =
            Position { epoch, timeline, last, change: change(last, newest_kind, newest_subject, newest_at) };
        let is_continuous = known.is_some_and(|known| {
            known.epoch == position.epoch
                && known.timeline == position.timeline
                && known.last <= position.last
                // A change that is no longer kept proves nothing. A change that differs from the known one, or
                // that exists only now, belongs to another history.
                && (at_known.is_none() || at_known == known.change)
        });
        HistoryStatus { position, is_continuous }
    }
}

fn change(seq: i64, kind: Option<String>, subject: Option<String>, at: Option<i64>) -> Option<Change> {
    Some(ChangeRow { seq, kind: kind?, subject: subject?, at: at? }.into())
}

impl From<ChangeRow> for Change {
    fn from(row: ChangeRow) -> Self {
        Self {
            seq: row.seq,
            kind: ChangeKind::from_text(&row.kind),
            subject: row.subject,
            at: Timestamp::from_unix(row.at),
        }
    }
}
