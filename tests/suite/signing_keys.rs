//! Signing keys in an emergency, under clocks that disagree, and under settings that change.

mod settings;

use std::sync::Arc;

use claviger::base::clock::Clock;
use claviger::base::entropy::Entropy;
use claviger::node::Node;
use claviger::node::keyring::SigningKeyStatus;
use claviger::store::Store;
use serde_json::json;

use crate::support::{Answer, Backend, START, Server, on_both};

on_both!(
    a_clock_that_was_ahead_at_the_first_start_leaves_a_signer_when_it_is_corrected,
    a_next_key_of_a_clock_that_was_ahead_blocks_no_rotation,
    a_node_that_is_behind_starts_right_after_a_bootstrap,
    withdrawing_a_next_key_leaves_the_active_one_signing,
    withdrawing_a_superseded_key_leaves_the_active_one_signing,
    a_superseded_key_is_not_accepted_again_when_its_successor_is_withdrawn,
    nodes_whose_clocks_differ_sign_and_accept_through_an_emergency,
    without_a_key_to_sign_with_every_endpoint_answers_503_and_the_schedule_makes_one,
);

const ROTATE: &str = "/v1/signing-keys/rotate";
const YEAR: i64 = 365 * 86_400;

/// The statuses of all keys, the oldest first.
pub(super) fn statuses(server: &Server) -> Vec<SigningKeyStatus> {
    let now = server.clock.now();
    server.node.signer.keyring.ring().keys().iter().map(|key| key.status(now)).collect()
}

/// The id of the key that signs now.
pub(super) fn signer(node: &Node) -> Option<String> {
    node.signer.keyring.ring().signing(node.clock.now()).map(|key| key.kid().to_owned())
}

/// The id of the key that is published ahead of its use.
pub(super) fn next(server: &Server) -> Option<String> {
    server.node.signer.keyring.ring().next(server.clock.now()).map(|key| key.kid().to_owned())
}

pub(super) async fn rotate(server: &Server) -> Answer {
    server.admin().post_json(ROTATE, &json!({})).await
}

async fn withdraw(server: &Server, kid: &str) {
    server.admin().post_json(ROTATE, &json!({ "compromised": kid })).await.done(201);
}

async fn actions(server: &Server) -> Vec<String> {
    let query = "SELECT action FROM audit_events WHERE family = 'signing_key' ORDER BY seq";
    server.database.texts(query).await
}

/// A node of the same deployment, on the same connections, whose clock is another one.
async fn node_with(server: &Server, clock: Clock) -> Arc<Node> {
    let store: Store = server.node.records.store.clone();
    let (deployment, master_key) = (server.node.deployment.clone(), server.master_key());
    Node::over(store, deployment, &master_key, clock, Entropy::system()).await.expect("a node")
}

async fn a_clock_that_was_ahead_at_the_first_start_leaves_a_signer_when_it_is_corrected(backend: Backend) {
    for ahead in [30, YEAR] {
        let server = Server::start(backend).await;
        let (_, key) = server.key(&["read:*"]).await;
        let first = signer(&server.node).expect("a signer");
        server.clock.step(-ahead);
        server.node.catch_up().await.expect("the store answers");
        let token = server.client().access_token(&key, "").await;
        let form = format!("token={token}");
        let introspected = server.admin().post_form("/oauth/introspect", &form).await;
        assert_eq!(introspected.json()["active"], true, "what it signs is accepted");
        assert_eq!(server.client().get("/oauth/revocations").await.status, 200);
        assert_eq!(server.client().get("/readyz").await.status, 200);
        // The schedule corrects the dates, so that keys follow each other as ever.
        server.node.tidy_once().await;
        assert_eq!(
            (statuses(&server), signer(&server.node)),
            (vec![SigningKeyStatus::Active], Some(first.clone()))
        );
        assert_eq!(actions(&server).await, ["signing_key.reschedule"]);
        rotate(&server).await.done(201);
        assert_eq!(statuses(&server), [SigningKeyStatus::Active, SigningKeyStatus::Next]);
        server.advance(7_200).await;
        assert_eq!(statuses(&server), [SigningKeyStatus::Retiring, SigningKeyStatus::Active]);
        assert_ne!(signer(&server.node), Some(first));
    }
}

async fn a_next_key_of_a_clock_that_was_ahead_blocks_no_rotation(backend: Backend) {
    let server = Server::start(backend).await;
    let active = signer(&server.node);
    server.clock.step(YEAR);
    server.node.catch_up().await.expect("the store answers");
    server.node.tidy_once().await;
    let next_key = next(&server).expect("a next key, a year ahead of its time");
    server.clock.step(-YEAR);
    server.node.catch_up().await.expect("the store answers");
    assert_eq!(
        (statuses(&server), signer(&server.node)),
        (vec![SigningKeyStatus::Active, SigningKeyStatus::Next], active)
    );
    // By hand it is the next key from now on; a second time there is nothing more to do.
    rotate(&server).await.done(201);
    rotate(&server).await.refused(409, "conflict");
    server.advance(7_199).await;
    assert_eq!(statuses(&server), [SigningKeyStatus::Active, SigningKeyStatus::Next]);
    server.advance(1).await;
    assert_eq!(signer(&server.node), Some(next_key));
    // On schedule, too.
    server.clock.step(YEAR);
    server.node.tidy_once().await;
    server.clock.step(-YEAR);
    server.advance(90 * 86_400).await;
    server.node.tidy_once().await;
    server.advance(7_200).await;
    assert_eq!(
        statuses(&server),
        [SigningKeyStatus::Retired, SigningKeyStatus::Retiring, SigningKeyStatus::Active]
    );
}

