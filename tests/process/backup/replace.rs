//! A backup in the place of what a store holds: what the store has taken away since stays away, unless it is told
//! otherwise, and it is said what comes back to life.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use super::{backed_up, printed, stop};
use crate::support::{Answer, Backend, Claviger, Client, Database, Process, on_both, until};

on_both!(
    what_was_taken_away_stays_away,
    what_was_taken_away_comes_back_only_when_told_and_says_so,
    a_store_that_knows_nothing_of_the_keys_says_so,
    nobody_is_left_to_administer_and_that_is_said,
);

/// The epoch that the feed names.
async fn epoch_of(client: &Client) -> String {
    let document = client.get("/oauth/revocations").await.text;
    let payload = document.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
    payload["epoch"].as_str().unwrap_or_default().to_owned()
}

/// A server over a store, and the keys that were made in it.
struct World {
    database: Database,
    claviger: Claviger,
    server: Option<Process>,
    keys: BTreeMap<&'static str, Key>,
}

struct Key {
    id: String,
    text: String,
    /// What it was rotated to.
    next: Option<String>,
}

/// One for each thing that can happen to a key.
const KEYS: [&str; 15] = [
    "revoked",
    "disabled",
    "enabled",
    "deleted",
    "narrowed",
    "shortened",
    "rotated",
    "overlapped",
    "retired",
    "unregistered",
    "bound",
    "unbound",
    "widened",
    "renamed",
    "untouched",
];

const ISSUERS: &str = "/v1/orgs/default/issuers";

/// A trusted issuer whose key has this id.
fn issuer(id: &str, kid: &str) -> Value {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    json!({ "id": id, "issuer": "https://issuer.example", "keys": { "jwks": { "keys": [jwk] } }, "algorithms": ["EdDSA"] })
}

fn owned((id, status, kid): (&str, &str, &str)) -> (String, String, String) {
    (id.to_owned(), status.to_owned(), kid.to_owned())
}

impl World {
    /// The trusted issuers, each with its status and the id of its key, oldest first.
    async fn issuers(&self) -> Vec<(String, String, String)> {
        let listed = self.admin().get(ISSUERS).await.json();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let issuers = listed["data"].as_array().expect("a list").iter().rev();
        issuers
            .map(|issuer| {
                let kid = text(&issuer["keys"]["jwks"]["keys"][0]["kid"]);
                (text(&issuer["id"]), text(&issuer["status"]), kid)
            })
            .collect()
    }

    /// A backup is made, and then much is taken away, and some given.
    async fn changed_since_the_backup(backend: Backend) -> Self {
        let database = backend.fresh().await;
        let claviger = Claviger::over(&database).set("CLAVIGER_ISSUER", "http://127.0.0.1:1");
        let server = Some(claviger.serve());
        let mut world = Self { database, claviger, server, keys: BTreeMap::new() };
        for name in KEYS {
            let (id, text) = world
                .admin()
                .create_key_from(json!({ "name": name, "scopes": scopes("read:a read:b") }))
                .await;
            world.keys.insert(name, Key { id, text, next: None });
        }
        done(world.admin().post_json("/v1/orgs", &json!({ "id": "acme" })).await);
        done(world.admin().post_json("/v1/orgs/default/projects", &json!({ "id": "web" })).await);
        for id in ["gone", "silenced", "rekeyed", "trusted"] {
            done(world.admin().post_json(ISSUERS, &issuer(id, "1")).await);
        }
        world.rotate("retired", 1_000).await;
        done(world.key("enabled", Method::PATCH, "", json!({ "disabled": true })).await);
        done(world.key("unbound", Method::PATCH, "", json!({ "dpop": "required" })).await);
        // RFC 8037 §A.2.
        let jwk =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        done(world.key("unregistered", Method::POST, "/public-keys", json!({ "jwk": jwk })).await);
        backed_up(&world.claviger, &world.database, "a.backup");
        world.change().await;
        world
    }

