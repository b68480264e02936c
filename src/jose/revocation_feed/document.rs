//! A document of the feed: reading, verifying, and asking what it revokes.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

use super::{FEED_AUDIENCE, FEED_TYPE};
use crate::base::clock::Timestamp;
use crate::jose::claims::{ActorClaim, Claims};
use crate::jose::json::{JsonFault, Object, Value};
use crate::jose::jwk::VerifyingKey;
use crate::jose::jws::{JwsFault, UnverifiedJws};

/// Everything that is revoked, as of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// `epoch`: the history of the store to which `seq` belongs.
    pub epoch: String,
    /// `seq`: the number of the last change that the document includes.
    pub seq: i64,
    /// `iat`: when the document was signed.
    pub issued_at: Timestamp,
    /// `as_of`: when the signing node last confirmed its state with the store.
    pub as_of: Timestamp,
    /// `max_stale`: how many seconds after `as_of` the document may be relied on. Followers cap it at
    /// [`MAX_STALE_SECONDS`](super::MAX_STALE_SECONDS).
    pub max_stale: i64,
    keys: HashMap<Box<str>, u64>,
    token_ids: HashSet<Box<str>>,
    kids: HashSet<Box<str>>,
}

/// Why a document is refused. The text completes "the feed is refused: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedFault {
    /// The document is not an acceptable JWS, or its signature is wrong.
    #[error(transparent)]
    Jws(#[from] JwsFault),
    /// RFC 8725 §3.11: the type is not that of the feed.
    #[error("its `typ` is not `{FEED_TYPE}`")]
    Type,
    /// No known key has the id in `kid`.
    #[error("its `kid` names no known key")]
    UnknownKey,
    /// The payload is not a strict JSON object.
    #[error("its payload is refused: {0}")]
    Payload(#[from] JsonFault),
    /// A member is missing or has the wrong type.
    #[error("`{0}` is missing or has the wrong type")]
    Member(&'static str),
    /// The issuer is another one.
    #[error("`iss` is another issuer")]
    Issuer,
    /// The audience is not the feed's.
    #[error("`aud` is not {FEED_AUDIENCE}")]
    Audience,
}

/// Verifies a document from its text. Returns it with the `kid` of the key that verified it.
///
/// # Errors
/// [`FeedFault`] names the first rule that the document breaks.
pub fn verify_document<K: Borrow<VerifyingKey>>(
    text: &str,
    key_for: impl FnOnce(&str) -> Option<K>,
    issuer: &str,
) -> Result<(Document, String), FeedFault> {
    let unverified = UnverifiedJws::parse_up_to(Document::MAX_LENGTH, text)?;
    let header = unverified.header();
    if !header.is_type(FEED_TYPE) {
        return Err(FeedFault::Type);
    }
    let key = key_for(header.kid()).ok_or(FeedFault::UnknownKey)?;
    let document = Document::parse(unverified.verify(key.borrow())?.payload(), issuer)?;
    Ok((document, header.kid().to_owned()))
}

impl Document {
    /// The length in characters beyond which a document is refused. It allows some hundred thousand entries.
    pub const MAX_LENGTH: usize = 32 << 20;

    /// Reads a payload. Unknown members are ignored.
    ///
    /// # Errors
    /// The [`FeedFault`]s from [`FeedFault::Payload`] on.
    pub fn parse(payload: &[u8], issuer: &str) -> Result<Self, FeedFault> {
        let document = Object::parse_with_tables(payload)?;
        if text(&document, "iss")? != issuer {
            return Err(FeedFault::Issuer);
        }
        if text(&document, "aud")? != FEED_AUDIENCE {
            return Err(FeedFault::Audience);
        }
        Ok(Self {
            epoch: Some(text(&document, "epoch")?.to_owned())
                .filter(|epoch| !epoch.is_empty())
                .ok_or(FeedFault::Member("epoch"))?,
            seq: integer(&document, "seq")?,
            issued_at: time(&document, "iat")?,
            as_of: time(&document, "as_of")?,
            max_stale: integer(&document, "max_stale")?,
            keys: generations(&document)?,
            token_ids: texts(&document, "jtis")?,
            kids: texts(&document, "kids")?,
        })
    }

    /// Whether a token is revoked. It is if its key or one of its actors has a newer generation, if the token itself
    /// or one that it came from was revoked, or if the signing key `kid` is withdrawn.
    pub fn revokes(&self, claims: &Claims, kid: &str) -> bool {
        let actors = claims.actor.iter().flat_map(ActorClaim::chain);
        let mut keys = actors.map(|actor| (&*actor.subject, actor.generation));
        let mut token_ids = std::iter::once(&claims.token_id).chain(&claims.origin);
        self.withdraws_signing_key(kid)
            || self.has_moved_on(&claims.subject, claims.generation)
            || keys.any(|(key, generation)| self.has_moved_on(key, generation))
            || token_ids.any(|id| self.token_ids.contains(&**id))
    }

    /// Whether the signing key is withdrawn, so that nothing signed with it is valid.
    pub fn withdraws_signing_key(&self, kid: &str) -> bool {
        self.kids.contains(kid)
    }

    fn has_moved_on(&self, key: &str, generation: u64) -> bool {
        self.keys.get(key).is_some_and(|least| generation < *least)
    }
}

fn text<'o>(object: &'o Object<'_>, name: &'static str) -> Result<&'o str, FeedFault> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(FeedFault::Member(name)),
    }
}

/// A whole number from 0. All numbers in a document are.
fn integer(object: &Object<'_>, name: &'static str) -> Result<i64, FeedFault> {
    match object.get(name) {
        Some(Value::Integer(number)) if *number >= 0 => Ok(*number),
        _ => Err(FeedFault::Member(name)),
    }
}

fn time(object: &Object<'_>, name: &'static str) -> Result<Timestamp, FeedFault> {
    integer(object, name).map(Timestamp::from_unix)
}

fn texts(object: &Object<'_>, name: &'static str) -> Result<HashSet<Box<str>>, FeedFault> {
    let Some(Value::Array(values)) = object.get(name) else {
        return Err(FeedFault::Member(name));
    };
    let texts = values.iter().map(|value| match value {
        Value::String(text) => Ok(Box::from(&**text)),
        _ => Err(FeedFault::Member(name)),
    });
    texts.collect()
}

fn generations(object: &Object<'_>) -> Result<HashMap<Box<str>, u64>, FeedFault> {
    let Some(Value::Object(keys)) = object.get("keys") else {
        return Err(FeedFault::Member("keys"));
    };
    let generations = keys.iter().map(|(key, least)| match least {
        Value::Integer(least) => {
            let least = u64::try_from(*least).map_err(|_| FeedFault::Member("keys"))?;
            Ok((Box::from(key), least))
        }
        _ => Err(FeedFault::Member("keys")),
    });
    generations.collect()
}