async fn a_node_that_is_behind_starts_right_after_a_bootstrap(backend: Backend) {
    let server = Server::start(backend).await;
    let behind = node_with(&server, Clock::manual(START.plus(-4))).await;
    assert_eq!(signer(&behind), signer(&server.node));
    behind.tidy_once().await;
    assert!(actions(&server).await.is_empty(), "nothing is wrong with clocks that differ by so little");
}

async fn withdrawing_a_next_key_leaves_the_active_one_signing(backend: Backend) {
    let server = Server::start(backend).await;
    let active = signer(&server.node);
    rotate(&server).await.done(201);
    withdraw(&server, &next(&server).expect("a next key")).await;
    assert_eq!(
        (statuses(&server), signer(&server.node)),
        (vec![SigningKeyStatus::Active, SigningKeyStatus::Withdrawn], active.clone())
    );
    server.advance(7_200).await;
    assert_eq!(
        (statuses(&server), signer(&server.node)),
        (vec![SigningKeyStatus::Active, SigningKeyStatus::Withdrawn], active)
    );
    assert_eq!(actions(&server).await, ["signing_key.rotate", "signing_key.withdraw"]);
    rotate(&server).await.done(201);
}

async fn withdrawing_a_superseded_key_leaves_the_active_one_signing(backend: Backend) {
    for (later, status) in [(7_200, SigningKeyStatus::Retiring), (8_000, SigningKeyStatus::Retired)] {
        let server = Server::start(backend).await;
        let first = signer(&server.node).expect("a signer");
        rotate(&server).await.done(201);
        server.advance(later).await;
        let active = signer(&server.node);
        assert_eq!(statuses(&server), [status, SigningKeyStatus::Active]);
        withdraw(&server, &first).await;
        assert_eq!(
            (statuses(&server), signer(&server.node)),
            (vec![SigningKeyStatus::Withdrawn, SigningKeyStatus::Active], active)
        );
    }
}

async fn a_superseded_key_is_not_accepted_again_when_its_successor_is_withdrawn(backend: Backend) {
    let server = Server::start(backend).await;
    rotate(&server).await.done(201);
    server.advance(30 * 86_400).await;
    assert_eq!(statuses(&server), [SigningKeyStatus::Retired, SigningKeyStatus::Active]);
    let first = server.node.signer.keyring.ring().keys()[0].kid().to_owned();
    withdraw(&server, &signer(&server.node).expect("a signer")).await;
    assert_eq!(
        statuses(&server),
        [SigningKeyStatus::Retired, SigningKeyStatus::Withdrawn, SigningKeyStatus::Active]
    );
    assert!(server.node.signer.keyring.ring().verifying(&first, server.clock.now()).is_none());
    assert!(!server.client().get("/.well-known/jwks.json").await.text.contains(&first));
    // A node that reads the store anew, as well.
    let other = node_with(&server, server.clock.clone()).await;
    assert!(other.signer.keyring.ring().verifying(&first, server.clock.now()).is_none());
}

async fn nodes_whose_clocks_differ_sign_and_accept_through_an_emergency(backend: Backend) {
    for apart in [-5, -4, 0, 5] {
        let server = Server::start(backend).await;
        rotate(&server).await.done(201);
        server.advance(86_400).await;
        let other = node_with(&server, Clock::manual(server.clock.now().plus(apart))).await;
        withdraw(&server, &signer(&server.node).expect("a signer")).await;
        other.catch_up().await.expect("the store answers");
        let signers = [&server.node, &other].map(|node| signer(node).expect("a signer"));
        for node in [&server.node, &other] {
            for kid in &signers {
                let ring = node.signer.keyring.ring();
                assert!(ring.verifying(kid, node.clock.now()).is_some(), "{apart}: {kid}");
            }
        }
        assert_eq!(signers[0], signers[1], "{apart}");
    }
}

async fn without_a_key_to_sign_with_every_endpoint_answers_503_and_the_schedule_makes_one(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let (_, client) = server.key(&["write:claviger/orgs/default/projects/*/token-exchange"]).await;
    server.database.execute(&format!("UPDATE signing_keys SET withdrawn_at = {}", START.unix())).await;
    server.node.signer.keyring.reload(&server.node.records.store).await.expect("the keys read");
    let exchange = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_secret={client}\
         &subject_token_type=urn:claviger:token-type:api_key&subject_token={key}"
    );
    for answer in [
        server.client().token(&key, "").await,
        server.client().post_form("/oauth/token", &exchange).await,
        server.client().get("/oauth/revocations").await,
        server.client().bearer(&key).get("/v1/gate?action=read&resource=orders&token=1").await,
        server.client().get("/readyz").await,
    ] {
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{}", answer.text);
    }
    // A withdrawn key is not kept in anybody's memory by an answer that fails.
    assert_eq!(server.client().get("/.well-known/jwks.json").await.text, r#"{"keys":[]}"#);
    server.node.tidy_once().await;
    assert_eq!(server.client().token(&key, "").await.status, 200);
    assert_eq!(server.client().get("/readyz").await.status, 200);
}
