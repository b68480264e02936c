//! Counting the use of keys: the kinds of use, and the periods.

mod calendar;
mod period;

use std::ops::AddAssign;

use super::refusal_reason::RefusalReason;

pub use calendar::{CalendarError, CalendarPeriod, CalendarSpan};
pub use period::{Interval, IntervalError, Period, PeriodError};

/// The kind of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseKind {
    /// A token was issued.
    Token,
    /// This server checked the key or one of its tokens, and accepted it: as the caller's credential at the
    /// management API, introspection or revocation, or as the subject of introspection, of a token exchange or of a
    /// gateway's request.
    Direct,
    /// The key or token was refused. A request that proves nothing about its sender, such as one with an unknown id
    /// or a wrong tag, doesn't count as a use of any key.
    Refused(RefusalReason),
}

impl UseKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Token,
        Self::Direct,
        Self::Refused(RefusalReason::Revoked),
        Self::Refused(RefusalReason::Expired),
        Self::Refused(RefusalReason::Disabled),
        Self::Refused(RefusalReason::Address),
        Self::Refused(RefusalReason::Secret),
        Self::Refused(RefusalReason::Proof),
    ];

    /// The index in [`UseKind::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Token => 0,
            Self::Direct => 1,
            Self::Refused(reason) => 2 + reason as usize,
        }
    }

    /// The kind as text: `token`, `direct`, or the reason for the refusal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Direct => "direct",
            Self::Refused(reason) => reason.as_str(),
        }
    }

    /// The kind with this text. `None` for a kind that a newer binary counted.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How often a key was used, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UseCounts([u64; UseKind::ALL.len()]);

impl UseCounts {
    /// Adds `times` uses of a kind.
    pub fn add(&mut self, kind: UseKind, times: u64) {
        self.0[kind.index()] += times;
    }

    /// The number of uses of a kind.
    pub fn of(&self, kind: UseKind) -> u64 {
        self.0[kind.index()]
    }

    /// The kinds with at least one use, and their numbers.
    pub fn counted(&self) -> impl Iterator<Item = (UseKind, u64)> {
        UseKind::ALL.into_iter().map(|kind| (kind, self.of(kind))).filter(|(_, count)| *count > 0)
    }

    /// The number of uses, without refusals.
    pub fn used(&self) -> u64 {
        self.of(UseKind::Token) + self.of(UseKind::Direct)
    }

    /// Whether nothing was counted, not even a refusal.
    pub fn is_empty(&self) -> bool {
        self.counted().next().is_none()
    }
}

impl AddAssign for UseCounts {
    fn add_assign(&mut self, more: Self) {
        for (kind, count) in more.counted() {
            self.add(kind, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_place_and_name() {
        let mut counts = UseCounts::default();
        assert!(counts.is_empty());
        for (at, kind) in UseKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), at);
            assert_eq!(UseKind::from_text(kind.as_str()), Some(kind));
            counts.add(kind, at as u64);
        }
        assert_eq!(UseKind::from_text("exchange"), None);
        assert_eq!(
            counts.counted().collect::<Vec<_>>(),
            UseKind::ALL[1..].iter().copied().zip(1..).collect::<Vec<_>>()
        );
        counts += counts;
        assert_eq!(counts.used(), 2, "refusals are no use");
        assert_eq!(counts.of(UseKind::Refused(RefusalReason::Secret)), 12);
    }
}
