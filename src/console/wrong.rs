//! Forms whose fields are the members of a request to the management API: what is wrong with one, and the request that it
//! stands for.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::base::text::without_values;
use crate::use_cases::management::{ApiError, InvalidRequest};

/// Why a form is refused, and the field that is wrong.
pub(super) struct Wrong {
    /// Empty if no field is.
    pub(super) field: &'static str,
    pub(super) error: ApiError,
}

impl Wrong {
    /// A field that is malformed by itself.
    pub(super) fn malformed(field: &'static str, error: impl ToString) -> Self {
        Self { field, error: malformed(error) }
    }
}

/// The error about a form that stands for no request, without the values that were typed.
pub(super) fn malformed(error: impl ToString) -> ApiError {
    InvalidRequest::FormMembers(without_values(&error.to_string())).into()
}

/// The request with these members.
///
/// # Errors
/// [`Wrong`].
pub(super) fn request<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, Wrong> {
    serde_json::from_value(Value::Object(members)).map_err(|error| Wrong::malformed("", error))
}

/// The request that changes what has the members `was` into what has `members`: what differs. `None` if nothing does.
///
/// # Errors
/// [`Wrong`].
pub(super) fn patch<T: DeserializeOwned>(
    was: &Map<String, Value>,
    mut members: Map<String, Value>,
) -> Result<Option<T>, Wrong> {
    members.retain(|name, value| was.get(name) != Some(value));
    if members.is_empty() { Ok(None) } else { request(members).map(Some) }
}