    async fn change(&mut self) {
        done(self.key("revoked", Method::POST, "/revoke", json!({ "reason": "leaked" })).await);
        done(self.key("disabled", Method::PATCH, "", json!({ "disabled": true })).await);
        done(self.key("enabled", Method::PATCH, "", json!({ "disabled": false })).await);
        done(self.key("deleted", Method::DELETE, "", Value::Null).await);
        done(self.key("narrowed", Method::PATCH, "", json!({ "scopes": scopes("read:a") })).await);
        done(self.key("shortened", Method::PATCH, "", json!({ "expires_in": "30d" })).await);
        done(self.key("bound", Method::PATCH, "", json!({ "dpop": "required" })).await);
        done(self.key("unbound", Method::PATCH, "", json!({ "dpop": "optional" })).await);
        self.rotate("rotated", 0).await;
        self.rotate("overlapped", 1_000).await;
        let secrets = self.key("retired", Method::GET, "", Value::Null).await.json()["secrets"].clone();
        let oldest = format!("/secrets/{}", secrets[0]["id"].as_str().expect("an id"));
        done(self.key("retired", Method::DELETE, &oldest, Value::Null).await);
        let key = self.key("unregistered", Method::GET, "", Value::Null).await.json();
        let registered = format!("/public-keys/{}", key["public_keys"][0]["id"].as_str().expect("an id"));
        done(self.key("unregistered", Method::DELETE, &registered, Value::Null).await);
        done(
            self.key("widened", Method::PATCH, "", json!({ "scopes": scopes("read:a read:b read:c") })).await,
        );
        done(self.key("renamed", Method::PATCH, "", json!({ "name": "another" })).await);
        let (id, text) = self.admin().create_key_from(json!({ "name": "new", "preset": "query_only" })).await;
        self.keys.insert("new", Key { id, text, next: None });
        done(self.admin().send(Method::DELETE, "/v1/orgs/acme", None).await);
        done(self.admin().send(Method::DELETE, "/v1/orgs/default/projects/web", None).await);
        done(self.admin().send(Method::DELETE, &format!("{ISSUERS}/gone"), None).await);
        done(self.admin().patch(&format!("{ISSUERS}/silenced"), &json!({ "status": "disabled" })).await);
        let keys = json!({ "keys": issuer("rekeyed", "2")["keys"] });
        done(self.admin().patch(&format!("{ISSUERS}/rekeyed"), &keys).await);
        let [kid] = &self.kids().await[..] else { panic!("one signing key to begin with") };
        done(self.admin().post_json("/v1/signing-keys/rotate", &json!({ "compromised": kid })).await);
    }

    fn server(&self) -> &Process {
        self.server.as_ref().expect("a server")
    }

    fn admin(&self) -> Client {
        self.server().admin()
    }

    async fn key(&self, name: &str, method: Method, more: &str, body: Value) -> Answer {
        let path = format!("/v1/orgs/default/keys/{}{more}", self.keys[name].id);
        let body = (!body.is_null()).then(|| body.to_string());
        self.admin().with("content-type", "application/json").send(method, &path, body).await
    }

    async fn rotate(&mut self, name: &'static str, overlap: u32) {
        let rotated = self.key(name, Method::POST, "/rotate", json!({ "overlap_seconds": overlap })).await;
        let next = rotated.json()["key"].as_str().unwrap_or_else(|| panic!("{}", rotated.text)).to_owned();
        self.keys.get_mut(name).expect("a key").next = Some(next);
    }

    /// Restores the backup: beside a running server, or between two.
    async fn restore(&mut self, flags: &[&str]) -> String {
        if self.database.url.starts_with("sqlite") {
            stop(self.server.take().expect("a server"));
        }
        let said = printed(&self.claviger, &[&["restore", "a.backup", "--replace"], flags].concat());
        if self.server.is_none() {
            self.server = Some(self.claviger.serve());
        }
        // A restore begins another epoch. The feed names the one that the server's memory is of.
        let epoch = self.database.texts("SELECT epoch FROM deployment").await.remove(0);
        let client = self.server().client();
        until("the server has heard of the restore", async || epoch_of(&client).await == epoch).await;
        said
    }

    /// The scopes that a key gets a token with; none when it is refused.
    async fn scope(&self, key: &str) -> Option<String> {
        let answer = self.server().client().token(key, "").await;
        (answer.status == 200).then(|| answer.json()["scope"].as_str().expect("text").to_owned())
    }

    /// The same for what a key was when it was made, and what it was rotated to.
    async fn scopes(&self, name: &str) -> (Option<String>, Option<String>) {
        let Key { text, next, .. } = &self.keys[name];
        let next = match next {
            Some(next) => self.scope(next).await,
            None => None,
        };
        (self.scope(text).await, next)
    }

