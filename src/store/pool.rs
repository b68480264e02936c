//! A bounded pool of connections to a database. Each connection serves one statement or one transaction at a
//! time.
//!
//! A pool that takes every connection back passes faults on to the next caller: a transaction that never ended, a
//! session that stays read-only, a server that doesn't answer. This pool takes a connection back only after its work
//! has ended well. [`PooledConnection`] decides that in one place for all callers.

mod connection;
mod engine;
mod executor;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use self::connection::PooledConnection;
pub(crate) use self::engine::{Engine, PostgresServer, SqliteFile};
use super::calls::{CallKind, StoreCalls};
use super::error::timed_out_because;
use super::fault::Fault;
use super::write_health::WriteHealth;
use crate::base::clock::monotonic_now;
use crate::base::counted::Counted;
use crate::base::lock::Mutex;
use crate::sharing::background;

/// The longest wait for a free connection.
const WAIT: Duration = Duration::from_secs(5);

/// The longest wait for a new connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// The longest wait for the answer to a ping, before a connection is handed out and before it is taken back.
const PING_WITHIN: Duration = Duration::from_secs(1);

/// The age at which a connection is replaced. It bounds how long a connection is used after the server's name has
/// come to mean another server.
const MAX_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A connection that is idle for this long is closed.
const MAX_IDLE: Duration = Duration::from_secs(10 * 60);

/// A pool of connections to one database. Clones share it.
pub(crate) struct Pool<DB: Engine>(Arc<Inner<DB>>);

struct Inner<DB: Engine> {
    source: DB::Source,
    /// Opens the connections, and drives them.
    home: Handle,
    size: u32,
    permits: Arc<Semaphore>,
    /// The idle connections. The one that was used last is at the end.
    idle: Mutex<VecDeque<IdleConnection<DB>>>,
    /// Connections that were opened at this moment or before are not handed out again.
    expired_before: Mutex<Option<Instant>>,
    /// Why the last attempt to connect failed. A success clears it.
    last_error: Mutex<Option<String>>,
    /// A connection that is never handed out; see [`Pool::anchor`].
    anchor: tokio::sync::Mutex<Option<DB::Connection>>,
    is_closed: AtomicBool,
    writes: Arc<WriteHealth>,
    calls: Arc<StoreCalls>,
    /// The callers who wait for a connection.
    waiting: AtomicUsize,
}

/// How busy a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLoad {
    /// The connections that are handed out, or are being opened for a caller.
    pub in_use: usize,
    /// The open connections that nobody uses.
    pub idle: usize,
    /// The most connections.
    pub limit: usize,
    /// The callers who wait for a connection.
    pub waiting: usize,
}

struct RawConnection<DB: Engine> {
    raw: DB::Connection,
    opened: Instant,
}

struct IdleConnection<DB: Engine> {
    live: RawConnection<DB>,
    since: Instant,
}

impl<DB: Engine> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Engine> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.0.size).finish_non_exhaustive()
    }
}

impl<DB: Engine> Pool<DB> {
    /// A pool of at most `size` connections. It opens none yet.
    pub(crate) fn new(source: DB::Source, size: u32) -> Self {
        Self::at(Handle::current(), source, size, (Arc::default(), Arc::default()))
    }

    /// A second pool of at most `size` connections to the same database, at the priority of background threads: SQLite runs
    /// statements on a thread of the connection, which inherits the priority of the thread that opens it.
    pub(crate) fn in_background(&self, size: u32) -> Self
    where
        DB::Source: Clone,
    {
        let shared = (Arc::clone(&self.0.writes), Arc::clone(&self.0.calls));
        Self::at(background::handle(), self.0.source.clone(), size, shared)
    }

