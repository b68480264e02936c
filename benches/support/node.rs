//! A node in the benchmark's own process, over a store that no server has open.

use std::sync::Arc;

use claviger::base::clock::Clock;
use claviger::base::entropy::Entropy;
use claviger::domain::address::AddressPolicy;
use claviger::jose::jwk::Algorithm;
use claviger::node::keyring::{RotationPolicy, SigningKeySource};
use claviger::node::{Deployment, HashCost, Node};

use crate::seed::Store;

/// The node's issuer. A server that accepts its tokens needs the same issuer.
pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";

pub(crate) async fn node(seeded: &Store) -> Arc<Node> {
    let text = std::fs::read_to_string(seeded.folder.path().join("keys/master.key")).expect("the master key");
    let master_key = text.parse().expect("a master key");
    let issuer = ISSUER.to_owned();
    let deployment = Deployment {
        audiences: vec![format!("{issuer}/api")],
        issuer,
        brand: Default::default(),
        addresses: AddressPolicy::default(),
        rotation: RotationPolicy {
            every: 90 * 86_400,
            lead: 7_200,
            source: SigningKeySource::Generate(Algorithm::Es256),
        },
        hash_cost: HashCost::new(8, 1, 1).expect("a cost"),
        hash_turns: 1,
        key_capacity: 1_000,
        assertions: Default::default(),
        issuers: Default::default(),
        gate: Default::default(),
        proofs: Default::default(),
        portal: Default::default(),
        events_kept_seconds: None,
        sign_in: Default::default(),
        sign_in_settings: Default::default(),
    };
    let store = claviger::store::Store::open(&seeded.url).await.expect("the store");
    Node::over(store, deployment, &master_key, Clock::system(), Entropy::system()).await.expect("a node")
}
