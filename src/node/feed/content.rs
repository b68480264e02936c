//! The content of the feed, as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::jose::revocation_feed::{FEED_AUDIENCE, MAX_STALE_SECONDS};
use crate::store::Position;

/// Everything to refuse, as known up to one change.
#[derive(Debug, Default)]
pub(super) struct Content {
    epoch: String,
    seq: i64,
    /// The number of the first change with the present content.
    unchanged_since: i64,
    /// The revocations as members of a JSON object, in one allocation.
    members: String,
}

/// Everything that a verifier has to refuse, in any order.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    /// Keys, and the lowest generation of each that is still valid.
    pub(super) keys: Vec<(KeyId, u64)>,
    /// The `jti` of revoked tokens.
    pub(super) token_ids: Vec<Box<str>>,
    /// The `kid` of withdrawn signing keys.
    pub(super) kids: Vec<String>,
}

/// The issuer that confirms the content, the time as of which it does, and the time of the signature.
#[derive(Debug)]
pub(super) struct Confirmed<'a> {
    pub(super) issuer: &'a str,
    pub(super) as_of: Timestamp,
    pub(super) now: Timestamp,
}

/// The members of a document before the revocations.
#[derive(Serialize)]
struct Head<'a> {
    iss: &'a str,
    aud: &'static str,
    iat: i64,
    as_of: i64,
    max_stale: i64,
    epoch: &'a str,
    seq: i64,
}

impl Content {
    pub(super) fn at(position: &Position, revoked: Revoked) -> Self {
        Self {
            epoch: position.epoch.clone().unwrap_or_default(),
            seq: position.last,
            unchanged_since: position.last,
            members: revoked.into_members(),
        }
    }

    /// Identifies the content. The time of the last confirmation does not change the tag.
    pub(super) fn etag(&self) -> String {
        format!("\"{}.{}\"", self.epoch, self.unchanged_since)
    }

    /// Whether the content is that of this position.
    pub(super) fn is_of(&self, position: &Position) -> bool {
        self.seq == position.last && Some(&self.epoch) == position.epoch.as_ref()
    }

    /// Whether a verifier refuses the same with either content.
    pub(super) fn revokes_same_as(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.members == other.members
    }

    /// Keeps the entity tag of an older content that revokes the same.
    pub(super) fn keep_entity_tag_of(&mut self, older: &Self) {
        self.unchanged_since = older.unchanged_since;
    }

    /// The length of the revocations, in bytes.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The payload of a document with this content.
    pub(super) fn payload(&self, confirmed: &Confirmed<'_>) -> serde_json::Result<String> {
        let mut payload = serde_json::to_string(&Head {
            iss: confirmed.issuer,
            aud: FEED_AUDIENCE,
            iat: confirmed.now.unix(),
            as_of: confirmed.as_of.unix(),
            max_stale: MAX_STALE_SECONDS,
            epoch: &self.epoch,
            seq: self.seq,
        })?;
        payload.pop();
        payload.reserve(self.members.len() + 2);
        payload.extend([",", &*self.members, "}"]);
        Ok(payload)
    }
}

impl Revoked {
    /// The members `keys`, `jtis` and `kids`. Equal content yields equal text, in whichever order it arrived.
    fn into_members(mut self) -> String {
        self.keys.sort_unstable();
        self.token_ids.sort_unstable();
        let mut json = String::with_capacity(64 + self.keys.len() * 28 + self.token_ids.len() * 25);
        json.push_str(r#""keys":{"#);
        list(&mut json, &self.keys, |json, (key, least)| {
            push_text(json, &key.to_string());
            // Writing to a string does not fail.
            let _ = write!(json, ":{least}");
        });
        json.push_str(r#"},"jtis":["#);
        list(&mut json, &self.token_ids, |json, id| push_text(json, id));
        json.push_str(r#"],"kids":["#);
        list(&mut json, &self.kids, |json, kid| push_text(json, kid));
        json.push(']');
        json
    }
}

fn list<T>(json: &mut String, items: &[T], push: impl Fn(&mut String, &T)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        push(json, item);
    }
}

fn push_text(json: &mut String, text: &str) {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    match is_plain {
        true => json.extend(["\"", text, "\""]),
        false => json.push_str(&serde_json::Value::from(text).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn content(revoked: Revoked) -> Content {
        let position = Position { epoch: Some("e".into()), timeline: None, last: 7, change: None };
        Content::at(&position, revoked)
    }

    #[test]
    fn a_document_is_valid_json_with_any_ids() {
        let now = Timestamp::from_unix(5);
        let confirmed = Confirmed { issuer: "https://a.example/\"", as_of: now, now };
        let key = |text: &str| text.parse::<KeyId>().unwrap();
        for revoked in [
            Revoked::default(),
            Revoked {
                keys: vec![(key("key_0123456789abcdef"), 2), (key("key_0000000000000000"), u64::MAX)],
                token_ids: ["", "a-b_c", "\"", "\\", "ä\n"].map(Into::into).into(),
                kids: vec!["k".into()],
            },
        ] {
            let keys = revoked.keys.iter().map(|(key, least)| (key.to_string(), Value::from(*least)));
            let mut jtis = revoked.token_ids.clone();
            jtis.sort();
            let wanted = json!({
                "iss": "https://a.example/\"", "aud": FEED_AUDIENCE, "iat": 5, "as_of": 5, "max_stale": 30, "epoch": "e",
                "seq": 7, "keys": keys.collect::<serde_json::Map<_, _>>(), "jtis": jtis, "kids": revoked.kids,
            });
            let payload = content(revoked).payload(&confirmed).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), wanted);
        }
    }

    #[test]
    fn the_order_of_revocations_does_not_matter() {
        let of =
            |ids: [&str; 2]| content(Revoked { token_ids: ids.map(Into::into).into(), ..Default::default() });
        assert!(of(["a", "b"]).revokes_same_as(&of(["b", "a"])));
        assert!(!of(["a", "b"]).revokes_same_as(&of(["a", "c"])));
    }
}
