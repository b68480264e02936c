//! The last way in is not closed by accident.

use super::ApiError;
use crate::api_key::KeyId;
use crate::clock::Timestamp;
use crate::key::ApiKey;
use crate::store::Write;

/// Of changes to keys, those that take away a way in: the key before, and after if there is one then.
pub(super) fn ways_closed<'k>(
    changes: impl IntoIterator<Item = (&'k ApiKey, Option<&'k ApiKey>)>,
    now: Timestamp,
) -> Vec<KeyId> {
    let closes = |(before, after): &(&ApiKey, Option<&ApiKey>)| {
        before.is_open_way_in(now) && !after.is_some_and(|after| after.is_open_way_in(now))
    };
    changes.into_iter().filter(closes).map(|(before, _)| before.id).collect()
}

/// Whether administration can be got into when these ways are closed. `force` makes that no matter.
///
/// # Errors
/// [`ApiError::Conflict`].
pub(super) async fn leave_one_open(write: &mut Write, closed: &[KeyId], force: bool) -> Result<(), ApiError> {
    if closed.is_empty() || force {
        return Ok(());
    }
    let ways_in = write.ways_in(closed.len() + 1).await?;
    if ways_in.iter().any(|way| !closed.contains(way)) {
        return Ok(());
    }
    Err(ApiError::Conflict(
        "this would take away the last key that can make keys everywhere, and lock administration out; with \
         ?force=true it is done all the same"
            .into(),
    ))
}
