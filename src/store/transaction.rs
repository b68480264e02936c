//! A transaction that returns its connection to the pool only if it ended well.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::calls::{CallKind, is_failure};
use super::error::timed_out;
use super::fault::Fault;
use super::pool::{Engine, Pool, PooledConnection};

/// The longest wait for a rollback in the background.
const ROLLED_BACK_WITHIN: Duration = Duration::from_secs(2);

/// Every statement so far was answered, and none failed.
const READY: u8 = 0;
/// A statement is running. If the transaction is dropped now, its caller was cancelled.
const RUNNING: u8 = 1;
/// A statement failed. The transaction can't commit, and a rollback ends it.
const FAILED: u8 = 2;
/// The connection failed.
const BROKEN: u8 = 3;

/// An open transaction. Dropping it without [`Transaction::commit`] rolls it back.
///
/// SQLite rolls back by itself when the disk is full, and a server may end a session at any time. An error in
/// beginning, committing or rolling back therefore closes the connection. So does a caller that is cancelled during a
/// statement.
pub(crate) struct Transaction<DB: Engine> {
    /// `None` once the transaction has ended.
    connection: Option<PooledConnection<DB>>,
    state: AtomicU8,
    /// Whether the outcome says something about writes in general.
    is_watched: bool,
}

const OPEN: &str = "a transaction is open until it is committed";

impl<DB: Engine> Pool<DB> {
    /// Opens a transaction that may write.
    pub(crate) async fn begin(&self) -> sqlx::Result<Transaction<DB>> {
        DB::check_source(self.source())?;
        self.begin_with(DB::BEGIN).await
    }

    /// Opens a transaction with the given statement.
    pub(crate) async fn begin_with(&self, statement: &'static str) -> sqlx::Result<Transaction<DB>> {
        let mut tx = Transaction {
            connection: Some(self.acquire().await?),
            state: AtomicU8::new(RUNNING),
            is_watched: false,
        };
        match DB::run(&mut tx, statement).await {
            Ok(()) => {
                tx.state = AtomicU8::new(READY);
                Ok(tx)
            }
            Err(error) => {
                if let Some(connection) = tx.connection.take() {
                    // If the error is a lock that somebody else holds, the connection is still fine.
                    connection.release_after(&error);
                }
                Err(error)
            }
        }
    }
}

impl<DB: Engine> Transaction<DB> {
    /// Marks the transaction as a writer that has its turn. From now on, its outcome updates the health of writes.
    pub(crate) fn watch(&mut self) {
        self.is_watched = true;
    }

    /// Commits. `Ok` means that the next start finds what was written.
    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        let committed = self.try_commit().await;
        let Some(connection) = self.connection.take() else { return committed };
        let pool = connection.pool().clone();
        match &committed {
            Ok(()) => {
                connection.release();
                if self.is_watched {
                    pool.writes().succeeded();
                }
            }
            Err(error) => {
                if Fault::of(error) == Fault::Server {
                    pool.expire_all();
                }
                connection.discard();
                if self.is_watched {
                    pool.writes().failed(error);
                }
            }
        }
        committed
    }

    async fn try_commit(&mut self) -> sqlx::Result<()> {
        if self.state.swap(RUNNING, Ordering::AcqRel) != READY {
            return Err(sqlx::Error::Protocol(
                "a transaction in which a statement failed is not committed".into(),
            ));
        }
        if self.is_watched {
            DB::check_source(self.pool()?.source())?;
        }
        DB::run(&mut *self, "COMMIT").await?;
        if self.is_watched {
            // Checked again: if the file has disappeared meanwhile, the data is lost.
            DB::check_source(self.pool()?.source())?;
        }
        Ok(())
    }

    fn pool(&self) -> sqlx::Result<&Pool<DB>> {
        self.connection.as_ref().map(PooledConnection::pool).ok_or(sqlx::Error::PoolClosed)
    }
}

/// Observes the statements that run on a connection.
pub(crate) trait StatementObserver {
    /// A statement is about to run.
    fn started(&self) {}

    /// The statement that began at this moment has ended.
    fn ended<T>(&self, answer: &sqlx::Result<T>, begun: Instant);
}

/// A pool decides for each statement by itself, and measures it.
impl<DB: Engine> StatementObserver for Pool<DB> {
    fn ended<T>(&self, answer: &sqlx::Result<T>, begun: Instant) {
        self.calls().ended(CallKind::Statement, begun.elapsed(), answer.as_ref().is_err_and(is_failure));
    }
}

impl<DB: Engine> StatementObserver for Transaction<DB> {
    fn started(&self) {
        let _ = self.state.compare_exchange(READY, RUNNING, Ordering::AcqRel, Ordering::Relaxed);
    }

    fn ended<T>(&self, answer: &sqlx::Result<T>, _: Instant) {
        let Err(error) = answer else {
            let _ = self.state.compare_exchange(RUNNING, READY, Ordering::AcqRel, Ordering::Relaxed);
            return;
        };
        let fault = Fault::of(error);
        self.state.store(if fault == Fault::Statement { FAILED } else { BROKEN }, Ordering::Release);
        let Some(connection) = &self.connection else { return };
        if fault == Fault::Server {
            connection.pool().expire_all();
        }
        if self.is_watched {
            connection.pool().writes().failed(error);
        }
    }
}

impl<DB: Engine> Drop for Transaction<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let state = *self.state.get_mut();
        if self.is_watched && state == RUNNING {
            connection.pool().writes().failed(&timed_out());
        }
        let (READY | FAILED, Ok(runtime)) = (state, Handle::try_current()) else {
            return connection.discard();
        };
        runtime.spawn(async move {
            match timeout(ROLLED_BACK_WITHIN, DB::run(&mut connection, "ROLLBACK")).await {
                Ok(Ok(())) => connection.release(),
                _ => connection.discard(),
            }
        });
    }
}

impl<DB: Engine> std::fmt::Debug for Transaction<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl<DB: Engine> Deref for Transaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        self.connection.as_ref().expect(OPEN)
    }
}

impl<DB: Engine> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.connection.as_mut().expect(OPEN)
    }
}