    async fn is_active(&self, token: &str) -> bool {
        let introspected = self.admin().post_form("/oauth/introspect", &format!("token={token}")).await;
        introspected.json()["active"] == true
    }

    async fn token(&self, name: &str) -> String {
        self.server().client().access_token(&self.keys[name].text, "").await
    }

    /// The ids of the published signing keys.
    async fn kids(&self) -> Vec<String> {
        let jwks = self.server().client().get("/.well-known/jwks.json").await.json();
        let keys = jwks["keys"].as_array().expect("keys").iter();
        keys.map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
    }

    /// What has been said of each key, by the name that it was made with: a word for each.
    fn said_of_keys(&self, things: &Value) -> BTreeMap<&'static str, String> {
        let ids: BTreeMap<&str, &'static str> =
            self.keys.iter().map(|(name, key)| (&*key.id, *name)).collect();
        let things = things.as_array().expect("an array").iter();
        let keys = things.filter(|thing| thing["kind"].is_null() || thing["kind"] == "key");
        keys.map(|key| {
            let name = ids[key["id"].as_str().expect("an id")];
            (name, key["what"].as_str().unwrap_or_default().to_owned())
        })
        .collect()
    }
}

fn done(answer: Answer) {
    assert!(answer.status < 300, "{} {}", answer.status, answer.text);
}

fn scopes(list: &str) -> Value {
    let scope = |scope: &str| {
        let (action, resource) = scope.split_once(':').expect("action:resource");
        json!({ "action": action, "resource": resource })
    };
    list.split(' ').map(scope).collect()
}

fn some(scope: &str) -> Option<String> {
    Some(scope.to_owned())
}

/// What becomes of each key that something was taken from.
const TAKEN_AWAY: [(&str, &str); 10] = [
    ("bound", "narrowed"),
    ("deleted", "deleted"),
    ("disabled", "disabled"),
    ("narrowed", "narrowed"),
    ("overlapped", "narrowed"),
    ("retired", "narrowed"),
    ("revoked", "revoked"),
    ("rotated", "narrowed"),
    ("shortened", "narrowed"),
    ("unregistered", "narrowed"),
];

/// Of these what comes back when a restore is told to forget it: a disabled key is never enabled.
fn brought_back() -> impl Iterator<Item = (&'static str, &'static str)> {
    TAKEN_AWAY.into_iter().filter(|(_, what)| *what != "disabled")
}

fn taken_away() -> BTreeMap<&'static str, String> {
    TAKEN_AWAY.into_iter().map(|(name, what)| (name, what.to_owned())).collect()
}

