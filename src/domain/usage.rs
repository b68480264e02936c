//! The use of keys, as it is counted: what for, and in which stretches of time.

mod calendar;
mod period;

use std::ops::AddAssign;

use super::refusal_reason::RefusalReason;

pub use calendar::{CalendarError, CalendarPeriod, CalendarSpan};
pub use period::{Interval, IntervalError, Period, PeriodError};

/// What a key was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseKind {
    /// A token was issued.
    Token,
    /// The key itself, or a token of it, was checked by this server and found good: as the caller's at the management
    /// API, introspection and revocation, or as what is introspected, exchanged, or shown to a gateway.
    Direct,
    /// It was refused. What proved nothing about who sent it, such as an unknown id or a tag that is not ours,
    /// is no key's use.
    Refused(RefusalReason),
}

impl UseKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Token,
        Self::Direct,
        Self::Refused(RefusalReason::Revoked),
        Self::Refused(RefusalReason::Expired),
        Self::Refused(RefusalReason::Disabled),
        Self::Refused(RefusalReason::Address),
        Self::Refused(RefusalReason::Secret),
    ];

    /// Its place in [`UseKind::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Token => 0,
            Self::Direct => 1,
            Self::Refused(reason) => 2 + reason as usize,
        }
    }

    /// `token`, `direct`, or why it was refused.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Direct => "direct",
            Self::Refused(reason) => reason.as_str(),
        }
    }

    /// The kind of this name; `None` for one that a newer binary counted.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How often a key was used, for each kind of use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UseCounts([u64; UseKind::ALL.len()]);

impl UseCounts {
    /// Counts `times` more of a kind.
    pub fn add(&mut self, kind: UseKind, times: u64) {
        self.0[kind.index()] += times;
    }

    /// How often there was this kind of use.
    pub fn of(&self, kind: UseKind) -> u64 {
        self.0[kind.index()]
    }

    /// What there is more than none of.
    pub fn counted(&self) -> impl Iterator<Item = (UseKind, u64)> {
        UseKind::ALL.into_iter().map(|kind| (kind, self.of(kind))).filter(|(_, count)| *count > 0)
    }

    /// How often the key was used: a refusal is no use.
    pub fn used(&self) -> u64 {
        self.of(UseKind::Token) + self.of(UseKind::Direct)
    }

    /// Whether there was no use at all.
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
