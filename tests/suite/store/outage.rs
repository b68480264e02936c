//! The store cannot be reached: what is in memory lasts for thirty seconds, and nothing hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use claviger::domain::api_key::PlainKey;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::{
    Answer, Backend, Client, Database, Options, Postgres, Server, in_time, on_postgres, until,
};

on_postgres!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    a_stopped_store_is_outlived_for_thirty_seconds,
    a_store_that_stands_still_is_outlived_for_thirty_seconds
);

async fn a_stopped_store_is_outlived_for_thirty_seconds(_: Backend) {
    outlive(Postgres::stop, Postgres::start_again).await;
}

async fn a_store_that_stands_still_is_outlived_for_thirty_seconds(_: Backend) {
    outlive(Postgres::freeze, Postgres::thaw).await;
}

async fn outlive(begin: fn(&mut Postgres), end: fn(&mut Postgres)) {
    let mut postgres = Postgres::own().expect("asked for before");
    let server = Server::start_on(Database::on(&postgres).await, Options::default()).await;
    let (client, admin, clock) = (server.client(), server.admin(), &server.clock);
    let (key_id, key) = server.key(&["read:*"]).await;
    let (_, cold_key) = server.key(&["read:*"]).await;
    server.node.catch_up().await.expect("a store that answers");
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(Arc::clone(&server.node).follow(stopped));
    let token = client.access_token(&key, "").await;
    let introspected = async || admin.post_form("/oauth/introspect", &format!("token={token}")).await;
    assert_eq!(introspected().await.json()["active"], true);
    let flush = async || server.node.usage.flush(&server.node.records.store, clock.now()).await;
    flush().await.expect("a store that answers");
    let busy = ask_until_unavailable(&server).await;
    assert_eq!(client.get("/readyz").await.status, 200);

    begin(&mut postgres);
    for seconds in [0, 30] {
        clock.advance(seconds);
        assert_eq!(client.token(&key, "").await.status, 200, "a key in memory, after {seconds} s");
        assert_eq!(introspected().await.json()["active"], true, "its token, after {seconds} s");
        assert_eq!(client.get("/healthz").await.status, 200, "after {seconds} s");
    }
    let form = format!("token={token}&client_secret={key}");
    let (cold, (), listed, revoked, flushed, ()) = tokio::join!(
        timed("a key that is not in memory", client.token(&cold_key, "")),
        timed("readiness", not_ready(&client)),
        timed("a list of keys", admin.get("/v1/orgs/default/keys")),
        timed("a token's revocation", client.post_form("/oauth/revoke", &form)),
        timed("a flush", flush()),
        timed("whoever was asking when it began", busy),
    );
    for answer in [cold, listed, revoked] {
        assert_unavailable(&answer);
    }
    flushed.expect_err("a store that does not answer");
    // Memory gets no younger when the wall clock is put back.
    clock.step(-3_600);
    clock.advance(1);
    for answer in
        [client.token(&key, "").await, introspected().await, client.bearer(&key).get("/v1/self").await]
    {
        assert_unavailable(&answer);
    }

    clock.step(3_600);

    end(&mut postgres);
    let took = until("the store is back", async || client.get("/readyz").await.status == 200).await;
    println!("ready {took:?} after the store is back");
    for known in [&key, &cold_key] {
        assert_eq!(client.token(known, "").await.status, 200);
    }
    flush().await.expect("a store that answers");
    let tokens =
        format!("SELECT count FROM key_usage WHERE key_id = '{key_id}' AND kind = 'token' AND span = 3600");
    assert_eq!(server.database.number(&tokens).await, 4, "before, twice during and after");
}

/// Asks for tokens with keys that the store has to be asked for, several at once, so that some are on their
/// way to the store when it stops answering; until each was told to come again.
async fn ask_until_unavailable(server: &Server) -> impl Future<Output = ()> + use<> {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut askers = JoinSet::new();
    for _ in 0..12 {
        let (node, client, asked) = (Arc::clone(&server.node), server.client(), Arc::clone(&asked));
        askers.spawn(async move {
            let (brand, environment) = (&node.deployment.brand, "prd".parse().expect("an environment"));
            loop {
                let unknown = PlainKey::generate(
                    brand,
                    &environment,
                    &node.master_keys.tagger(),
                    &node.records.entropy,
                );
                let answer = client.token(unknown.expect("randomness").expose(), "").await;
                if answer.status != 401 {
                    return assert_unavailable(&answer);
                }
                asked.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    until("many are asking", async || asked.load(Ordering::Relaxed) > 50).await;
    async { askers.join_all().await.into_iter().collect() }
}

async fn not_ready(client: &Client) {
    until("the store is missed", async || client.get("/readyz").await.status == 503).await;
    let answer = client.get("/readyz").await;
    assert_unavailable(&answer);
    assert!(answer.text.contains("the store was last confirmed"), "{}", answer.text);
}

async fn timed<T>(what: &str, coming: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let came = in_time(what, coming).await;
    println!("{what}: answered after {:?}", begun.elapsed());
    came
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
    assert!(answer.text.contains("unavailable"), "{}", answer.text);
}