async fn what_was_taken_away_stays_away(backend: Backend) {
    let mut world = World::changed_since_the_backup(backend).await;
    let (of_widened, of_untouched) = (world.token("widened").await, world.token("untouched").await);
    let of_enabled = world.token("enabled").await;
    let of_overlapped = world.token("overlapped").await;
    done(world.admin().post_form("/oauth/revoke", &format!("token={of_overlapped}")).await);
    let kids = world.kids().await;
    let trail = world.database.number("SELECT COUNT(*) FROM audit_events").await;

    let before = world.database.dump().await;
    let dry_run = printed(&world.claviger, &["restore", "a.backup", "--replace", "--dry-run", "--json"]);
    assert_eq!(world.database.dump().await, before);
    let mut report: Value = serde_json::from_str(&world.restore(&["--json"]).await).expect("JSON");
    assert_eq!(report["dry_run"], false);
    report["dry_run"] = true.into();
    assert_eq!(serde_json::from_str::<Value>(&dry_run).expect("JSON"), report);

    // Twice: what was carried over once is known the next time.
    for round in 1..3 {
        let replaced = &report["replaced"];
        let mut expected = taken_away();
        if round == 2 {
            // The first restore took from it what it had been given.
            expected.insert("widened", "narrowed".to_owned());
            expected.insert("enabled", "narrowed".to_owned());
            expected.insert("unbound", "narrowed".to_owned());
        }
        assert_eq!(world.said_of_keys(&replaced["carried_over"]), expected, "{round}");
        let issuers = ["trusted_issuer"; 3];
        let kinds = [&["key", "organization", "project", "signing_key", "token"][..], &issuers].concat();
        let said = replaced["carried_over"].as_array().expect("an array");
        let others: Vec<_> =
            said.iter().filter(|thing| thing["kind"] != "key").map(|thing| &thing["kind"]).collect();
        assert_eq!(others, kinds[1..], "{round}");
        assert_eq!(replaced["brought_back"], json!([]));
        assert_eq!(replaced["unknown"], json!([]));

        let both = some("read:a read:b");
        for (name, expected) in [
            ("revoked", (None, None)),
            ("disabled", (None, None)),
            // It was disabled when the backup was made: nothing in a backup enables a key.
            ("enabled", (None, None)),
            ("deleted", (None, None)),
            ("narrowed", (some("read:a"), None)),
            ("shortened", (both.clone(), None)),
            ("rotated", (None, both.clone())),
            ("overlapped", (both.clone(), both.clone())),
            ("retired", (None, both.clone())),
            ("unregistered", (both.clone(), None)),
            // Without a proof, neither gets a token: one requires it since the backup, and one did before it.
            ("bound", (None, None)),
            ("unbound", (None, None)),
            ("widened", (both.clone(), None)),
            ("renamed", (both.clone(), None)),
            ("untouched", (both.clone(), None)),
            ("new", (None, None)),
        ] {
            assert_eq!(world.scopes(name).await, expected, "{name}");
        }
        assert!(!world.is_active(&of_overlapped).await, "a revoked token");
        assert!(!world.is_active(&of_widened).await, "it has more than its key has now");
        assert!(!world.is_active(&of_enabled).await, "its key is disabled again");
        assert!(world.is_active(&of_untouched).await, "its signing key is from after the backup");
        assert_eq!(world.kids().await, kids, "the withdrawn signing key is not published, its successor is");
        let shortened = world.key("shortened", Method::GET, "", Value::Null).await.json();
        assert!(shortened["expires_at"].is_string(), "{shortened}");
        let unregistered = world.key("unregistered", Method::GET, "", Value::Null).await.json();
        assert_eq!(unregistered["public_keys"], json!([]));
        let renamed = world.key("renamed", Method::GET, "", Value::Null).await.json();
        assert_eq!(renamed["name"], "renamed", "what is not taken away is as the backup has it");
        assert_eq!(world.admin().get("/v1/orgs/acme").await.status, 404);
        assert_eq!(world.admin().get("/v1/orgs/default/projects/web").await.status, 404);
        assert_eq!(
            world.issuers().await,
            [("silenced", "disabled", "1"), ("rekeyed", "active", "2"), ("trusted", "active", "1")]
                .map(owned)
        );
        if round == 1 {
            assert_eq!(world.said_of_keys(&replaced["lost"]).into_keys().collect::<Vec<_>>(), ["new"]);
            let events = world.database.number("SELECT COUNT(*) FROM audit_events").await;
            assert_eq!(events, trail + 1, "the trail goes on, and has the restore in it");
            for (name, generation) in [
                ("widened", 2),
                ("enabled", 3),
                ("unbound", 3),
                ("bound", 2),
                ("disabled", 2),
                ("new", 2),
                ("narrowed", 2),
                ("untouched", 0),
            ] {
                let withdrawn = "SELECT COALESCE(MAX(generation), 0) FROM withdrawals WHERE key_id =";
                let withdrawn =
                    world.database.number(&format!("{withdrawn} '{}'", world.keys[name].id)).await;
                assert_eq!(withdrawn, generation, "offline verifiers hear of {name}");
            }
            report = serde_json::from_str(&world.restore(&["--json"]).await).expect("JSON");
        }
    }
    assert_eq!(world.database.number("SELECT COUNT(*) - COUNT(DISTINCT seq) FROM audit_events").await, 0);
}

