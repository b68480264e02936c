//! What is taken away at the issuer is gone at the verifier.

use std::sync::{Arc, Mutex};

use claviger::jose::claims::TokenFault;
use claviger::verify::{Refusal, Unavailable, WhenStale};
use serde_json::json;
use tokio::sync::watch;

use crate::support::{Backend, Server, in_time, on_both, on_postgres, until};
use crate::world::{World, ready, until_refused, verdict};

on_both!(
    a_revoked_key_is_dead_though_its_token_was_seen,
    a_revoked_token_dies_alone,
    a_narrowed_key_loses_its_tokens_and_a_widened_one_keeps_them,
    a_withdrawn_signing_key_takes_its_tokens_along,
    an_exchanged_token_dies_with_whatever_it_came_from,
    tokens_are_refused_once_the_feed_is_too_old,
    tokens_are_accepted_with_an_old_feed_where_that_was_chosen,
    an_old_feed_is_logged_with_its_consequence,
    a_wall_clock_that_is_set_back_gains_no_time,
    a_cut_feed_is_taken_up_again,
    another_epoch_begins_anew,
);

async fn a_revoked_key_is_dead_though_its_token_was_seen(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (id, seen) = world.key_and_token(&["read:*"]).await;
    let (_, other) = world.key_and_token(&["read:*"]).await;
    verdict(&verifier, &seen).await.unwrap();
    world.revoke(&id).await;
    until_refused(&verifier, &seen, Refusal::Revoked).await;
    verdict(&verifier, &other).await.unwrap();
    // A verifier that comes later hears of it too.
    let later = world.verifier().await;
    assert_eq!(verdict(&later, &seen).await.unwrap_err(), Refusal::Revoked);
}

async fn a_revoked_token_dies_alone(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (_, key) = world.server.key(&["read:*"]).await;
    let [first, second] = [
        world.server.client().access_token(&key, "").await,
        world.server.client().access_token(&key, "").await,
    ];
    verdict(&verifier, &first).await.unwrap();
    let revoked =
        world.server.client().post_form("/oauth/revoke", &format!("token={first}&client_secret={key}")).await;
    assert_eq!(revoked.status, 200);
    world.tell().await;
    until_refused(&verifier, &first, Refusal::Revoked).await;
    verdict(&verifier, &second).await.unwrap();
}

async fn a_narrowed_key_loses_its_tokens_and_a_widened_one_keeps_them(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (narrowed, lost) = world.key_and_token(&["read:*"]).await;
    let (widened, kept) = world.key_and_token(&["read:orders/*"]).await;
    for (id, scope) in [(&widened, json!({ "action": "read" })), (&narrowed, json!({ "action": "write" }))] {
        let body = json!({ "scopes": [scope] });
        let patched = world.server.admin().patch(&format!("/v1/orgs/default/keys/{id}"), &body).await;
        assert_eq!(patched.status, 200, "{}", patched.text);
    }
    world.tell().await;
    until_refused(&verifier, &lost, Refusal::Revoked).await;
    verdict(&verifier, &kept).await.unwrap();
}

async fn a_withdrawn_signing_key_takes_its_tokens_along(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (_, key) = world.server.key(&["read:*"]).await;
    let stolen = world.server.client().access_token(&key, "").await;
    verdict(&verifier, &stolen).await.unwrap();
    let admin = world.server.admin();
    let kid = admin.get("/v1/signing-keys").await.json()["data"][0]["kid"].clone();
    let rotated = admin.post_json("/v1/signing-keys/rotate", &json!({ "compromised": kid })).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    world.tell().await;
    until_refused(&verifier, &stolen, Refusal::Revoked).await;
    // What the new key signs is good, though nobody could have fetched it ahead.
    let fresh = world.server.client().access_token(&key, "").await;
    verdict(&verifier, &fresh).await.unwrap();
}

async fn an_exchanged_token_dies_with_whatever_it_came_from(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    for dies in ["subject", "actor", "origin"] {
        let (subject, subject_key) = world.server.key(&["read:*"]).await;
        let scope = "write:claviger/orgs/default/projects/*/token-exchange";
        let (actor, actor_key) = world.server.key(&[scope]).await;
        let origin = world.server.client().access_token(&subject_key, "").await;
        let token = exchanged(&world.server, &actor_key, &origin).await;
        let access = verdict(&verifier, &token).await.unwrap();
        assert_eq!(
            (access.subject(), access.claims().client_id.as_str()),
            (subject.as_str(), actor.as_str())
        );
        match dies {
            "subject" => world.revoke(&subject).await,
            "actor" => world.revoke(&actor).await,
            _ => {
                let form = format!("token={origin}&client_secret={subject_key}");
                assert_eq!(world.server.client().post_form("/oauth/revoke", &form).await.status, 200);
                world.tell().await;
            }
        }
        until_refused(&verifier, &token, Refusal::Revoked).await;
    }
}

