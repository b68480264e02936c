//! The master keys that a node holds: the active one, the one that is to take over, and what it still needs of those
//! that were replaced.
//!
//! A node learns of a takeover a moment after it happened, and until then other nodes tag and seal under a master key
//! that is not active here. Therefore a node reads with every master key at hand, and writes with the active one.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::base::lock::RwLock;
use crate::base::master_key::{DerivedKeys, MasterKey, MasterKeyCheck, SealError, SealingKey};
use crate::domain::api_key::{NotIssuedHere, PlainKey, Tagger};
use crate::store::StoredMasterKey;

/// The master keys of a node.
#[derive(Debug)]
pub struct MasterKeys(RwLock<Arc<LoadedKeys>>);

/// What a node holds at one moment.
#[derive(Clone, Debug)]
struct LoadedKeys {
    active: LoadedKey,
    /// The one that is to take over, if it is at hand. Its tags are accepted, because another node may use it before this
    /// one hears of the takeover.
    next: Option<LoadedKey>,
    /// The one that was active before the last takeover that this node has seen.
    previous: Option<Arc<DerivedKeys>>,
    /// The taggers of those that were replaced, the newest first.
    replaced: Vec<Tagger>,
    /// The check values of all master keys that the store has had.
    used: Vec<Vec<u8>>,
}

/// A master key at hand.
#[derive(Clone, Debug)]
struct LoadedKey {
    keys: Arc<DerivedKeys>,
    tagger: Tagger,
}

/// The number of a master key that has not taken over. It gets its number then.
const NO_NUMBER: i64 = 0;

/// Why the node can't go on with the store's master keys.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// Another master key took over, and this node does not have it.
    #[error(
        "the store's master key was replaced at {at}, and the new one (check value {check}) is not at hand: put it \
         where this node looks for its master key"
    )]
    NotHeld {
        /// The check value of the active master key.
        check: String,
        /// When it took over.
        at: String,
    },
    /// A sealed tag key does not open.
    #[error("the tag key of master key {number}: {source}")]
    Sealed {
        /// The number of the replaced master key.
        number: i64,
        /// The cause.
        source: SealError,
    },
    /// The store has no master key.
    #[error("the store names no master key")]
    None,
}

impl MasterKeys {
    /// A deployment's first and only master key.
    pub fn only(active: DerivedKeys) -> Self {
        Self(RwLock::new(Arc::new(LoadedKeys {
            used: vec![active.check.to_vec()],
            active: LoadedKey { tagger: Tagger::new(&active.tag), keys: Arc::new(active) },
            next: None,
            previous: None,
            replaced: Vec::new(),
        })))
    }

    /// Holds a master key that may take over. A key that the store has had already can't, and is ignored. Returns
    /// whether this changes what is held.
    pub fn hold_next(&self, key: Option<&MasterKey>) -> bool {
        let mut held = self.0.write();
        let next = key.map(MasterKey::derived).filter(|next| !held.has_used(&next.check));
        if next.as_ref().map(|next| next.check) == held.next.as_ref().map(|next| next.keys.check) {
            return false;
        }
        let next = next.map(|next| LoadedKey::new(Arc::new(next), NO_NUMBER));
        *held = Arc::new(LoadedKeys { next, ..LoadedKeys::clone(&held) });
        true
    }

    /// Applies what the store says about its master keys, oldest first. If another one is active than here, it takes
    /// over.
    ///
    /// # Errors
    /// [`TakeoverError`]. Then nothing has changed here.
    pub fn update(&self, stored: &[StoredMasterKey]) -> Result<(), TakeoverError> {
        let mut held = self.0.write();
        let active = stored.iter().find(|key| key.is_active()).ok_or(TakeoverError::None)?;
        let used = stored.iter().map(|key| key.check.clone()).collect();
        let now = held.after_takeover(active)?;
        let tag_key = |row: &StoredMasterKey| {
            let opened = now.active.keys.open_tag_key(row.number, row.sealed_tag_key.as_ref()?);
            let opened = opened.map_err(|source| TakeoverError::Sealed { number: row.number, source });
            Some(opened.map(|key| Tagger::numbered(&key, row.number)))
        };
        let replaced = stored.iter().rev().filter_map(tag_key).collect::<Result<_, _>>()?;
        *held = Arc::new(LoadedKeys { replaced, used, ..now });
        Ok(())
    }

    /// The active master key.
    pub fn active(&self) -> Arc<DerivedKeys> {
        Arc::clone(&self.0.read().active.keys)
    }