async fn what_was_taken_away_comes_back_only_when_told_and_says_so(backend: Backend) {
    let mut world = World::changed_since_the_backup(backend).await;
    let [of_narrowed, of_renamed] = [world.token("narrowed").await, world.token("renamed").await];
    let kids = world.kids().await;
    let said = world.restore(&["--forget-revocations"]).await;
    let title = "\nVALID AGAIN, although the replaced store had revoked or removed it:\n";
    let (_, listed) = said.split_once(title).unwrap_or_else(|| panic!("{said}"));
    let (carried_over, _) = said.split_once(title).unwrap();
    let disabled = format!("  key {} \"disabled\" of default: disabled\n", world.keys["disabled"].id);
    assert!(carried_over.contains(&disabled) && !listed.contains(&disabled), "{said}");
    for (name, what) in brought_back() {
        let line = format!("  key {} \"{name}\" of default: {what}\n", world.keys[name].id);
        assert!(listed.contains(&line), "{line} in {listed}");
    }
    for line in [
        "  organization acme \"acme\": deleted\n",
        "  project default/web \"web\" of default: deleted\n",
        "  trusted issuer default/gone \"gone\" of default: deleted\n",
        "  trusted issuer default/rekeyed \"rekeyed\" of default: changed\n",
        ": withdrawn\n",
    ] {
        assert!(listed.contains(line), "{line} in {listed}");
    }
    let both = some("read:a read:b");
    for (name, expected) in [
        ("revoked", (both.clone(), None)),
        ("disabled", (None, None)),
        ("deleted", (both.clone(), None)),
        ("narrowed", (both.clone(), None)),
        ("bound", (both.clone(), None)),
        ("rotated", (both.clone(), None)),
        ("overlapped", (both.clone(), None)),
        ("retired", (both.clone(), both.clone())),
        ("widened", (both.clone(), None)),
        ("new", (None, None)),
    ] {
        assert_eq!(world.scopes(name).await, expected, "{name}");
    }
    assert_ne!(world.kids().await, kids);
    assert!(
        !world.is_active(&of_narrowed).await && !world.is_active(&of_renamed).await,
        "their signing key is gone"
    );
    let events = "SELECT action || ' ' || COALESCE(organization, '') || ' ' || subject FROM audit_events
         WHERE action LIKE '%.restore' ORDER BY seq";
    let events = world.database.texts(events).await;
    for (name, _) in brought_back() {
        let event = format!("key.restore default {}", world.keys[name].id);
        assert!(events.contains(&event), "{event} in {events:?}");
    }
    for event in [
        "organization.restore acme acme",
        "project.restore default default/web",
        "issuer.restore default default/gone",
        "issuer.restore default default/rekeyed",
    ] {
        assert!(events.iter().any(|recorded| recorded == event), "{event} in {events:?}");
    }
    assert_eq!(events.len(), brought_back().count() + 5);
}

async fn a_store_that_knows_nothing_of_the_keys_says_so(backend: Backend) {
    let mut world = World::changed_since_the_backup(backend).await;
    // As if it had been set back by other means to before they were made.
    world
        .database
        .execute("DELETE FROM key_secrets; DELETE FROM api_keys WHERE name <> 'Administrator'")
        .await;
    world.database.execute("UPDATE deployment SET epoch = 'another'; DELETE FROM audit_events").await;
    let report: Value = serde_json::from_str(&world.restore(&["--json"]).await).expect("JSON");
    let unknown = world.said_of_keys(&report["replaced"]["unknown"]);
    let mut active = BTreeSet::from(KEYS);
    active.remove("enabled");
    assert_eq!(unknown.into_keys().collect::<BTreeSet<_>>(), active, "one was disabled in the backup");
    assert_eq!(world.scopes("revoked").await.0, some("read:a read:b"), "and nobody could tell");
}

const LOCKED_OUT: &str =
    "With --forget-revocations, those that were revoked work again. Otherwise, run `claviger admin-key`.\n";

async fn nobody_is_left_to_administer_and_that_is_said(backend: Backend) {
    let mut world = World::changed_since_the_backup(backend).await;
    let admin = world.admin().get("/v1/self").await.json()["id"].as_str().expect("an id").to_owned();
    let (_, successor) = world.admin().create_key(&["*:claviger/**"]).await;
    let successor = world.server().client().bearer(&successor);
    done(successor.post_json(&format!("/v1/orgs/default/keys/{admin}/revoke"), &json!({})).await);
    let said = world.restore(&["--dry-run"]).await;
    assert!(said.ends_with(LOCKED_OUT), "{said}");
    let report: Value = serde_json::from_str(&world.restore(&["--json"]).await).expect("JSON");
    assert_eq!(report["ways_in"], 0);
    assert_eq!(world.server().client().bearer(&world.server().admin_key()).get("/v1/self").await.status, 401);
    let report: Value =
        serde_json::from_str(&world.restore(&["--json", "--forget-revocations"]).await).expect("JSON");
    assert_eq!(report["ways_in"], 1);
    assert_eq!(world.admin().get("/v1/self").await.status, 200);
}
