//! What is being done just now, of which there must not be two.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::api_key::KeyId;

type Name = (KeyId, String);

/// The requests under way that must not be under way twice, each by its caller and its name.
#[derive(Clone, Debug, Default)]
pub struct UnderWays(Arc<Mutex<HashSet<Name>>>);

/// A request under way, until it is dropped.
#[derive(Debug)]
pub struct UnderWay {
    name: Name,
    all: UnderWays,
}

impl UnderWays {
    /// Begins; `None` while another of this name is under way.
    pub fn enter(&self, name: Name) -> Option<UnderWay> {
        let is_first = self.lock().insert(name.clone());
        is_first.then(|| UnderWay { name, all: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Name>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.all.lock().remove(&self.name);
    }
}
