//! A pooled connection, and how it goes back.

use std::ops::{Deref, DerefMut};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::{Engine, Pool, RawConnection};

/// A connection of a pool, for one statement or one transaction. Only [`PooledConnection::release`] returns it for sure; when it is
/// dropped, because the caller was canceled, it must show that it still works.
pub(crate) struct PooledConnection<DB: Engine> {
    pool: Pool<DB>,
    /// `None` once it has gone one way or the other.
    held: Option<(RawConnection<DB>, OwnedSemaphorePermit)>,
}

const HELD: &str = "a connection is held until it is given back";

impl<DB: Engine> PooledConnection<DB> {
    pub(super) fn new(pool: Pool<DB>, live: RawConnection<DB>, permit: OwnedSemaphorePermit) -> Self {
        Self { pool, held: Some((live, permit)) }
    }

    /// Where it comes from.
    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Returns it after its work has ended well.
    pub(crate) fn release(mut self) {
        if let Some((live, _permit)) = self.held.take() {
            self.pool.return_idle(live);
        }
    }

    /// Returns it after work that ended with `error`, or closes it where that is what the error calls for.
    pub(crate) fn release_after(self, error: &sqlx::Error) {
        if self.pool.note_error(error) { self.release() } else { self.discard() }
    }

    /// Closes it, without a word to the other end, which may be silent.
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
