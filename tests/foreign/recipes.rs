//! The resource servers of `examples/recipes`: each with the vectors, and before a live server.

mod forge;
mod issuer;
mod orders;

use std::path::Path;

use claviger::base::clock::Clock;
use reqwest::Method;
use serde_json::json;

use crate::program::{prepared, program, succeed_beside};
use crate::support::{Backend, Claviger, Client, Holder, Process, until, write_private};
use forge::Forge;
use issuer::Issuer;
use orders::{AUDIENCE, Orders};

const GOOD: (u16, &str) = (200, "");
const INVALID: (u16, &str) = (401, r#"Bearer error="invalid_token""#);

/// Writes each test once for each recipe, with how it runs the vectors.
macro_rules! recipes {
    ($($language:ident: $vectors:expr),* $(,)?) => {
        $(
            mod $language {
                const NAME: &str = concat!("recipes/", stringify!($language));

                #[test]
                fn vectors() {
                    super::vectors(NAME, &$vectors);
                }

                #[tokio::test]
                async fn it_passes_what_is_good_and_nothing_else() {
                    super::it_passes_what_is_good_and_nothing_else(NAME).await;
                }

                #[tokio::test]
                async fn it_takes_a_bound_token_with_a_proof_alone() {
                    super::it_takes_a_bound_token_with_a_proof_alone(NAME).await;
                }

                #[tokio::test]
                async fn it_hears_what_is_taken_away() {
                    super::it_hears_what_is_taken_away(NAME).await;
                }

                // The issuer has to answer while the recipe is waited for.
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn it_lets_nobody_pass_when_it_can_not_know() {
                    super::it_lets_nobody_pass_when_it_can_not_know(NAME).await;
                }
            }
        )*
    };
}

recipes! {
    python: [".venv/bin/python", "-m", "unittest"],
    node: ["npm", "test"],
    go: ["go", "test"],
}

fn vectors(name: &str, command: &[&str]) {
    let Some(folder) = prepared(name) else { return };
    succeed_beside(program(&folder, command[0], &command[1..]), String::new);
}

async fn it_passes_what_is_good_and_nothing_else(name: &str) {
    let Some(folder) = prepared(name) else { return };
    let database = Backend::Sqlite.fresh().await;
    // Key files that others may read are refused.
    let file = database.folder.path().join("p256.pem");
    write_private(&file, forge::PEM);
    let claviger = Claviger::over(&database).set("CLAVIGER_SIGNING_KEY_FILE", &file.display().to_string());
    let (server, orders) = started(&claviger, &folder, name);
    let (_, key) = server.admin().create_key(&["read:orders/*", "write:orders/7"]).await;
    let token = server.client().access_token(&key, "").await;
    until("the first document", async || is(GOOD, orders.get("/orders/7", &token).await)).await;

    let bearer = format!("bearer {token}");
    let missing = |scope: &str| (403, format!(r#"Bearer error="insufficient_scope", scope="{scope}""#));
    for (method, path, expected) in [
        (Method::GET, "/orders/8?expand=lines", (200, String::new())),
        (Method::POST, "/orders/7", (200, String::new())),
        (Method::POST, "/orders/8", missing("write:orders/8")),
        (Method::GET, "/orders/*", (404, String::new())),
        (Method::GET, "/orders/7/lines", (404, String::new())),
    ] {
        assert_eq!(orders.ask(method.clone(), path, &bearer).await, expected, "{method} {path}");
    }
    let challenge = (401, "Bearer".to_owned());
    assert_eq!(orders.get_without_token("/orders/7").await, challenge);
    assert_eq!(orders.ask(Method::GET, "/orders/7", "Basic a2V5OnNlY3JldA==").await, challenge);

    let forge = Forge::of(&token);
    assert!(is(GOOD, orders.get("/orders/7", &forge.unchanged()).await));
    for (why, token) in forge.refused() {
        let answer = orders.get("/orders/7", &token).await;
        assert!(is(INVALID, answer.clone()), "{why}: {answer:?}");
    }
    for (why, token) in [
        ("an API key", key.clone()),
        ("another audience", server.client().access_token(&key, "&resource=https://other.example").await),
        ("the feed", server.client().get("/oauth/revocations").await.text),
    ] {
        assert!(is(INVALID, orders.get("/orders/7", &token).await), "{why}");
    }
    let elsewhere = server.client().with("x-forwarded-for", "203.0.113.7");
    for (cidrs, expected) in
        [(&["203.0.113.0/24", "::/0"][..], (403, "")), (&["127.0.0.0/8", "203.0.113.0/24"], GOOD)]
    {
        let members = json!({"preset": "query_only", "cidrs": cidrs});
        let (_, key) = server.admin().create_key_from(members).await;
        let token = elsewhere.access_token(&key, "").await;
        assert!(is(expected, orders.get("/orders/7", &token).await), "{cidrs:?}");
    }
}

async fn it_takes_a_bound_token_with_a_proof_alone(name: &str) {
    let Some(folder) = prepared(name) else { return };
    let database = Backend::Sqlite.fresh().await;
    let (server, orders) = started(&Claviger::over(&database), &folder, name);
    let (_, key) = server.admin().create_key(&["read:orders/*"]).await;
    let (holder, thief) = (Holder::new(), Holder::new());
    let now = || Clock::system().now();
    let asking = holder.proof("POST", &format!("{}/oauth/token", server.issuer), now()).signed();
    let token = server.client().proving(&asking).access_token(&key, "").await;
    let plain = server.client().access_token(&key, "").await;
    let proof = |holder: &Holder| holder.proof("GET", &format!("{AUDIENCE}/orders/7"), now());
    let good = || proof(&holder).of(&token).signed();
    until("the first document", async || is(GOOD, orders.prove("/orders/7?a=b", &token, &[good()]).await))
        .await;

    let again = good();
    assert!(is(GOOD, orders.prove("/orders/7", &token, std::slice::from_ref(&again)).await));
    for (why, proofs) in [
        ("a used proof", vec![again]),
        ("no proof", vec![]),
        ("two proofs", vec![good(), good()]),
        (
            "another path",
            vec![proof(&holder).of(&token).claim("htu", format!("{AUDIENCE}/orders/8")).signed()],
        ),
        ("another method", vec![proof(&holder).of(&token).claim("htm", "POST").signed()]),
        ("another token", vec![proof(&holder).of(&plain).signed()]),
        ("an old proof", vec![proof(&holder).of(&token).claim("iat", now().unix() - 90).signed()]),
    ] {
        let (status, challenge) = orders.prove("/orders/7", &token, &proofs).await;
        assert_eq!(status, 401, "{why}");
        assert!(
            challenge.starts_with(r#"DPoP error="invalid_dpop_proof", algs="ES256 "#),
            "{why}: {challenge}"
        );
    }
    assert!(is(INVALID, orders.get("/orders/7", &token).await));
    let invalid = (401, r#"DPoP error="invalid_token""#);
    assert!(is(invalid, orders.prove("/orders/7", &token, &[proof(&thief).of(&token).signed()]).await));
    assert!(is(invalid, orders.prove("/orders/7", &plain, &[proof(&holder).of(&plain).signed()]).await));
}

async fn it_hears_what_is_taken_away(name: &str) {
    let Some(folder) = prepared(name) else { return };
    let database = Backend::Sqlite.fresh().await;
    let (server, orders) = started(&Claviger::over(&database), &folder, name);
    let (client, admin) = (server.client(), server.admin());
    let passes = async |token: &str| is(GOOD, orders.get("/orders/7", token).await);
    let is_refused = async |token: &str| is(INVALID, orders.get("/orders/7", token).await);
    let (_, kept) = admin.create_key(&["read:orders/*"]).await;
    let good = client.access_token(&kept, "").await;
    until("the first document", async || passes(&good).await).await;

    let (id, key) = admin.create_key(&["read:orders/*"]).await;
    let token = client.access_token(&key, "").await;
    assert!(passes(&token).await);
    revoke(&admin, &id).await;
    until("a key's end", async || is_refused(&token).await).await;

    let token = client.access_token(&kept, "").await;
    assert!(passes(&token).await);
    assert_eq!(admin.post_form("/oauth/revoke", &format!("token={token}")).await.status, 200);
    until("a token's end", async || is_refused(&token).await).await;

    let exchanges = "write:claviger/orgs/default/projects/default/token-exchange";
    let (actor, key) = admin.create_key(&[exchanges]).await;
    let token = exchanged(&client, &good, &key).await;
    assert!(passes(&token).await);
    revoke(&admin, &actor).await;
    until("an actor's end", async || is_refused(&token).await).await;

    assert!(passes(&good).await);
    let kid = admin.get("/v1/signing-keys").await.json()["data"][0]["kid"].clone();
    admin.post_json("/v1/signing-keys/rotate", &json!({"compromised": kid})).await.done(201);
    until("a signing key's end", async || is_refused(&good).await).await;
    let token = client.access_token(&kept, "").await;
    until("another signing key", async || passes(&token).await).await;

    drop(server);
    assert!(passes(&token).await, "what was heard is good for thirty seconds");
}

async fn it_lets_nobody_pass_when_it_can_not_know(name: &str) {
    let Some(folder) = prepared(name) else { return };
    let issuer = Issuer::start(60).await;
    let orders = Orders::start(&folder, name, issuer.url());
    let token = issuer.token();
    // It has taken in the first answer when it asks for the second.
    until("a second question", async || issuer.asked() > 1).await;
    assert!(is((503, ""), orders.get("/orders/7", &token).await));
    issuer.set_age(0);
    until("a fresh document", async || is(GOOD, orders.get("/orders/7", &token).await)).await;
}

/// A server, with an audience more than the recipe's and behind a proxy, and the recipe before it.
fn started(claviger: &Claviger, folder: &Path, name: &str) -> (Process, Orders) {
    let audiences = format!("{AUDIENCE},https://other.example");
    let claviger = claviger.clone().set("CLAVIGER_AUDIENCES", &audiences);
    let server = claviger.set("CLAVIGER_TRUSTED_PROXIES", "127.0.0.1").serve();
    let orders = Orders::start(folder, name, &server.issuer);
    (server, orders)
}

async fn revoke(admin: &Client, id: &str) {
    admin.post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await.done(200);
}

/// The token that the key gets for this one.
async fn exchanged(client: &Client, token: &str, key: &str) -> String {
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_secret={key}&subject_token={token}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
    );
    let answer = client.post_form("/oauth/token", &form).await.done(200);
    answer["access_token"].as_str().expect("a token").to_owned()
}

fn is((status, challenge): (u16, &str), answer: orders::Verdict) -> bool {
    answer == (status, challenge.to_owned())
}
