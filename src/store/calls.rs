//! Measures the calls to the database, by kind.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::metrics::Durations;

/// A kind of call to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallKind {
    /// Opening a connection.
    Connect,
    /// Asking for new changes.
    Follow,
    /// A single statement outside of a transaction.
    Statement,
    /// A transaction that changes something, with the wait for its turn among the writers.
    Write,
}

impl CallKind {
    const ALL: [Self; 4] = [Self::Connect, Self::Follow, Self::Statement, Self::Write];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Follow => "follow",
            Self::Statement => "statement",
            Self::Write => "write",
        }
    }
}

/// The calls to one database since the process started.
#[derive(Debug, Default)]
pub struct StoreCalls([Calls; CallKind::ALL.len()]);

/// The calls of one kind.
#[derive(Debug, Default)]
pub struct Calls {
    /// How long the calls took, including those that failed.
    pub durations: Durations,
    failures: AtomicU64,
}

impl Calls {
    /// The calls that failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }
}

impl StoreCalls {
    /// Each kind, and its calls.
    pub fn read(&self) -> impl Iterator<Item = (&'static str, &Calls)> {
        CallKind::ALL.into_iter().map(CallKind::as_str).zip(&self.0)
    }

    /// Adds a call.
    pub(super) fn ended(&self, kind: CallKind, took: Duration, has_failed: bool) {
        let calls = &self.0[kind as usize];
        calls.durations.record(took);
        calls.failures.fetch_add(has_failed.into(), Relaxed);
    }
}

/// Whether an error means that the database failed. An empty or a refused result is an answer.
pub(super) fn is_failure(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::RowNotFound => false,
        sqlx::Error::Database(error) => {
            !(error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation())
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_calls() {
        let calls = StoreCalls::default();
        for kind in CallKind::ALL {
            calls.ended(kind, Duration::ZERO, kind == CallKind::Follow);
        }
        let failures: Vec<_> = calls.read().map(|(kind, calls)| (kind, calls.failures())).collect();
        assert_eq!(failures, [("connect", 0), ("follow", 1), ("statement", 0), ("write", 0)]);
    }
}
