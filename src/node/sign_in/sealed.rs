//! What a browser keeps for this deployment between two requests, sealed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::entropy::{Entropy, EntropyError};
use crate::node::MasterKeys;

/// The longest sealed text. A browser keeps at least 4096 bytes for a cookie with its name (RFC 6265 §6.1).
const LONGEST: usize = 3_800;

/// How a value says to go on: the form that waits, with its path and its fields, and the page to go to.
pub(super) type Onward<'v> = (&'v mut Option<(String, String)>, &'v mut String);

/// 256 random bits, as text.
pub(super) fn random(entropy: &Entropy) -> Result<String, EntropyError> {
    Ok(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()?))
}

/// The value as a browser keeps it. `None` when it is too long.
pub(super) fn seal(
    value: &impl Serialize,
    place: &[u8],
    keys: &MasterKeys,
    entropy: &Entropy,
) -> Result<Option<String>, EntropyError> {
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(value).map_err(|_| EntropyError)?);
    let sealed = URL_SAFE_NO_PAD.encode(keys.active().sign_ins.seal(&plain, place, entropy)?);
    Ok(Some(sealed).filter(|sealed| sealed.len() <= LONGEST))
}

/// The same for a value that says how to go on: with a form that waits, and a page. Where there is no room for the form, it
/// is left out, and then `home` takes the place of the page. `None` when the value is too long even so.
pub(super) fn seal_to_fit<T: Serialize>(
    value: &mut T,
    onward: fn(&mut T) -> Onward<'_>,
    (place, home): (&[u8], &str),
    keys: &MasterKeys,
    entropy: &Entropy,
) -> Result<Option<String>, EntropyError> {
    let mut sealed = seal(value, place, keys, entropy)?;
    if sealed.is_none() {
        *onward(value).0 = None;
        sealed = seal(value, place, keys, entropy)?;
    }
    if sealed.is_none() {
        home.clone_into(onward(value).1);
        sealed = seal(value, place, keys, entropy)?;
    }
    Ok(sealed)
}

/// The value that a browser kept, if this deployment sealed it for the same place.
pub(super) fn open<T: DeserializeOwned>(sealed: &str, place: &[u8], keys: &MasterKeys) -> Option<T> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain = keys.open_sign_in(&sealed, place).ok()?;
    serde_json::from_slice(&plain).ok()
}
