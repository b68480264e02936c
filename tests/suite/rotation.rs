//! A key's secrets: a new one beside the old for a while, and the end of one.

use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};
use crate::token::claims;

on_both!(
    the_old_secret_works_until_its_end_and_not_at_it,
    without_an_overlap_the_old_secret_and_its_tokens_are_dead,
    there_are_never_three_live_secrets,
    an_overlap_never_puts_off_an_end,
    a_token_never_outlives_the_secret_that_it_was_got_with,
    each_secret_has_its_own_last_use,
    a_secret_is_retired_before_its_end,
    retiring_the_newer_secret_keeps_the_older_one_for_good,
    keeping_a_secret_takes_the_rights_of_a_rotation,
    the_last_live_secret_stays,
    a_key_whose_secrets_have_all_ended_gets_a_new_one,
    a_revoked_key_gets_no_secret,
);

const KEYS: &str = "/v1/orgs/default/keys";

/// A server and a key on it.
struct Scene {
    server: Server,
    /// The path of the key.
    path: String,
    key: String,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        let server = Server::start(backend).await;
        let (id, key) = server.key(&["read:*"]).await;
        // A second later, so that times tell what was made when.
        server.clock.advance(1);
        Self { server, path: format!("{KEYS}/{id}"), key }
    }

    /// Rotates the key: the answer.
    async fn rotate(&self, overlap: i64) -> Value {
        let body = json!({ "overlap_seconds": overlap });
        self.server.admin().post_json(&format!("{}/rotate", self.path), &body).await.done(201)
    }

    /// Rotates the key: the new text of it.
    async fn next(&self, overlap: i64) -> String {
        self.rotate(overlap).await["key"].as_str().unwrap().to_owned()
    }

    /// The key as it is shown.
    async fn shown(&self) -> Value {
        self.server.admin().get(&self.path).await.done(200)
    }

    /// The ids of the live secrets, the newest last.
    async fn secrets(&self) -> Vec<String> {
        let shown = self.shown().await;
        let secrets = shown["secrets"].as_array().unwrap().iter();
        secrets.map(|secret| secret["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Retires the newest secret past the management API, which would keep the other one then.
    async fn lose_newest(&self) {
        let newest = self.secrets().await.pop().unwrap();
        let retire = format!("UPDATE key_secrets SET retired_at = 1767225601 WHERE id = '{newest}'");
        self.server.database.execute(&retire).await;
    }

    async fn opens(&self, key: &str) -> bool {
        let token = self.server.client().token(key, "").await;
        let direct = self.server.client().bearer(key).get("/v1/self").await;
        assert_eq!(token.status == 200, direct.status == 200, "{} {}", token.text, direct.text);
        if token.status != 200 {
            // No different from a secret that was never one.
            assert_eq!(
                token.json(),
                json!({ "error": "invalid_client", "error_description": "client authentication failed" })
            );
            direct.refused(401, "unauthenticated");
        }
        token.status == 200
    }

    async fn is_active(&self, token: &str) -> bool {
        let form = format!("token={token}");
        self.server.admin().post_form("/oauth/introspect", &form).await.done(200)["active"] == true
    }

    async fn wait(&self, seconds: i64) {
        self.server.clock.advance(seconds);
        self.server.node.catch_up().await.unwrap();
    }
}

async fn the_old_secret_works_until_its_end_and_not_at_it(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = scene.server.client().access_token(&scene.key, "").await;
    let before = scene.shown().await;
    scene.wait(5).await;
    let mut rotated = scene.rotate(20).await;
    let new = rotated.as_object_mut().unwrap().remove("key").unwrap();
    let new = new.as_str().unwrap();
    assert_eq!(new[..24], scene.key[..24], "the same key by its id");
    let secrets = rotated["secrets"].as_array().unwrap();
    assert_eq!(secrets[0]["expires_at"], "2026-01-01T00:00:26Z");
    assert_eq!((&secrets[0]["id"], secrets.len()), (&before["secrets"][0]["id"], 2));
    assert_eq!(
        (&secrets[1]["created_at"], &secrets[1]["expires_at"]),
        (&json!("2026-01-01T00:00:06Z"), &Value::Null)
    );
    let shown = scene.shown().await;
    assert_eq!(shown, rotated);
    let mut expected = before;
    expected["secrets"] = rotated["secrets"].clone();
    assert_eq!(rotated, expected, "nothing else is changed, its generation neither");
    assert!(scene.opens(new).await && scene.opens(&scene.key).await);
    let introspected =
        scene.server.admin().post_form("/oauth/introspect", &format!("token={}", scene.key)).await;
    assert_eq!(introspected.done(200)["exp"], (scene.server.clock.now().unix() + 20));
    scene.wait(19).await;
    assert!(scene.opens(new).await && scene.opens(&scene.key).await);
    scene.wait(1).await;
    assert!(scene.opens(new).await && !scene.opens(&scene.key).await);
    assert_eq!(scene.secrets().await.len(), 1);
    assert!(scene.is_active(&token).await, "what was issued in time lives as long as it was to");
}

async fn without_an_overlap_the_old_secret_and_its_tokens_are_dead(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = scene.server.client().access_token(&scene.key, "").await;
    let rotated = scene.rotate(0).await;
    assert_eq!((&rotated["generation"], rotated["secrets"].as_array().unwrap().len()), (&json!(2), 1));
    assert!(!scene.opens(&scene.key).await && !scene.is_active(&token).await);
    let new = rotated["key"].as_str().unwrap();
    let token = scene.server.client().access_token(new, "").await;
    assert!(scene.is_active(&token).await);
    assert_eq!(claims(&token)["gen"], 2);
}

async fn there_are_never_three_live_secrets(backend: Backend) {
    let scene = Scene::set(backend).await;
    let rotate = async |overlap: i64| {
        let path = format!("{}/rotate", scene.path);
        scene.server.admin().post_json(&path, &json!({ "overlap_seconds": overlap })).await
    };
    let second = scene.next(100).await;
    for overlap in [1, 2_592_000] {
        let before = scene.server.database.dump().await;
        rotate(overlap).await.refused(409, "conflict");
        assert_eq!(scene.server.database.dump().await, before);
    }
    scene.wait(99).await;
    rotate(10).await.refused(409, "conflict");
    scene.wait(1).await;
    let third = scene.next(10).await;
    assert!(!scene.opens(&scene.key).await && scene.opens(&second).await && scene.opens(&third).await);
    let fourth = scene.next(0).await;
    for (key, opens) in [(&second, false), (&third, false), (&fourth, true)] {
        assert_eq!(scene.opens(key).await, opens);
    }
    assert_eq!(scene.shown().await["generation"], 2);
}

async fn an_overlap_never_puts_off_an_end(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.rotate(100).await;
    scene.lose_newest().await;
    let rotated = scene.rotate(1_000).await;
    assert_eq!(rotated["secrets"][0]["expires_at"], "2026-01-01T00:01:41Z");
    scene.wait(99).await;
    assert!(scene.opens(&scene.key).await);
    scene.wait(1).await;
    assert!(!scene.opens(&scene.key).await);
}

async fn a_token_never_outlives_the_secret_that_it_was_got_with(backend: Backend) {
    let scene = Scene::set(backend).await;
    let new = scene.next(700).await;
    let expires_in =
        async |key: &str| scene.server.client().token(key, "").await.done(200)["expires_in"].clone();
    for (seconds, left) in [(0, 600), (200, 500), (499, 1)] {
        scene.wait(seconds).await;
        assert_eq!((expires_in(&scene.key).await, expires_in(&new).await), (left.into(), 600.into()));
    }
}

async fn each_secret_has_its_own_last_use(backend: Backend) {
    let scene = Scene::set(backend).await;
    let new = scene.next(1_000).await;
    let used_at = async |seconds: i64, credential: &str| {
        scene.wait(1).await;
        match seconds % 2 {
            0 => scene.server.client().bearer(credential).get("/v1/self").await.done(200),
            _ => scene.server.client().token(credential, "").await.done(200),
        };
        let node = &scene.server.node;
        node.usage.flush(&node.records.store, scene.server.clock.now()).await.unwrap();
        let shown = scene.shown().await;
        [&shown, &shown["secrets"][0], &shown["secrets"][1]]
            .map(|used| used["last_used_at"].as_str().map(|time| time[17..].to_owned()))
    };
    let at = |seconds: i64| Some(format!("{seconds:02}Z"));
    assert_eq!(used_at(2, &scene.key).await, [at(2), at(2), None]);
    assert_eq!(used_at(3, &new).await, [at(3), at(2), at(3)]);
    assert_eq!(used_at(4, &scene.key).await, [at(4), at(4), at(3)]);
    assert_eq!(used_at(5, &scene.key).await, [at(5), at(5), at(3)]);
}

async fn a_secret_is_retired_before_its_end(backend: Backend) {
    let scene = Scene::set(backend).await;
    let new = scene.next(1_000).await;
    let client = scene.server.client();
    let (of_old, of_new) = (client.access_token(&scene.key, "").await, client.access_token(&new, "").await);
    let [old, kept] = &scene.secrets().await[..] else { panic!("two secrets") };
    let retired = format!("{}/secrets/{old}", scene.path);
    scene.server.admin().delete(&retired).await.done(204);
    let shown = scene.shown().await;
    assert_eq!((&shown["generation"], &shown["secrets"][0]["id"]), (&json!(2), &json!(kept)));
    assert!(!scene.opens(&scene.key).await && scene.opens(&new).await);
    assert!(
        !scene.is_active(&of_old).await && !scene.is_active(&of_new).await,
        "one generation for all tokens"
    );
    scene.server.admin().delete(&retired).await.refused(404, "not_found");
    scene.rotate(1_000).await;
}

async fn retiring_the_newer_secret_keeps_the_older_one_for_good(backend: Backend) {
    let scene = Scene::set(backend).await;
    let new = scene.next(100).await;
    let token = scene.server.client().access_token(&scene.key, "").await;
    let [old, newer] = &scene.secrets().await[..] else { panic!("two secrets") };
    let path = format!("{}/secrets/{newer}", scene.path);
    let answer = scene.server.admin().delete(&path).await;
    // It says so, unlike a retirement that changes no other secret.
    let kept = answer.done(200);
    assert_eq!(kept, scene.shown().await);
    assert_eq!((&kept["secrets"][0]["id"], &kept["secrets"][0]["expires_at"]), (&json!(old), &Value::Null));
    assert_eq!((kept["secrets"].as_array().unwrap().len(), &kept["generation"]), (1, &json!(2)));
    assert!(!scene.opens(&new).await && !scene.is_active(&token).await);
    scene.wait(100).await;
    assert!(scene.opens(&scene.key).await);
    let id = scene.path.rsplit('/').next().unwrap();
    let trail = format!("/v1/orgs/default/audit?key={id}&action=secret.retire");
    let event = scene.server.admin().get(&trail).await.done(200)["data"][0].clone();
    let ends = |state: &str| event[state]["secrets"][0]["expires_at"].clone();
    assert_eq!((ends("before"), ends("after")), (json!("2026-01-01T00:01:41Z"), Value::Null));
}

async fn keeping_a_secret_takes_the_rights_of_a_rotation(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, writer) = server.key(&["write:claviger/orgs/default/projects/*/keys/*"]).await;
    let writer = server.client().bearer(&writer);
    let (id, _) = server.key(&["read:claviger/orgs/default/**"]).await;
    let path = format!("{KEYS}/{id}");
    let rotated =
        server.admin().post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 100 })).await;
    let rotated = rotated.done(201);
    let secret = |at: usize| format!("{path}/secrets/{}", rotated["secrets"][at]["id"].as_str().unwrap());
    let before = server.database.dump().await;
    writer.delete(&secret(1)).await.refused(403, "forbidden");
    assert_eq!(server.database.dump().await, before);
    writer.delete(&secret(0)).await.done(204);
}

