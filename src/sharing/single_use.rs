//! Remembers which ids were used, so that each is accepted once (RFC 7519 §4.1.7).

use std::collections::{BTreeMap, HashMap, HashSet};

use ring::digest::{SHA256, digest};

use crate::base::lock::Mutex;

#[cfg(test)]
mod tests;

/// Ids are forgotten together with all others that end within the same span of this many seconds.
const SPAN: i64 = 30;

/// The ids that were used and whose documents are still valid, within bounds for each owner and each organization.
///
/// Nothing live is ever evicted, because an evicted id could be used again. An owner, or an organization, that has as many
/// as it may is refused until some of them end. Others notice nothing.
#[derive(Debug)]
pub(crate) struct SingleUse {
    limits: UseLimits,
    used: Mutex<Used>,
}

/// How many live ids there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UseLimits {
    /// For each owner.
    pub(crate) of_owner: usize,
    /// For each organization, all of its owners together.
    pub(crate) of_organization: usize,
}

/// An id that is about to be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UsedId<'a> {
    /// The organization of the owner.
    pub(crate) organization: &'a str,
    /// Whose allowance the id takes from.
    pub(crate) owner: &'a str,
    /// Who chose the id. Two may choose the same one.
    pub(crate) chosen_by: &'a str,
    /// The id itself.
    pub(crate) id: &'a str,
    /// When the document with the id is no longer accepted anyway, in Unix seconds.
    pub(crate) until: i64,
}

/// Why an id can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UseRefused {
    /// It was used before.
    Again,
    /// Its owner, or the organization, has as many live ids as it may.
    Full,
}

pub(crate) type IdDigest = [u8; 16];

#[derive(Debug, Default)]
struct Used {
    /// By the number of the span in which they end.
    spans: BTreeMap<i64, Span>,
    of_owner: HashMap<Box<str>, usize>,
    of_organization: HashMap<Box<str>, usize>,
}

/// The ids that end in the same span of time, and how many of whom they are.
#[derive(Debug, Default)]
struct Span {
    ids: HashSet<IdDigest>,
    of_owner: HashMap<Box<str>, usize>,
    of_organization: HashMap<Box<str>, usize>,
}

impl SingleUse {
    pub(crate) fn new(limits: UseLimits) -> Self {
        Self { limits, used: Mutex::default() }
    }

    /// Uses an id, once. `now` is in Unix seconds.
    ///
    /// # Errors
    /// [`UseRefused`]. Then nothing is remembered.
    pub(crate) fn accept(&self, used: UsedId<'_>, now: i64) -> Result<(), UseRefused> {
        let digest = used.digest();
        let mut all = self.used.lock();
        all.forget(now);
        // The same id may stand in a document that ends in another span.
        if all.spans.values().any(|span| span.ids.contains(&digest)) {
            return Err(UseRefused::Again);
        }
        if count(&all.of_owner, used.owner) >= self.limits.of_owner
            || count(&all.of_organization, used.organization) >= self.limits.of_organization
        {
            return Err(UseRefused::Full);
        }
        add(&mut all.of_owner, used.owner);
        add(&mut all.of_organization, used.organization);
        let span = all.spans.entry(used.until.div_euclid(SPAN)).or_default();
        span.ids.insert(digest);
        add(&mut span.of_owner, used.owner);
        add(&mut span.of_organization, used.organization);
        Ok(())
    }

    /// Takes back an [accepted](Self::accept) id whose document was not used in the end.
    #[cfg(feature = "server")]
    pub(crate) fn take_back(&self, used: UsedId<'_>) {
        let digest = used.digest();
        let all = &mut *self.used.lock();
        let Some(span) = all.spans.get_mut(&used.until.div_euclid(SPAN)) else { return };
        if span.ids.remove(&digest) {
            for (counts, name) in [
                (&mut span.of_owner, used.owner),
                (&mut span.of_organization, used.organization),
                (&mut all.of_owner, used.owner),
                (&mut all.of_organization, used.organization),
            ] {
                subtract(counts, name, 1);
            }
        }
    }

    /// How many ids are remembered.
    #[cfg(any(test, feature = "server"))]
    pub(crate) fn len(&self) -> usize {
        self.used.lock().spans.values().map(|span| span.ids.len()).sum()
    }
}

impl Used {
    /// Forgets the spans that are over. Each id is handled once, however many there are.
    fn forget(&mut self, now: i64) {
        while let Some(first) = self.spans.first_entry()
            && (first.key() + 1) * SPAN <= now
        {
            let span = first.remove();
            for (owner, ids) in span.of_owner {
                subtract(&mut self.of_owner, &owner, ids);
            }
            for (organization, ids) in span.of_organization {
                subtract(&mut self.of_organization, &organization, ids);
            }
        }
    }
}

impl UsedId<'_> {
    /// Half of a SHA-256 of the id and who chose it, which is enough to tell ids apart.
    pub(crate) fn digest(&self) -> IdDigest {
        let mut bytes = IdDigest::default();
        // No name has a NUL.
        let text = format!("{}\0{}", self.chosen_by, self.id);
        bytes.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
        bytes
    }
}

fn count(counts: &HashMap<Box<str>, usize>, name: &str) -> usize {
    counts.get(name).copied().unwrap_or_default()
}

fn add(counts: &mut HashMap<Box<str>, usize>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.into(), 1)),
    }
}

fn subtract(counts: &mut HashMap<Box<str>, usize>, name: &str, gone: usize) {
    if let Some(count) = counts.get_mut(name) {
        *count = count.saturating_sub(gone);
        if *count == 0 {
            counts.remove(name);
        }
    }
}
