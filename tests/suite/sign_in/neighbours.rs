//! Whatever somebody does at the way in, somebody else at another address signs in.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::json;
use tokio::task::JoinSet;

use super::provider::{Provider, Reply};
use super::{CALLBACK, Scene, begun, session};
use crate::support::{Answer, Backend, Client, Options, in_time, on_both, until};

on_both!(
    wrong_answers_and_attempts_without_end_stop_nobody_else,
    wrong_invitation_codes_stop_nobody_else,
    somebody_whose_answers_hang_stops_nobody_at_another_address,
    a_provider_that_hangs_stops_nobody_at_another_one,
);

/// Whoever makes noise, and whoever wants to sign in.
const NOISY: &str = "192.0.2.1";
const QUIET: &str = "198.51.100.7";

/// Requests at once that somebody makes. Each is made so many times.
const AT_ONCE: usize = 16;
const TIMES: usize = 6;

/// A scene with a member, `ada`, where answers that hang do so for longer than any test.
async fn scene(backend: Backend) -> Scene {
    let mut options = Options::default();
    options.issuers.time_limit = Duration::from_secs(3_600);
    let scene = Scene::behind_a_proxy(backend, options).await;
    scene.member("ada@example.com", &json!({})).await;
    scene
}

impl Scene {
    /// A browser at this address.
    fn at(&self, address: &str) -> Client {
        self.browser().with("x-forwarded-for", address)
    }

    async fn begin_at(&self, address: &str, provider: &str) -> Answer {
        self.at(address).post_form(&format!("/console/sign-in/with/{provider}"), "next=").await
    }

    /// Somebody at this address signs in with this code, to which the provider has an answer.
    async fn sign_in_at(&self, address: &str, code: &str) -> Answer {
        let begun = begun(&self.begin_at(address, "sso").await);
        let token = self.sso.token(&begun.nonce, self.now(), &json!({}));
        self.sso.replies_to(code, Reply::granted(&token)).await;
        answered(&self.at(address), &begun, &self.sso, code).await
    }
}

/// Brings an answer of this provider.
async fn answered(browser: &Client, begun: &super::Begun, provider: &Provider, code: &str) -> Answer {
    let path = format!("{CALLBACK}?code={code}&state={}&iss={}", begun.state, provider.url);
    browser.with("cookie", &begun.cookie).get(&path).await
}

/// Does this in many tasks, and meanwhile that, which has to go well each time.
async fn beside<N: Future<Output = u16> + Send + 'static>(
    noise: impl Fn(usize) -> N + Clone + Send + 'static,
    quiet: impl AsyncFn(usize),
) {
    let mut noisy = JoinSet::new();
    for at in 0..AT_ONCE {
        let noise = noise.clone();
        noisy.spawn(async move {
            let mut statuses = Vec::new();
            for time in 0..TIMES {
                statuses.push(noise(at * TIMES + time).await);
            }
            statuses
        });
    }
    let (mut round, mut seen) = (0, Vec::new());
    loop {
        in_time("the quiet one is served", quiet(round)).await;
        round += 1;
        while let Some(statuses) = noisy.try_join_next() {
            seen.extend(statuses.expect("answers"));
        }
        if noisy.is_empty() {
            break;
        }
    }
    assert!(seen.contains(&429) && !seen.contains(&500), "the noisy one has to wait: {seen:?}");
}

async fn wrong_answers_and_attempts_without_end_stop_nobody_else(backend: Backend) {
    let scene = std::sync::Arc::new(scene(backend).await);
    let noisy = std::sync::Arc::clone(&scene);
    let noise = move |at: usize| {
        let scene = std::sync::Arc::clone(&noisy);
        async move {
            let attempt = begun(&scene.begin_at(NOISY, "sso").await);
            match at % 3 {
                0 => scene.at(NOISY).get(&format!("{CALLBACK}?code=c&state={at}")).await.status,
                _ => answered(&scene.at(NOISY), &attempt, &scene.sso, &format!("wrong-{at}")).await.status,
            }
        }
    };
    beside(noise, async |round| {
        let answer = scene.sign_in_at(QUIET, &format!("right-{round}")).await;
        assert!(session(&answer).is_some(), "round {round}: {} {}", answer.status, answer.text);
    })
    .await;
}