async fn the_last_live_secret_stays(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = scene.server.admin();
    let (other, _) = scene.server.key(&["read:*"]).await;
    let [only] = &scene.secrets().await[..] else { panic!("one secret") };
    let secret = |key: &str, id: &str| format!("{key}/secrets/{id}");
    admin.delete(&secret(&scene.path, only)).await.refused(409, "conflict");
    for gone in [
        secret(&scene.path, "sec_0123456789abcdef"),
        secret(&format!("{KEYS}/{other}"), only),
        secret(&scene.path, "sec_0123456789ABCDEF"),
        secret(&scene.path, "x"),
    ] {
        admin.delete(&gone).await.refused(404, "not_found");
    }
    scene.rotate(10).await;
    scene.wait(10).await;
    // The first has ended by itself, so that the other is the last.
    admin.delete(&secret(&scene.path, only)).await.refused(404, "not_found");
    let [last] = &scene.secrets().await[..] else { panic!("one secret") };
    admin.delete(&secret(&scene.path, last)).await.refused(409, "conflict");
    assert_eq!(scene.shown().await["generation"], 1);
}

async fn a_key_whose_secrets_have_all_ended_gets_a_new_one(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.rotate(10).await;
    scene.lose_newest().await;
    scene.wait(10).await;
    assert_eq!(scene.shown().await["secrets"], json!([]));
    assert!(!scene.opens(&scene.key).await);
    let new = scene.next(10).await;
    assert!(scene.opens(&new).await && !scene.opens(&scene.key).await);
}

async fn a_revoked_key_gets_no_secret(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = scene.server.admin();
    scene.rotate(1_000).await;
    let secrets = scene.secrets().await;
    admin.post_json(&format!("{}/revoke", scene.path), &json!({})).await.done(200);
    for overlap in [0, 10] {
        let body = json!({ "overlap_seconds": overlap });
        admin.post_json(&format!("{}/rotate", scene.path), &body).await.refused(409, "conflict");
    }
    assert_eq!(scene.secrets().await, secrets);
}
