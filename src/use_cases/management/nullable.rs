//! Members of a request's body that may be `null`.

use serde::{Deserialize, Deserializer};

/// Tells a member that is there, `null` included, from one that is not.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
