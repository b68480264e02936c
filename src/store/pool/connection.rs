//! A borrowed connection of a pool, and its return.

use std::ops::{Deref, DerefMut};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::{Engine, Pool, RawConnection};

/// A connection of a pool, for one statement or one transaction. [`PooledConnection::release`] returns it. If it is
/// dropped instead, because the caller was cancelled, the connection must answer a ping first.
pub(crate) struct PooledConnection<DB: Engine> {
    pool: Pool<DB>,
    /// `None` once it was returned or discarded.
    held: Option<(RawConnection<DB>, OwnedSemaphorePermit)>,
}

const HELD: &str = "a connection is held until it is given back";

impl<DB: Engine> PooledConnection<DB> {
    pub(super) fn new(pool: Pool<DB>, live: RawConnection<DB>, permit: OwnedSemaphorePermit) -> Self {
        Self { pool, held: Some((live, permit)) }
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Returns it after its work has ended well.
    pub(crate) fn release(mut self) {
        if let Some((live, _permit)) = self.held.take() {
            self.pool.return_idle(live);
        }
    }

    /// Returns it after work that ended with `error`, or closes it if the error requires that.
    pub(crate) fn release_after(self, error: &sqlx::Error) {
        if self.pool.note_error(error) { self.release() } else { self.discard() }
    }

    /// Closes it without notice to the server, which may be silent.
    pub(crate) fn discard(mut self) {
        self.held = None;
    }
}

impl<DB: Engine> Drop for PooledConnection<DB> {
    fn drop(&mut self) {
        let Some((mut live, permit)) = self.held.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let pool = self.pool.clone();
        runtime.spawn(async move {
            if pool.is_alive(&mut live).await {
                pool.return_idle(live);
            }
            drop(permit);
        });
    }
}

impl<DB: Engine> Deref for PooledConnection<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.held.as_ref().expect(HELD).0.raw
    }
}

impl<DB: Engine> DerefMut for PooledConnection<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.held.as_mut().expect(HELD).0.raw
    }
}
