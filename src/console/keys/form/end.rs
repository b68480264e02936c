//! When a key ends: the choices of the form, and the moments that they stand for.

use crate::base::clock::Timestamp;
use crate::console::when::When;

const DAY: i64 = 86_400;

/// The furthest time zones are 14 hours from UTC.
const FURTHEST: i64 = 14 * 60;

/// A choice in the form.
#[derive(Debug)]
pub(in crate::console::keys) struct EndChoice {
    pub(in crate::console::keys) value: &'static str,
    pub(in crate::console::keys) label: &'static str,
    /// The moment that it stands for, if the visitor types none.
    pub(in crate::console::keys) at: Option<When>,
}

/// The spans to choose from, in days.
const SPANS: [(&str, &str, i64); 4] =
    [("7d", "7 days", 7), ("30d", "30 days", 30), ("90d", "90 days", 90), ("1y", "1 year", 365)];

/// The span that a new form begins with.
pub(super) const USUAL: &str = "90d";

/// The end as chosen and typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::console::keys) struct End {
    /// A span of [`SPANS`], `never` or `date`; or `keep`.
    pub(in crate::console::keys) choice: String,
    /// The day, for `date`.
    pub(in crate::console::keys) date: String,
    /// The time of day, which may be empty.
    pub(in crate::console::keys) time: String,
    /// The minutes by which the day and the time are ahead of UTC.
    pub(in crate::console::keys) offset: String,
}

/// What an end as typed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console::keys) enum Meaning {
    /// The key keeps its end.
    Kept,
    /// The key never expires.
    Never,
    /// The key expires then.
    At(Timestamp),
    /// The choice is none that the form offers. The API judges it.
    Other,
}

impl End {
    pub(super) fn choice(choice: &str) -> Self {
        Self { choice: choice.into(), ..Self::default() }
    }

    /// The end of a key that is to have the same end as another one.
    pub(super) fn same_as(end: Option<Timestamp>, now: Timestamp) -> Self {
        match end {
            None => Self::choice("never"),
            Some(end) if end <= now => Self::choice(USUAL),
            Some(end) => {
                let text = end.rfc3339();
                let (date, time) = (text[..10].to_owned(), text[11..16].to_owned());
                Self { choice: "date".into(), date, time, offset: "0".into() }
            }
        }
    }

    /// Replaces a choice that the form does not offer, because a key may only last for `longest` seconds: by the longest span
    /// up to the usual one, or else by the last moment that is allowed.
    pub(super) fn offer(&mut self, longest: i64, now: Timestamp) {
        let lasts =
            |choice: &str| SPANS.iter().find(|(value, ..)| *value == choice).map(|(.., days)| days * DAY);
        let is_beyond = match &*self.choice {
            "never" => true,
            choice => lasts(choice).is_some_and(|seconds| seconds > longest),
        };
        if !is_beyond {
            return;
        }
        let usual = lasts(USUAL).unwrap_or_default().min(longest);
        let span = SPANS.iter().rev().find(|(.., days)| days * DAY <= usual);
        *self = match span {
            Some((value, ..)) => Self::choice(value),
            None => Self::same_as(Some(now.plus(longest)), now),
        };
    }

    /// What the end means.
    ///
    /// # Errors
    /// The name of the field that is wrong, and why.
    pub(in crate::console::keys) fn meaning(
        &self,
        now: Timestamp,
    ) -> Result<Meaning, (&'static str, &'static str)> {
        let span = SPANS.iter().find(|(value, ..)| *value == self.choice);
        Ok(match (self.choice.as_str(), span) {
            ("keep", _) => Meaning::Kept,
            ("never", _) => Meaning::Never,
            ("date", _) => Meaning::At(self.typed(now)?),
            (_, Some((_, _, days))) => Meaning::At(now.plus(days * DAY)),
            _ => Meaning::Other,
        })
    }

    /// A key that ends on a day without a time is valid until the end of that day.
    fn typed(&self, now: Timestamp) -> Result<Timestamp, (&'static str, &'static str)> {
        let offset = if self.offset.is_empty() { Ok(0) } else { self.offset.parse::<i64>() };
        let offset = offset.ok().filter(|minutes| minutes.abs() <= FURTHEST);
        let offset = offset.ok_or(("date", "the time zone is none"))?;
        let parsed = |time: &str| Timestamp::parse_rfc3339(&format!("{}T{time}Z", self.date));
        let day = parsed("00:00:00").ok_or(("date", "enter the last day on which the key works"))?;
        let end = match self.time.len() {
            0 => day.plus(DAY),
            5 => parsed(&format!("{}:00", self.time)).ok_or(("time", "enter a time such as 14:00"))?,
            _ => parsed(&self.time).ok_or(("time", "enter a time such as 14:00"))?,
        };
        let end = end.plus(-offset * 60);
        match (end <= now, self.time.is_empty()) {
            (true, true) => Err(("date", "the last day must not be in the past")),
            (true, false) => Err(("date", "the end must be in the future")),
            (false, _) => Ok(end),
        }
    }
}

