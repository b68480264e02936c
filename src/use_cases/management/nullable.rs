//! Members of a request's body that may be `null`.

use serde::{Deserialize, Deserializer};

/// Distinguishes a present member, which may be `null`, from an absent one.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
