//! The guard that keeps an administrator from locking everybody out by accident.
//!
//! An *administrator key* is an API key that can create keys in every organization, and so give everybody else access.
//! It has the scopes for that, it is active, it has a live secret, and it requires no proof of possession, which neither
//! the console nor the command line makes. It lasts until it, or the last of its secrets, ends.
//!
//! Administration lasts as long as the administrator key that lasts longest. A change that shortens this needs `force`,
//! unless no administrator key lasted for ever and one is left for at least [`ENOUGH_SECONDS`].
//!
//! The server knows of no address but the caller's that administrators use. Therefore a remaining key counts only if it
//! can be used from the caller's address.

use std::collections::HashSet;

use super::{ApiError, Conflict, Force};
use crate::base::clock::Timestamp;
use crate::domain::key::ApiKey;
use crate::store::Write;
use crate::use_cases::access::Caller;

/// The least time for which a remaining administrator key has to last: 30 days, in seconds.
const ENOUGH_SECONDS: i64 = 30 * 86_400;

/// The administrator keys that are examined besides those that change.
const LOOKED_AT: usize = 100;

/// A key before a change, and after it unless the change deletes the key.
pub(super) type KeyChange<'k> = (&'k ApiKey, Option<&'k ApiKey>);

/// Checks that administration stays possible after these changes, which are not stored yet. `force` skips the check.
///
/// # Errors
/// [`ApiError::Conflict`].
pub(super) async fn ensure_admin_remains(
    write: &mut Write,
    caller: &Caller,
    changes: &[KeyChange<'_>],
    force: Force,
) -> Result<(), ApiError> {
    let guard = LastAdminGuard { caller, now: write.at() };
    if force == Force::Yes || !changes.iter().any(|change| guard.is_weakened_by(change)) {
        return Ok(());
    }
    let admin_keys = write.admin_keys(changes.len() + LOOKED_AT).await?;
    let lasted = admin_keys.iter().map(|key| key.until).max();
    let changed: HashSet<_> = changes.iter().map(|(before, _)| before.id).collect();
    let unchanged =
        admin_keys.iter().filter(|key| !changed.contains(&key.key) && guard.admitted_by(&key.cidrs));
    let left = changes.iter().filter_map(|(_, after)| after.filter(|after| guard.admitted_by(&after.cidrs)));
    let lasts =
        unchanged.map(|key| key.until).chain(left.filter_map(|after| after.admin_until(guard.now))).max();
    if is_enough(lasted, lasts, guard.now) { Ok(()) } else { Err(Conflict::LocksOut(lasts).into()) }
}

/// Whether a change at `now` takes something from administration, so that [`ensure_admin_remains`] examines it.
pub(super) fn weakens_admin(caller: &Caller, change: &KeyChange<'_>, now: Timestamp) -> bool {
    LastAdminGuard { caller, now }.is_weakened_by(change)
}

/// The caller who changes keys, and when.
struct LastAdminGuard<'a> {
    caller: &'a Caller,
    now: Timestamp,
}

impl LastAdminGuard<'_> {
    fn admitted_by(&self, cidrs: &crate::domain::cidr::Cidrs) -> bool {
        cidrs.admits(self.caller.address.known())
    }

    /// Whether a change ends an administrator key, shortens its life, or excludes the caller's address from its ranges.
    fn is_weakened_by(&self, (before, after): &KeyChange<'_>) -> bool {
        let Some(was) = before.admin_until(self.now) else { return false };
        let Some(after) = after else { return true };
        let is_narrowed = !after.cidrs.covers(&before.cidrs) && !self.admitted_by(&after.cidrs);
        is_narrowed || after.admin_until(self.now).is_none_or(|is| is < was)
    }
}

/// Whether `lasts` is a long enough end of administration, if it was `lasted` before.
fn is_enough(lasted: Option<Timestamp>, lasts: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(lasted) = lasted else { return true };
    let ended_anyway = lasted < Timestamp::MAX;
    lasts.is_some_and(|lasts| lasts >= lasted || (ended_anyway && lasts >= now.plus(ENOUGH_SECONDS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administration_lasts_as_long_as_before_or_long_enough() {
        let now = Timestamp::from_unix(1_000_000);
        let in_days = |days: i64| Some(now.plus(days * 86_400));
        let forever = Some(Timestamp::MAX);
        for (lasted, lasts, enough) in [
            (forever, forever, true),
            (forever, in_days(3_650), false),
            (forever, None, false),
            (in_days(365), in_days(365), true),
            (in_days(365), in_days(30), true),
            (in_days(365), in_days(29), false),
            (in_days(20), in_days(20), true),
            (in_days(20), in_days(19), false),
            (in_days(20), None, false),
            (None, None, true),
        ] {
            assert_eq!(is_enough(lasted, lasts, now), enough, "{lasted:?} {lasts:?}");
        }
    }
}
