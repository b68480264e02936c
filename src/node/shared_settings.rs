//! Settings that all nodes of a deployment share, and in which this node differs.

use super::Node;
use crate::base::lock::Mutex;
use crate::store::SharedSettings;

/// The names of the settings that differ.
#[derive(Debug, Default)]
pub struct Differences(Mutex<Vec<&'static str>>);

impl Differences {
    /// Which of `issuer`, `brand` and `audiences` another node has set differently.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.lock().clone()
    }

    fn replace(&self, names: Vec<&'static str>) -> bool {
        let mut held = self.0.lock();
        let is_news = *held != names;
        *held = names;
        is_news
    }
}

impl Node {
    /// Compares this node's settings with those in the store, and logs a difference when it appears or disappears.
    /// [`Node::differences`] keeps the result.
    pub async fn compare_settings(&self) {
        match self.records.store.shared_settings().await {
            Ok(shared) => self.note_differences(&shared),
            Err(error) => {
                tracing::warn!(%error, "the settings of this node could not be compared with those of other nodes")
            }
        }
    }

    fn note_differences(&self, shared: &SharedSettings) {
        let own = &self.deployment;
        let differs = [
            ("issuer", shared.issuer.as_ref().is_some_and(|issuer| *issuer != own.issuer)),
            ("brand", shared.brand.as_ref().is_some_and(|brand| *brand != own.brand.to_string())),
            ("audiences", shared.audiences.as_ref().is_some_and(|audiences| *audiences != own.audiences)),
        ];
        let names: Vec<_> =
            differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
        if !self.differences.replace(names.clone()) {
            return;
        }
        if names.is_empty() {
            tracing::info!("this node has the same settings as the other nodes again");
        } else {
            tracing::error!(
                settings = names.join(", "),
                ?shared,
                "another node was started with other settings; restart this node with the same settings"
            );
        }
    }
}
