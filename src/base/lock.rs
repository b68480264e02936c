//! The locks of this crate. They are those of [`std::sync`], except that locking never fails.
//!
//! The standard library's locks refuse every thread after one has panicked while it held them. No caller here could
//! do better than continue: a panic ends one task, and must not end every later one that needs the same lock.
//! Continuing is safe because no panic leaves a guarded value half changed. While a lock is held, code only compares,
//! moves and counts values, which does not panic. Code that does more changes the value last, or a partial change is
//! harmless. State that must change as a whole is in the store, where a transaction has no effect until it commits.

pub(crate) use std::sync::MutexGuard;
use std::sync::PoisonError;
#[cfg(any(feature = "server", feature = "verify"))]
use std::sync::RwLockReadGuard;
#[cfg(any(feature = "server", feature = "verify"))]
pub(crate) use std::sync::RwLockWriteGuard;
#[cfg(feature = "server")]
use std::sync::TryLockError;

/// A [`std::sync::Mutex`] that a panic does not poison.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guard, or `None` while another thread holds the lock.
    #[cfg(feature = "server")]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// A [`std::sync::RwLock`] that a panic does not poison.
#[cfg(any(feature = "server", feature = "verify"))]
#[derive(Debug, Default)]
pub(crate) struct RwLock<T>(std::sync::RwLock<T>);

#[cfg(any(feature = "server", feature = "verify"))]
impl<T> RwLock<T> {
    #[cfg(feature = "server")]
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::RwLock::new(value))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_mutex_still_locks_after_a_panic_of_its_holder() {
        let mutex = Mutex::new(1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _held = mutex.lock();
            panic!("while it holds the lock");
        }));
        assert!(panicked.is_err());
        assert_eq!(*mutex.lock(), 1);
    }

    #[test]
    #[cfg(feature = "server")]
    fn a_rwlock_still_locks_after_a_panic_of_its_writer() {
        let lock = RwLock::new(1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _held = lock.write();
            panic!("while it holds the lock");
        }));
        assert!(panicked.is_err());
        assert_eq!(*lock.read(), 1);
        assert_eq!(*lock.write(), 1);
    }
}