/// The choices of a form. `kept` is the present end of a key that is edited. A key may last for `longest` seconds.
pub(in crate::console::keys) fn choices(
    kept: Option<Option<Timestamp>>,
    longest: Option<i64>,
    now: Timestamp,
) -> Vec<EndChoice> {
    let is_within = |seconds: i64| longest.is_none_or(|longest| seconds <= longest);
    let kept = kept.map(|end| EndChoice {
        value: "keep",
        label: if end.is_some() { "No change" } else { "No change: never" },
        at: end.map(|end| When::new(end, now)),
    });
    let spans = SPANS.iter().filter(|(.., days)| is_within(days * DAY)).map(|&(value, label, days)| {
        EndChoice { value, label, at: Some(When::new(now.plus(days * DAY), now)) }
    });
    let never = longest.is_none().then_some(("never", "Never"));
    let open = [("date", "Date and time")].into_iter().chain(never).map(|(value, label)| EndChoice {
        value,
        label,
        at: None,
    });
    kept.into_iter().chain(spans).chain(open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_moment() {
        let now = Timestamp::parse_rfc3339("2026-11-21T12:00:00Z").unwrap();
        let typed = |date: &str, time: &str, offset: &str| {
            let end =
                End { choice: "date".into(), date: date.into(), time: time.into(), offset: offset.into() };
            end.meaning(now).map(|meaning| match meaning {
                Meaning::At(at) => at.rfc3339(),
                other => panic!("{other:?}"),
            })
        };
        for (date, time, offset, end) in [
            ("2027-02-28", "", "", "2027-03-01T00:00:00Z"),
            ("2027-02-28", "14:00", "0", "2027-02-28T14:00:00Z"),
            ("2027-02-28", "14:00:30", "120", "2027-02-28T12:00:30Z"),
            ("2027-02-28", "", "-300", "2027-03-01T05:00:00Z"),
            ("2026-11-21", "", "0", "2026-11-22T00:00:00Z"),
        ] {
            assert_eq!(typed(date, time, offset).as_deref(), Ok(end));
        }
        for (date, time, offset, field) in [
            ("", "14:00", "0", "date"),
            ("28.2.2027", "", "0", "date"),
            ("2027-02-28", "noon", "0", "time"),
            ("2027-02-28", "14:00", "900", "date"),
            ("2026-11-21", "11:59", "0", "date"),
            ("2026-11-20", "", "0", "date"),
        ] {
            assert_eq!(typed(date, time, offset).unwrap_err().0, field, "{date} {time} {offset}");
        }
        assert_eq!(End::choice("7d").meaning(now), Ok(Meaning::At(now.plus(7 * DAY))));
        assert_eq!(End::choice("60d").meaning(now), Ok(Meaning::Other));
    }

    #[test]
    fn a_bound_leaves_what_is_within_it() {
        let now = Timestamp::parse_rfc3339("2026-11-21T12:00:30Z").unwrap();
        let offered = |longest| choices(None, longest, now).iter().map(|one| one.value).collect::<Vec<_>>();
        assert_eq!(offered(None), ["7d", "30d", "90d", "1y", "date", "never"]);
        assert_eq!(offered(Some(30 * DAY)), ["7d", "30d", "date"]);
        assert_eq!(offered(Some(DAY)), ["date"]);
        let instead = |choice: &str, longest: i64| {
            let mut end = End::choice(choice);
            end.offer(longest, now);
            end
        };
        for (choice, days, offered) in [
            ("90d", 365, "90d"),
            ("never", 365, "90d"),
            ("1y", 364, "90d"),
            ("90d", 89, "30d"),
            ("90d", 7, "7d"),
            ("keep", 1, "keep"),
            ("date", 1, "date"),
        ] {
            assert_eq!(instead(choice, days * DAY).choice, offered, "{choice} {days}");
        }
        // Whole minutes, so that the moment is not beyond the bound.
        let last = Timestamp::parse_rfc3339("2026-11-22T12:00:00Z").unwrap();
        assert_eq!(instead("never", DAY).meaning(now), Ok(Meaning::At(last)));
    }

    #[test]
    fn a_duplicate_ends_when_the_first_one_does() {
        let now = Timestamp::parse_rfc3339("2026-11-21T12:00:00Z").unwrap();
        let later = now.plus(90 * 60);
        assert_eq!(End::same_as(Some(later), now).meaning(now), Ok(Meaning::At(later)));
        assert_eq!(End::same_as(None, now).choice, "never");
        assert_eq!(End::same_as(Some(now), now).choice, "90d");
    }
}