async fn wrong_invitation_codes_stop_nobody_else(backend: Backend) {
    let scene = scene(backend).await;
    let browser = scene.at(NOISY);
    let noise = move |at: usize| {
        let browser = browser.clone();
        let code = if at.is_multiple_of(2) {
            BASE64URL.encode([at.to_le_bytes()[0]; 32])
        } else {
            format!("wrong-{at}")
        };
        async move { browser.post_form("/console/invitation", &format!("code={code}")).await.status }
    };
    beside(noise, async |round| {
        let email = format!("p{round}@example.com");
        let code = scene.invite(&email).await;
        let begun = begun(&scene.at(QUIET).post_form("/console/invitation", &format!("code={code}")).await);
        let claims = json!({ "sub": format!("p{round}"), "email": email });
        let token = scene.sso.token(&begun.nonce, scene.now(), &claims);
        let code = format!("right-{round}");
        scene.sso.replies_to(&code, Reply::granted(&token)).await;
        let answer = answered(&scene.at(QUIET), &begun, &scene.sso, &code).await;
        assert!(session(&answer).is_some(), "round {round}: {} {}", answer.status, answer.text);
    })
    .await;
}

async fn somebody_whose_answers_hang_stops_nobody_at_another_address(backend: Backend) {
    let scene = scene(backend).await;
    let asked = scene.sso.asked().await;
    let mut hanging = JoinSet::new();
    for at in 0..48 {
        let code = format!("slow-{at}");
        scene.sso.replies_to(&code, Reply::Silence).await;
        let begun = begun(&scene.begin_at(NOISY, "sso").await);
        let (browser, url) = (scene.at(NOISY), scene.sso.url.clone());
        hanging.spawn(async move {
            let path = format!("{CALLBACK}?code={code}&state={}&iss={url}", begun.state);
            browser.with("cookie", &begun.cookie).get(&path).await.status
        });
    }
    // Four are asked about, 32 wait, and the rest is refused.
    for _ in 0..12 {
        let status = in_time("who is too many is told at once", hanging.join_next()).await.unwrap().unwrap();
        assert_eq!(status, 429);
    }
    until("four are asked about", async || scene.sso.asked().await == asked + 4).await;
    for round in 0..3 {
        let signed_in =
            in_time("the quiet one signs in", scene.sign_in_at(QUIET, &format!("right-{round}"))).await;
        assert!(session(&signed_in).is_some(), "{} {}", signed_in.status, signed_in.text);
    }
    assert_eq!(scene.sso.asked().await, asked + 4 + 3);
}

async fn a_provider_that_hangs_stops_nobody_at_another_one(backend: Backend) {
    let scene = scene(backend).await;
    scene.other.always(Some(("/token", Reply::Silence))).await;
    let mut hanging = JoinSet::new();
    // From more addresses than there are turns.
    for at in 0..80 {
        let address = format!("203.0.113.{at}");
        let begun = begun(&scene.begin_at(&address, "other").await);
        let (browser, url) = (scene.at(&address), scene.other.url.clone());
        hanging.spawn(async move {
            let path = format!("{CALLBACK}?code=c&state={}&iss={url}", begun.state);
            browser.with("cookie", &begun.cookie).get(&path).await.status
        });
    }
    until("it is asked as often as it may", async || scene.other.asked().await == 32).await;
    let signed_in = in_time("somebody signs in elsewhere", scene.sign_in_at(QUIET, "right")).await;
    assert!(session(&signed_in).is_some(), "{} {}", signed_in.status, signed_in.text);
    // One whose description is not known yet holds up nobody, either.
    scene.server.advance(3_600).await;
    scene.other.always(Some(("/.well-known", Reply::Silence))).await;
    for _ in 0..8 {
        let browser = scene.at(NOISY);
        hanging.spawn(async move { browser.post_form("/console/sign-in/with/other", "next=").await.status });
    }
    let signed_in = in_time("somebody signs in elsewhere", scene.sign_in_at(QUIET, "right-again")).await;
    assert!(session(&signed_in).is_some(), "{} {}", signed_in.status, signed_in.text);
    assert_eq!(scene.server.client().token(&scene.server.admin_key, "").await.status, 200);
    assert_eq!(scene.other.asked().await, 32);
    assert!(hanging.try_join_next().is_none(), "none of them is answered");
}
