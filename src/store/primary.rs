//! Finds the PostgreSQL server that accepts writes, among all that the URL names.
//!
//! A standby answers reads from a history that may end before the primary's, so its answers may be stale. No
//! connection to a standby is ever used.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_ok;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection, PgPool, Row as _};
use tokio::sync::watch;
use tokio::time::timeout;

use super::error::{StoreError, timed_out};
use crate::base::lock::Mutex;

/// The longest wait for a new connection, including the check that it leads to the primary.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// The servers that the URL names, and the index of the last known primary.
#[derive(Clone, Debug)]
pub(crate) struct Primary(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    servers: Vec<PgConnectOptions>,
    /// The index of the last known primary.
    last: Mutex<usize>,
    /// The number of failovers noticed so far.
    failovers: watch::Sender<u64>,
}

#[derive(Debug)]
pub(super) struct PrimarySession {
    pub(super) connection: PgConnection,
    /// The server's timeline, if the server reveals it.
    pub(super) timeline: Option<String>,
}

impl Primary {
    pub(super) fn among(servers: Vec<PgConnectOptions>) -> Self {
        let failovers = watch::Sender::new(0);
        Self(Arc::new(Shared { servers, last: Mutex::new(0), failovers }))
    }

    /// The last known primary.
    pub(super) fn options(&self) -> PgConnectOptions {
        let last = *self.0.last.lock();
        self.0.servers[last].clone()
    }

    /// Connects to the current primary.
    ///
    /// # Errors
    /// When no server is the primary: the error of the last server that was tried.
    pub(super) async fn connect(&self) -> Result<PrimarySession, StoreError> {
        let attempts = self.0.servers.iter().enumerate().map(|(index, server)| {
            Box::pin(async move {
                let session = timeout(CONNECT_WITHIN, session(server)).await;
                Ok::<_, sqlx::Error>((index, session.unwrap_or_else(|_| Err(timed_out()))?))
            })
        });
        let ((index, session), _) = select_ok(attempts).await?;
        *self.0.last.lock() = index;
        Ok(session)
    }

    /// A connection for the pool, to the last known primary.
    pub(super) async fn connect_again(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.options().connect().await?;
        refuse_standby(&mut connection).await?;
        Ok(connection)
    }

    /// A pool for a listener: one connection, to the primary only.
    pub(super) fn listening(&self) -> PgPool {
        PoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .after_connect(|connection, _| Box::pin(refuse_standby(connection)))
            .connect_lazy_with(self.options())
    }

    /// Notes that [`Primary::connect`] found another server, so that listeners reconnect.
    pub(super) fn note_failover(&self) {
        self.0.failovers.send_modify(|count| *count += 1);
    }

    /// A receiver that changes with each [`Primary::note_failover`].
    pub(super) fn failovers(&self) -> watch::Receiver<u64> {
        self.0.failovers.subscribe()
    }
}

async fn session(server: &PgConnectOptions) -> sqlx::Result<PrimarySession> {
    let mut connection = server.connect().await?;
    refuse_standby(&mut connection).await?;
    // Managed databases may hide their timeline. The epoch and the changes then still distinguish histories.
    let timeline = match text(&mut connection, "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)").await
    {
        Err(sqlx::Error::Database(_)) => None,
        told => Some(told?),
    };
    Ok(PrimarySession { connection, timeline })
}

/// Refuses a standby. One check is enough: a standby may become the primary during a session, but a primary never
/// becomes a standby.
async fn refuse_standby(connection: &mut PgConnection) -> sqlx::Result<()> {
    let is_standby = text(connection, "SELECT CAST(pg_is_in_recovery() AS TEXT)").await? == "true";
    if is_standby { Err(not_primary()) } else { Ok(()) }
}

/// The single text of an answer. It uses no prepared statement, because a pooler may give that to another client.
pub(super) async fn text(connection: &mut PgConnection, question: &'static str) -> sqlx::Result<String> {
    sqlx::raw_sql(question).fetch_one(connection).await?.try_get(0)
}

/// The error for a server that can't confirm the store.
pub(super) fn not_primary() -> sqlx::Error {
    let kind = std::io::ErrorKind::ReadOnlyFilesystem;
    sqlx::Error::Io(std::io::Error::new(kind, "the server that answered is a standby or read-only"))
}
