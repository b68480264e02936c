//! Taking something back while it is asked for, over and over: whoever begins to ask after the
//! acknowledgement finds it gone, whatever was on its way in between.

mod administration;
mod way;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jsonwebtoken::decode_header;
use serde_json::json;
use tokio::task::JoinSet;

use self::way::Way;
use crate::support::{Backend, Options, Server, on_both};

on_both!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    a_revoked_key_gets_no_token,
    a_revoked_key_gets_no_token_over_http,
    a_revoked_token_is_active_nowhere,
    a_revoked_token_is_active_nowhere_over_http,
    a_withdrawn_signing_key_verifies_nothing,
);

/// A test ends after this time, on a slow machine before it has played all its rounds.
const TIME: Duration = Duration::from_secs(10);

/// Rounds are played side by side, so that what one asks for drives out what another one remembers.
const LANES: usize = 2;

const ASKERS: usize = 3;

async fn a_revoked_key_gets_no_token(backend: Backend) {
    // With room for one key, nearly every request has to read the store.
    for (key_capacity, rounds) in [(10_000, 2_000), (1, 2_000)] {
        let server = Server::start_with(backend, Options { key_capacity, ..Options::default() }).await;
        let way = Way::direct(&server).await;
        play("keys, in process", rounds, server, way, key_round).await;
    }
}

async fn a_revoked_key_gets_no_token_over_http(backend: Backend) {
    let server = Server::start(backend).await;
    let way = Way::over_http(&server);
    play("keys, over HTTP", 300, server, way, key_round).await;
}

async fn a_revoked_token_is_active_nowhere(backend: Backend) {
    let server = Server::start(backend).await;
    let way = Way::direct(&server).await;
    play("tokens, in process", 2_000, server, way, token_round).await;
}

async fn a_revoked_token_is_active_nowhere_over_http(backend: Backend) {
    let server = Server::start(backend).await;
    let way = Way::over_http(&server);
    play("tokens, over HTTP", 300, server, way, token_round).await;
}

async fn a_withdrawn_signing_key_verifies_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let way = Way::direct(&server).await;
    play("signing keys, in process", 100, server, way, signing_key_round).await;
}

/// A key is revoked while tokens are asked for. Returns how many were issued.
async fn key_round(server: Arc<Server>, way: Way, round: usize) -> usize {
    let (id, key) = server.stored_key().await;
    let is_warm = round.is_multiple_of(2);
    if is_warm {
        way.token(&key).await.expect("a token for a good key");
    }
    let (asking, asked) = (way.clone(), key.clone());
    let race = race(
        move || {
            let (way, key) = (asking.clone(), asked.clone());
            async move { way.token(&key).await }
        },
        way.revoke_key(id),
    );
    let race = race.await;
    assert!(race.late.is_empty(), "round {round}: a token for who asked after the acknowledgement");
    for token in &race.early {
        assert!(!way.is_active(token).await, "round {round}: a token outlives its key");
    }
    race.early.len()
}

/// A token is revoked while it is introspected. Returns how often it was found active.
async fn token_round(server: Arc<Server>, way: Way, round: usize) -> usize {
    let (_, key) = server.stored_key().await;
    let token = way.token(&key).await.expect("a token for a good key");
    let (asking, asked) = (way.clone(), token.clone());
    let race = race(
        move || {
            let (way, token) = (asking.clone(), asked.clone());
            async move { way.is_active(&token).await.then_some(()) }
        },
        way.revoke_token(&key, &token),
    );
    let race = race.await;
    assert!(race.late.is_empty(), "round {round}: active for who asked after the acknowledgement");
    race.early.len()
}

/// A signing key is withdrawn while its token is introspected and the keys are read anew, as they are whenever
/// another node changed them. Returns how often the token was found active.
async fn signing_key_round(server: Arc<Server>, way: Way, round: usize) -> usize {
    let (_, key) = server.stored_key().await;
    let token = way.token(&key).await.expect("a token for a good key");
    let (asking, asked, reading) = (way, token.clone(), Arc::clone(&server.node));
    let race = race(
        move || {
            let (way, token, node) = (asking.clone(), asked.clone(), Arc::clone(&reading));
            async move {
                node.signer.keyring.reload(&node.records.store).await.expect("signing keys");
                way.is_active(&token).await.then_some(())
            }
        },
        async {
            let kid = decode_header(&token).expect("a header").kid;
            let withdrawn =
                server.admin().post_json("/v1/signing-keys/rotate", &json!({ "compromised": kid })).await;
            // In the other lane the same key may have been withdrawn first.
            assert!(matches!(withdrawn.status, 201 | 404), "{}", withdrawn.text);
        },
    );
    let race = race.await;
    assert!(race.late.is_empty(), "round {round}: active for who asked after the acknowledgement");
    race.early.len()
}

/// Plays rounds in all lanes, and says what came of them.
async fn play<Round>(
    what: &str,
    rounds: usize,
    server: Server,
    way: Way,
    play_one: impl Fn(Arc<Server>, Way, usize) -> Round + Copy + Send + 'static,
) where
    Round: Future<Output = usize> + Send,
{
    let (server, begun) = (Arc::new(server), Instant::now());
    let mut lanes = JoinSet::new();
    for _ in 0..LANES {
        let (server, way) = (Arc::clone(&server), way.clone());
        lanes.spawn(async move {
            let (mut played, mut early) = (0, 0);
            while played < rounds / LANES && begun.elapsed() < TIME {
                early += play_one(Arc::clone(&server), way.clone(), played).await;
                played += 1;
            }
            (played, early)
        });
    }
    let lanes = lanes.join_all().await;
    let (played, early) = lanes.into_iter().fold((0, 0), |sum, lane| (sum.0 + lane.0, sum.1 + lane.1));
    println!("{what}: {played} rounds in {:?}, {early} times in time, never late", begun.elapsed());
    assert!(early > 0, "nobody was ever in time: this is no race");
}

/// What they got who began to ask before the acknowledgement, and who began after it.
struct Race<T> {
    early: Vec<T>,
    late: Vec<T>,
}

/// Asks from several tasks, over and over, while something is taken back; from each of them once more after
/// that was acknowledged.
async fn race<T, Asking>(
    ask: impl Fn() -> Asking + Clone + Send + 'static,
    take_back: impl Future<Output = ()>,
) -> Race<T>
where
    T: Send + 'static,
    Asking: Future<Output = Option<T>> + Send,
{
    let acknowledged = Arc::new(AtomicBool::new(false));
    let mut askers = JoinSet::new();
    for _ in 0..ASKERS {
        let (ask, acknowledged) = (ask.clone(), Arc::clone(&acknowledged));
        askers.spawn(async move {
            let mut early = Vec::new();
            loop {
                let is_late = acknowledged.load(Ordering::SeqCst);
                let got = ask().await;
                if is_late {
                    return Race { early, late: got.into_iter().collect() };
                }
                early.extend(got);
                // What is in memory is answered without a pause, in which others get their turn.
                tokio::task::yield_now().await;
            }
        });
    }
    take_back.await;
    acknowledged.store(true, Ordering::SeqCst);
    let mut all = Race { early: Vec::new(), late: Vec::new() };
    for asker in askers.join_all().await {
        all.early.extend(asker.early);
        all.late.extend(asker.late);
    }
    all
}