    fn at(
        home: Handle,
        source: DB::Source,
        size: u32,
        (writes, calls): (Arc<WriteHealth>, Arc<StoreCalls>),
    ) -> Self {
        Self(Arc::new(Inner {
            source,
            home,
            size,
            permits: Arc::new(Semaphore::new(size as usize)),
            idle: Mutex::default(),
            expired_before: Mutex::default(),
            last_error: Mutex::default(),
            anchor: tokio::sync::Mutex::default(),
            is_closed: AtomicBool::new(false),
            writes,
            calls,
            waiting: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn source(&self) -> &DB::Source {
        &self.0.source
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> u32 {
        self.0.size
    }

    /// Whether writes reach the disk.
    pub(crate) fn writes(&self) -> &WriteHealth {
        &self.0.writes
    }

    /// The calls to the database.
    pub(crate) fn calls(&self) -> &Arc<StoreCalls> {
        &self.0.calls
    }

    /// How busy the pool is.
    pub(crate) fn load(&self) -> PoolLoad {
        let limit = self.0.size as usize;
        PoolLoad {
            in_use: limit.saturating_sub(self.0.permits.available_permits()),
            idle: self.0.idle.lock().len(),
            limit,
            waiting: self.0.waiting.load(Ordering::Relaxed),
        }
    }

    /// Hands out a working connection.
    pub(crate) async fn acquire(&self) -> sqlx::Result<PooledConnection<DB>> {
        if self.0.is_closed.load(Ordering::Acquire) {
            return Err(sqlx::Error::PoolClosed);
        }
        let permit = {
            let _waiting = Counted::on(&self.0.waiting);
            timeout(WAIT, Arc::clone(&self.0.permits).acquire_owned()).await
        };
        let permit = permit.map_err(|_| self.acquire_error())?.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(IdleConnection { mut live, .. }) = self.take_idle() {
            if self.is_alive(&mut live).await {
                return Ok(PooledConnection::new(self.clone(), live, permit));
            }
        }
        Ok(PooledConnection::new(self.clone(), self.open().await?, permit))
    }

    /// Keeps one unused connection open until the pool is closed. SQLite removes its write-ahead log when the
    /// last connection closes; this one prevents that while a server runs.
    pub(crate) async fn anchor(&self) -> sqlx::Result<()> {
        let live = self.open().await?;
        *self.0.anchor.lock().await = Some(live.raw);
        Ok(())
    }

    /// Stops handing out the connections that are open now, because the server behind them has changed.
    pub(crate) fn expire_all(&self) {
        *self.0.expired_before.lock() = Some(monotonic_now());
        self.0.idle.lock().clear();
    }

    /// Stops handing out connections, waits until all are idle, and closes them.
    pub(crate) async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        let Ok(_all) = self.0.permits.acquire_many(self.0.size).await else { return };
        let idle = std::mem::take(&mut *self.0.idle.lock());
        for IdleConnection { live, .. } in idle {
            let _ = live.raw.close().await;
        }
        if let Some(anchor) = self.0.anchor.lock().await.take() {
            let _ = anchor.close().await;
        }
        self.0.permits.close();
    }

    async fn open(&self) -> sqlx::Result<RawConnection<DB>> {
        let opened = monotonic_now();
        let opening = timeout(CONNECT_WITHIN, self.connect()).await;
        let too_late = |_| timed_out_because(format!("no connection within {} s", CONNECT_WITHIN.as_secs()));
        let connected = opening.map_err(too_late).and_then(|connected| connected);
        self.0.calls.ended(CallKind::Connect, opened.elapsed(), connected.is_err());
        *self.0.last_error.lock() = connected.as_ref().err().map(ToString::to_string);
        Ok(RawConnection { raw: connected?, opened })
    }

    /// Connects on the pool's own runtime: a connection outlives the request that needed it first.
    async fn connect(&self) -> sqlx::Result<DB::Connection> {
        let pool = self.clone();
        let connecting = self.0.home.spawn(async move { DB::connect(&pool.0.source).await });
        connecting.await.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed))
    }

    /// The usable idle connection that was used last.
    fn take_idle(&self) -> Option<IdleConnection<DB>> {
        let mut idle = self.0.idle.lock();
        while idle.front().is_some_and(|oldest| oldest.since.elapsed() > MAX_IDLE) {
            idle.pop_front();
        }
        std::iter::from_fn(|| idle.pop_back()).find(|idle| self.is_usable(&idle.live))
    }

    /// Takes back a connection whose work has ended well.
    fn return_idle(&self, live: RawConnection<DB>) {
        if self.is_usable(&live) {
            self.0.idle.lock().push_back(IdleConnection { live, since: monotonic_now() });
        }
    }

    fn is_usable(&self, live: &RawConnection<DB>) -> bool {
        let is_expired = self.0.expired_before.lock().is_some_and(|moment| live.opened <= moment);
        !is_expired && live.opened.elapsed() <= MAX_LIFETIME
    }

    /// Whether the server answers a ping in time.
    async fn is_alive(&self, live: &mut RawConnection<DB>) -> bool {
        match timeout(PING_WITHIN, live.raw.ping()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                self.note_error(&error);
                false
            }
            Err(_) => {
                self.expire_all();
                false
            }
        }
    }

    /// Expires what an error shows to be unusable. Returns whether the connection may be used again.
    fn note_error(&self, error: &sqlx::Error) -> bool {
        match Fault::of(error) {
            Fault::Statement => true,
            Fault::Connection => false,
            Fault::Server => {
                self.expire_all();
                false
            }
        }
    }

    /// Why no connection was free in time: the database accepts none, or all are in use.
    fn acquire_error(&self) -> sqlx::Error {
        match &*self.0.last_error.lock() {
            Some(last_error) => timed_out_because(last_error.clone()),
            None => sqlx::Error::PoolTimedOut,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc::channel;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{Sqlite, SqliteConnection};

    use super::*;

    #[tokio::test]
    async fn sqlite_runs_the_statements_of_background_connections_in_the_background() {
        let (asked, priorities) = channel();
        // SQLite asks on the thread that it works on.
        let options = SqliteConnectOptions::new().in_memory(true).collation("asks", move |one, other| {
            asked.send(rustix::process::getpriority_process(None).unwrap()).unwrap();
            one.cmp(other)
        });
        let others = Pool::<Sqlite>::new(SqliteFile { options, file: None }, 1);
        let compare = async |connection: &mut SqliteConnection| {
            sqlx::query("SELECT $1 < $2 COLLATE asks").bind("a").bind("b").execute(connection).await.unwrap();
            priorities.try_iter().last().unwrap()
        };
        let normal = compare(&mut others.acquire().await.unwrap()).await;
        // Opened from here, which is no background thread.
        let background = others.in_background(1);
        assert!(compare(&mut background.acquire().await.unwrap()).await > normal);
    }
}
