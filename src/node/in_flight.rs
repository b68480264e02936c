//! Requests in flight that must not run twice at the same time.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::lock::Mutex;

type Name = (String, String);

/// The in-flight requests that must be unique, by their caller and their name.
#[derive(Clone, Debug, Default)]
pub struct InFlightRequests(Arc<Mutex<HashSet<Name>>>);

/// A request in flight, until this is dropped.
#[derive(Debug)]
pub struct InFlightRequest {
    name: Name,
    all: InFlightRequests,
}

impl InFlightRequests {
    /// Registers a request. `None` while another one of this name is in flight.
    pub fn enter(&self, name: Name) -> Option<InFlightRequest> {
        let is_first = self.0.lock().insert(name.clone());
        is_first.then(|| InFlightRequest { name, all: self.clone() })
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.name);
    }
}
