//! Detects a pooler between this server and PostgreSQL that can't be used.

use std::time::Duration;

use sqlx::{PgConnection, Postgres};
use tokio::time::timeout;

use super::error::{OpenError, timed_out};
use super::pool::{Engine as _, PostgresServer};
use super::primary::text;

/// The longest wait for the session of an open connection. A pooler of whole sessions answers at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The longest wait for two more connections.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Refuses a pooler that lends a session for less than the life of a connection. Settings, prepared statements and
/// notifications would then reach other connections.
///
/// Such a pooler gives a session to another connection as soon as it is idle. The test opens a transaction on a
/// second connection. If the first connection then has another session or none, the pooler works that way.
pub(super) async fn refuse_transaction_mode(server: &PostgresServer) -> Result<(), OpenError> {
    match keeps_its_session(server).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(OpenError::TransactionPooling),
        // "transaction blocks not allowed in statement pooling mode"
        Err(error) if error.to_string().contains("pooling mode") => Err(OpenError::TransactionPooling),
        Err(error) => Err(OpenError::Connect(error)),
    }
}

async fn keeps_its_session(server: &PostgresServer) -> sqlx::Result<bool> {
    let connecting = async { Ok((Postgres::connect(server).await?, Postgres::connect(server).await?)) };
    let connected = timeout(CONNECT_WITHIN, connecting).await.unwrap_or_else(|_| Err(timed_out()));
    let (mut first, mut second) = connected?;
    let before = session(&mut first).await?;
    sqlx::raw_sql("BEGIN").execute(&mut second).await?;
    let held = session(&mut second).await?;
    // No answer: the pooler has only one session, and has given it to the second connection.
    let after = timeout(ANSWER_WITHIN, session(&mut first)).await;
    let is_kept = held != before && matches!(after, Ok(Ok(after)) if after == before);
    sqlx::raw_sql("ROLLBACK").execute(&mut second).await?;
    Ok(is_kept)
}

async fn session(connection: &mut PgConnection) -> sqlx::Result<String> {
    text(connection, "SELECT CAST(pg_backend_pid() AS TEXT)").await
}