async fn exchanged(server: &Server, actor: &str, token: &str) -> String {
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_secret={actor}&subject_token={token}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
    );
    let answer = server.client().post_form("/oauth/token", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

const STALE: Refusal = Refusal::Unavailable(Unavailable::Stale);

async fn tokens_are_refused_once_the_feed_is_too_old(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let hasty = ready(world.builder().max_stale(5)).await;
    let (_, token) = world.key_and_token(&["read:*"]).await;
    world.relay.cut();
    world.server.clock.advance(5);
    verdict(&hasty, &token).await.unwrap();
    world.server.clock.advance(1);
    assert_eq!(verdict(&hasty, &token).await.unwrap_err(), STALE);
    world.server.clock.advance(24);
    verdict(&verifier, &token).await.unwrap();
    world.server.clock.advance(1);
    assert_eq!(verdict(&verifier, &token).await.unwrap_err(), STALE);
    // What is refused anyway is refused for its own sake.
    assert!(matches!(verdict(&verifier, "nonsense").await, Err(Refusal::Token(_))));
    let metrics = verifier.metrics();
    assert!(metrics.is_stale);
    assert_eq!((metrics.seconds_since_heard, metrics.refused_while_stale), (Some(31), 1));
    // It is over when the issuer responds again.
    world.relay.lead_to(world.server.address());
    world.tell().await;
    until("the verifier hears again", async || verdict(&verifier, &token).await.is_ok()).await;
    assert!(!verifier.metrics().is_stale);
}

async fn tokens_are_accepted_with_an_old_feed_where_that_was_chosen(backend: Backend) {
    let world = World::new(backend).await;
    let open = ready(world.builder().when_stale(WhenStale::Accept)).await;
    let (id, revoked) = world.key_and_token(&["read:*"]).await;
    let (_, token) = world.key_and_token(&["read:*"]).await;
    world.revoke(&id).await;
    until_refused(&open, &revoked, Refusal::Revoked).await;
    world.relay.cut();
    world.server.clock.advance(100);
    verdict(&open, &token).await.unwrap();
    // What was known before still counts.
    assert_eq!(verdict(&open, &revoked).await.unwrap_err(), Refusal::Revoked);
    assert_eq!((open.metrics().is_stale, open.metrics().accepted_while_stale), (true, 1));
    world.server.clock.advance(500);
    assert_eq!(verdict(&open, &token).await.unwrap_err(), Refusal::Token(TokenFault::Expired));
}

async fn an_old_feed_is_logged_with_its_consequence(backend: Backend) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // This test and its tasks have one thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    for (when_stale, line) in [
        (
            WhenStale::Refuse,
            "ERROR claviger::verify::shared: the issuer does not respond: every credential is refused",
        ),
        (WhenStale::Accept, "the issuer does not respond: revoked tokens are accepted, as configured"),
    ] {
        let world = World::new(backend).await;
        let _verifier = ready(world.builder().when_stale(when_stale)).await;
        world.relay.cut();
        world.server.clock.advance(31);
        until(line, async || log.text().contains(line)).await;
        assert!(log.text().contains("the revocation feed can't be followed: "), "{}", log.text());
        assert!(!log.text().contains("the issuer responds again"));
        world.relay.lead_to(world.server.address());
        world.tell().await;
        until("the issuer responds again", async || log.text().contains("the issuer responds again")).await;
        log.clear();
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn a_wall_clock_that_is_set_back_gains_no_time(backend: Backend) {
    let world = World::new(backend).await;
    let clock = claviger::base::clock::Clock::manual(world.server.clock.now());
    let verifier = ready(world.builder().clock(clock.clone())).await;
    let (_, token) = world.key_and_token(&["read:*"]).await;
    verdict(&verifier, &token).await.unwrap();
    // Its own clock goes wrong: no token fits into its time any more, in whichever direction.
    clock.advance(-60);
    assert_eq!(verdict(&verifier, &token).await.unwrap_err(), Refusal::Token(TokenFault::IssuedInFuture));
    clock.advance(60 + 31);
    assert_eq!(verdict(&verifier, &token).await.unwrap_err(), STALE);
    clock.advance(-31);
    verdict(&verifier, &token).await.unwrap();
}

async fn a_cut_feed_is_taken_up_again(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (id, token) = world.key_and_token(&["read:*"]).await;
    verdict(&verifier, &token).await.unwrap();
    world.relay.cut();
    world.revoke(&id).await;
    // Nobody told it.
    verdict(&verifier, &token).await.unwrap();
    world.relay.lead_to(world.server.address());
    until_refused(&verifier, &token, Refusal::Revoked).await;
    assert!(verifier.metrics().feed_failures > 0);
}

async fn another_epoch_begins_anew(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (id, token) = world.key_and_token(&["read:*"]).await;
    world.revoke(&id).await;
    until_refused(&verifier, &token, Refusal::Revoked).await;
    // The store as it was before that, under an epoch of its own: what a restored backup is.
    world.server.database.execute("UPDATE deployment SET epoch = 'another'").await;
    world.server.database.execute("DELETE FROM withdrawals").await;
    world.server.database.execute("UPDATE api_keys SET revoked_at = NULL, generation = 1").await;
    world.tell().await;
    in_time("the verifier hears of the new epoch", async {
        until("the token is good again", async || verdict(&verifier, &token).await.is_ok()).await
    })
    .await;
}

mod over_nodes {
    use super::*;

    on_postgres!(what_one_node_revokes_is_dead_at_the_verifiers_of_another);

    /// With notifications, and with those gone, when nodes ask from time to time.
    async fn what_one_node_revokes_is_dead_at_the_verifiers_of_another(backend: Backend) {
        for hears_notifications in [true, false] {
            let world = World::new(backend).await;
            let other = world.server.second_node().await;
            let (_stop, stopped) = watch::channel(false);
            tokio::spawn(Arc::clone(&other.node).follow(stopped.clone()));
            if hears_notifications {
                tokio::spawn(Arc::clone(&other.node).listen(stopped));
            }
            world.relay.lead_to(other.address());
            let verifier = world.verifier().await;
            let (id, token) = world.key_and_token(&["read:*"]).await;
            verdict(&verifier, &token).await.unwrap();
            let path = format!("/v1/orgs/default/keys/{id}/revoke");
            assert_eq!(world.server.admin().post_json(&path, &json!({})).await.status, 200);
            let took = until_refused(&verifier, &token, Refusal::Revoked).await;
            println!("notifications: {hears_notifications}; refused after {took:?}");
        }
    }
}
