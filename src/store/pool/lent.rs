//! A borrowed connection, and how it goes back.

use std::ops::{Deref, DerefMut};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::{Engine, Live, Pool};

/// A connection of a pool, for one statement or one transaction. Only [`Lent::give_back`] returns it for sure; when it is
/// dropped, because the borrower was canceled, it must show that it still works.
pub(crate) struct Lent<DB: Engine> {
    pool: Pool<DB>,
    /// `None` once it has gone one way or the other.
    held: Option<(Live<DB>, OwnedSemaphorePermit)>,
}

const HELD: &str = "a connection is held until it is given back";

impl<DB: Engine> Lent<DB> {
    pub(super) fn new(pool: Pool<DB>, live: Live<DB>, permit: OwnedSemaphorePermit) -> Self {
        Self { pool, held: Some((live, permit)) }
    }

    /// Where it comes from.
    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Returns it after its work has ended well.
    pub(crate) fn give_back(mut self) {
        if let Some((live, _permit)) = self.held.take() {
            self.pool.take_back(live);
        }
    }

    /// Returns it after work that ended with `error`, or closes it where that is what the error calls for.
    pub(crate) fn give_back_after(self, error: &sqlx::Error) {
        if self.pool.take_note(error) { self.give_back() } else { self.discard() }
    }

    /// Closes it, without a word to the other end, which may be silent.
    pub(crate) fn discard(mut self) {
        self.held = None;
    }
}

impl<DB: Engine> Drop for Lent<DB> {
    fn drop(&mut self) {
        let Some((mut live, permit)) = self.held.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let pool = self.pool.clone();
        runtime.spawn(async move {
            if pool.shows_life(&mut live).await {
                pool.take_back(live);
            }
            drop(permit);
        });
    }
}

impl<DB: Engine> Deref for Lent<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.held.as_ref().expect(HELD).0.raw
    }
}

impl<DB: Engine> DerefMut for Lent<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.held.as_mut().expect(HELD).0.raw
    }
}
