use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::base::clock::Timestamp;
use crate::base::lock::Mutex;
use crate::client::FetchFault;
use crate::jose::foreign::{DiscoveryFault, JwkSetFault, Jws};
use crate::jose::jwk::{Algorithm, Jwks, SigningKey};
use crate::jose::jws::sign_compact;

/// An issuer's web server. `None` hangs.
#[derive(Clone)]
struct Web {
    address: String,
    content: Arc<Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Web {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let web = Self { address, content: Arc::default(), asked: Arc::default() };
        let serving = web.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let web = serving.clone();
                tokio::spawn(async move {
                    let mut request = vec![0; 4096];
                    let length = stream.read(&mut request).await.unwrap_or_default();
                    web.asked.fetch_add(1, Ordering::SeqCst);
                    let Some(keys) = web.content.lock().clone() else {
                        return std::future::pending().await;
                    };
                    let describes = request[..length].starts_with(b"GET /.well-known/");
                    let description = || format!(r#"{{"issuer":"{0}","jwks_uri":"{0}/keys"}}"#, web.address);
                    let body = if describes { description() } else { keys };
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        web
    }

    fn serve(&self, content: &str) {
        *self.content.lock() = Some(content.to_owned());
    }

    fn publish(&self, keys: &[&SigningKey]) {
        let keys = keys.iter().map(|key| key.public_jwk().clone()).collect();
        self.serve(&serde_json::to_string(&Jwks { keys }).unwrap());
    }

    fn hang(&self) {
        *self.content.lock() = None;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn issuer(id: &str, url: &str, keys: KeySource) -> TrustedIssuer {
    TrustedIssuer {
        id: id.parse().unwrap(),
        organization: "acme".parse().unwrap(),
        name: id.to_owned(),
        url: url.parse().unwrap(),
        keys,
        algorithms: Default::default(),
        max_lifetime: 3_600,
        single_use: false,
        disabled_at: None,
        created_at: Timestamp::from_unix(0),
        keys_version: 1,
    }
}

fn at(web: &Web) -> KeySource {
    KeySource::At(format!("{}/keys", web.address).parse().unwrap())
}

fn keys(clock: &Clock) -> Arc<IssuerKeys> {
    let settings = FetchSettings {
        networks: "127.0.0.0/8".parse().unwrap(),
        allows_http: true,
        time_limit: Duration::from_millis(300),
        ..FetchSettings::default()
    };
    Arc::new(IssuerKeys::new(settings, clock.clone()))
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_unix(1_800_000_000))
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap().0
}

/// The header of a token that `key` signs.
fn header(key: &SigningKey) -> Header {
    let token = sign_compact(key, "JWT", b"{}").unwrap();
    Jws::parse(&token).unwrap().header().clone()
}

#[tokio::test]
async fn a_set_in_memory_serves_without_a_request() {
    let (web, clock, key) = (Web::start().await, clock(), key());
    web.publish(&[&key]);
    let (keys, issuer) = (keys(&clock), issuer("a", &web.address, at(&web)));
    for _ in 0..3 {
        assert!(keys.keys_for(&issuer, &header(&key)).await.unwrap().knows(&header(&key)));
    }
    assert_eq!(web.asked(), 1);
}

#[tokio::test]
async fn discovery_leads_to_the_keys_of_the_issuer_that_describes_itself() {
    let (web, clock, key) = (Web::start().await, clock(), key());
    web.publish(&[&key]);
    let keys = keys(&clock);
    let described = issuer("a", &web.address, KeySource::Discovery);
    assert!(keys.keys_for(&described, &header(&key)).await.unwrap().knows(&header(&key)));
    let other = issuer("b", &format!("{}/", web.address), KeySource::Discovery);
    let fault = keys.keys_for(&other, &header(&key)).await.unwrap_err();
    assert_eq!(fault, KeysFault::Discovery(DiscoveryFault::Issuer));
}

#[tokio::test]
async fn an_unknown_key_causes_a_request_once_in_thirty_seconds() {
    let (web, clock) = (Web::start().await, clock());
    let (first, second) = (key(), key());
    web.publish(&[&first]);
    let (keys, issuer) = (keys(&clock), issuer("a", &web.address, at(&web)));
    keys.keys_for(&issuer, &header(&first)).await.unwrap();
    web.publish(&[&first, &second]);
    for _ in 0..3 {
        assert!(!keys.keys_for(&issuer, &header(&second)).await.unwrap().knows(&header(&second)));
    }
    assert_eq!(web.asked(), 1, "it was asked a moment ago");
    clock.advance(30);
    for _ in 0..3 {
        assert!(keys.keys_for(&issuer, &header(&second)).await.unwrap().knows(&header(&second)));
    }
    assert_eq!(web.asked(), 2);
}

#[tokio::test]
async fn a_set_in_use_is_fetched_every_hour_and_serves_for_a_day_while_the_issuer_is_away() {
    let (web, clock) = (Web::start().await, clock());
    let (old, new) = (key(), key());
    web.publish(&[&old]);
    let (keys, issuer) = (keys(&clock), issuer("a", &web.address, at(&web)));
    keys.keys_for(&issuer, &header(&old)).await.unwrap();
    clock.advance(3_599);
    keys.refresh_due().await;
    assert_eq!(web.asked(), 1);

    web.publish(&[&new]);
    clock.advance(1);
    keys.refresh_due().await;
    assert_eq!(web.asked(), 2);
    let set = keys.keys_for(&issuer, &header(&new)).await.unwrap();
    assert!(set.knows(&header(&new)) && !set.knows(&header(&old)), "a withdrawn key is gone");

    web.serve("<html>moved</html>");
    for _ in 0..23 {
        clock.advance(3_600);
        keys.refresh_due().await;
        assert!(keys.keys_for(&issuer, &header(&new)).await.unwrap().knows(&header(&new)));
    }
    clock.advance(3_600);
    let fault = keys.keys_for(&issuer, &header(&new)).await.unwrap_err();
    assert!(matches!(fault, KeysFault::Set(JwkSetFault::Json(_))), "{fault}");
}

#[tokio::test]
async fn an_issuer_that_hangs_holds_up_neither_known_keys_nor_other_issuers() {
    let (hanging, other, clock) = (Web::start().await, Web::start().await, clock());
    let (known, unknown) = (key(), key());
    hanging.publish(&[&known]);
    other.publish(&[&known]);
    let keys = keys(&clock);
    let (slow, quick) =
        (issuer("a", &hanging.address, at(&hanging)), issuer("b", &other.address, at(&other)));
    keys.keys_for(&slow, &header(&known)).await.unwrap();
    hanging.hang();
    clock.advance(60);
    let (waiting, looking, wanted) = (Arc::clone(&keys), slow.clone(), header(&unknown));
    let waiting = tokio::spawn(async move { waiting.keys_for(&looking, &wanted).await });
    while hanging.asked() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(keys.keys_for(&slow, &header(&known)).await.unwrap().knows(&header(&known)));
    assert!(keys.keys_for(&quick, &header(&known)).await.unwrap().knows(&header(&known)));
    assert!(!waiting.is_finished());
    assert!(!waiting.await.unwrap().unwrap().knows(&header(&unknown)), "the old set serves on");
    assert_eq!(keys.look(&slow).await.unwrap_err(), KeysFault::Fetch(FetchFault::Slow));
}

#[tokio::test]
async fn those_who_give_up_prevent_no_fetch_and_too_many_are_refused() {
    let (web, clock, key) = (Web::start().await, clock(), key());
    let (keys, issuer) = (keys(&clock), issuer("a", &web.address, at(&web)));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (keys, issuer, header) = (Arc::clone(&keys), issuer.clone(), header(&key));
        waiting.spawn(async move { keys.keys_for(&issuer, &header).await.map(drop) });
    }
    let mut crowded = 0;
    while let Some(ended) = waiting.join_next().await {
        crowded += usize::from(ended.unwrap() == Err(KeysFault::Crowded));
    }
    assert_eq!((crowded, web.asked()), (36, 1));

    clock.advance(30);
    let (asking, looking, wanted) = (Arc::clone(&keys), issuer.clone(), header(&key));
    let gone = tokio::spawn(async move { asking.keys_for(&looking, &wanted).await.map(drop) });
    while web.asked() < 2 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    let _ = gone.await;
    let fault = keys.keys_for(&issuer, &header(&key)).await.unwrap_err();
    assert_eq!((fault, web.asked()), (KeysFault::Fetch(FetchFault::Slow), 2));
}

#[tokio::test]
async fn a_set_belongs_to_one_state_of_one_record() {
    let (web, clock) = (Web::start().await, clock());
    let (first, second) = (key(), key());
    web.publish(&[&first]);
    let keys = keys(&clock);
    let one = issuer("a", &web.address, at(&web));
    keys.keys_for(&one, &header(&first)).await.unwrap();
    web.publish(&[&second]);
    let beside = issuer("b", &web.address, at(&web));
    assert!(keys.keys_for(&beside, &header(&second)).await.unwrap().knows(&header(&second)));
    assert!(!keys.keys_for(&one, &header(&second)).await.unwrap().knows(&header(&second)));
    let changed = TrustedIssuer { keys_version: 2, ..one };
    assert!(keys.keys_for(&changed, &header(&second)).await.unwrap().knows(&header(&second)));
}

#[tokio::test]
async fn keys_in_the_record_need_no_request_and_never_age() {
    let (clock, key) = (clock(), key());
    let set = serde_json::to_value(Jwks { keys: vec![key.public_jwk().clone()] }).unwrap();
    let (keys, issuer) = (keys(&clock), issuer("a", "https://k8s.example", KeySource::Inline(set)));
    for _ in 0..3 {
        assert!(keys.keys_for(&issuer, &header(&key)).await.unwrap().knows(&header(&key)));
        clock.advance(100_000);
        keys.refresh_due().await;
    }
}