    /// The master key that is to take over, if it is at hand.
    pub fn next(&self) -> Option<Arc<DerivedKeys>> {
        self.0.read().next.as_ref().map(|next| Arc::clone(&next.keys))
    }

    /// The check values of the active master key and of the one that is to take over, in hexadecimal.
    pub fn checks(&self) -> Vec<String> {
        let held = self.0.read();
        std::iter::once(&held.active).chain(&held.next).map(|key| hex(&key.keys.check)).collect()
    }

    /// Makes the tags of new API keys.
    pub fn tagger(&self) -> Tagger {
        self.0.read().active.tagger.clone()
    }

    /// Reads an API key that was issued under any of the master keys.
    ///
    /// # Errors
    /// [`NotIssuedHere`].
    pub fn parse(&self, text: &str) -> Result<PlainKey, NotIssuedHere> {
        self.held().taggers().find_map(|tagger| PlainKey::parse(text, tagger).ok()).ok_or(NotIssuedHere)
    }

    /// Marks a text as issued here, see [`Tagger::marked`].
    pub fn marked(&self, purpose: &str, text: &str) -> Zeroizing<String> {
        self.0.read().active.tagger.marked(purpose, text)
    }

    /// The text in `marked`, if it was marked for this purpose under any of the master keys.
    pub fn unmarked<'m>(&self, purpose: &str, marked: &'m str) -> Option<&'m str> {
        self.held().taggers().find_map(|tagger| tagger.unmarked(purpose, marked))
    }

    /// Opens the private part of a signing key.
    ///
    /// # Errors
    /// [`SealError`] when no master key at hand sealed it.
    pub fn open_signing_key(&self, sealed: &[u8], place: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.held().open(sealed, place, |keys| &keys.signing_keys)
    }

    /// Opens a cursor.
    ///
    /// # Errors
    /// [`SealError`] when no master key at hand sealed it.
    pub fn open_cursor(&self, sealed: &[u8], place: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.held().open(sealed, place, |keys| &keys.cursors)
    }

    /// Opens what a browser kept while somebody signed in at a provider.
    ///
    /// # Errors
    /// [`SealError`] when no master key at hand sealed it.
    pub fn open_sign_in(&self, sealed: &[u8], place: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.held().open(sealed, place, |keys| &keys.sign_ins)
    }

    fn held(&self) -> Arc<LoadedKeys> {
        Arc::clone(&self.0.read())
    }
}

impl LoadedKey {
    fn new(keys: Arc<DerivedKeys>, number: i64) -> Self {
        Self { tagger: Tagger::numbered(&keys.tag, number), keys }
    }
}

impl LoadedKeys {
    /// The taggers of all master keys whose tags are accepted, the active one's first.
    fn taggers(&self) -> impl Iterator<Item = &Tagger> {
        let at_hand = std::iter::once(&self.active).chain(&self.next);
        at_hand.map(|key| &key.tagger).chain(&self.replaced)
    }

    /// The master keys at hand that are not active.
    fn inactive(&self) -> impl Iterator<Item = &Arc<DerivedKeys>> {
        self.next.iter().map(|next| &next.keys).chain(&self.previous)
    }

    fn has_used(&self, check: &MasterKeyCheck) -> bool {
        self.used.iter().any(|used| used == check)
    }

    /// What is held once the store's active master key is active here.
    fn after_takeover(&self, active: &StoredMasterKey) -> Result<Self, TakeoverError> {
        let is = |key: &DerivedKeys| key.check == *active.check;
        if is(&self.active.keys) {
            let same = LoadedKey::new(Arc::clone(&self.active.keys), active.number);
            return Ok(Self { active: same, ..self.clone() });
        }
        let new = self.inactive().find(|key| is(key)).cloned();
        let new = new.ok_or_else(|| TakeoverError::NotHeld {
            check: hex(&active.check),
            at: active.activated_at.rfc3339(),
        })?;
        Ok(Self {
            previous: Some(Arc::clone(&self.active.keys)),
            next: self.next.clone().filter(|next| next.keys.check != new.check),
            active: LoadedKey::new(new, active.number),
            ..self.clone()
        })
    }

    fn open(
        &self,
        sealed: &[u8],
        place: &[u8],
        which: impl Fn(&DerivedKeys) -> &SealingKey,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut keys = std::iter::once(&self.active.keys).chain(self.inactive());
        keys.find_map(|keys| which(keys).open(sealed, place).ok()).ok_or(SealError)
    }
}

/// A check value for people: hexadecimal digits.
pub fn hex(check: &[u8]) -> String {
    check.iter().fold(String::with_capacity(check.len() * 2), |mut text, byte| {
        let _ = fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        text
    })
}
