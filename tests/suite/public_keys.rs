//! Registered public keys: who may register and remove them, and what that does to the key.

use claviger::jose::jwk::Algorithm;
use serde_json::{Value, json};

use crate::support::assertion::Holder;
use crate::support::{Answer, Backend, Server, on_both};

on_both!(
    a_public_key_is_shown_with_its_key_and_audited,
    a_private_or_unclear_key_is_refused_by_name,
    a_key_has_at_most_eight_public_keys_and_none_twice,
    registering_needs_the_rights_of_a_rotation,
    removing_a_public_key_ends_its_tokens_and_no_other_credential,
    the_last_credential_of_a_key_stays,
    a_key_without_a_secret_needs_a_public_key,
    a_secret_can_go_when_a_public_key_stays,
    a_rotation_leaves_the_public_keys,
    a_revoked_key_gets_no_public_key,
    the_last_administrator_keeps_a_way_in,
);

const KEYS: &str = "/v1/orgs/default/keys";

/// A server with one key.
struct Scene {
    server: Server,
    id: String,
    key: String,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        let server = Server::start(backend).await;
        let (id, key) = server.key(&["read:*"]).await;
        Self { server, id, key }
    }

    async fn register(&self, body: &Value) -> Answer {
        self.server.admin().post_json(&format!("{KEYS}/{}/public-keys", self.id), body).await
    }

    async fn remove(&self, public_key: &str) -> Answer {
        self.server.admin().delete(&format!("{KEYS}/{}/public-keys/{public_key}", self.id)).await
    }

    async fn shown(&self) -> Value {
        self.server.admin().get(&format!("{KEYS}/{}", self.id)).await.done(200)
    }
}

fn jwk(algorithm: Algorithm) -> Value {
    Holder::new(algorithm).jwk
}

async fn a_public_key_is_shown_with_its_key_and_audited(backend: Backend) {
    let scene = Scene::set(backend).await;
    let before = scene.shown().await;
    assert_eq!(before["public_keys"], json!([]));
    let holder = Holder::new(Algorithm::Es256);
    let registered = scene.register(&json!({ "jwk": holder.jwk })).await.done(201);
    let id = registered["id"].as_str().unwrap();
    assert!(id.starts_with("pub_") && id.len() == 20, "{id}");
    let expected = json!({ "id": id, "kid": holder.kid(), "alg": "ES256",
        "created_at": "2026-01-01T00:00:00Z", "last_used_at": null });
    assert_eq!(registered, expected);
    // Those of one second have no order.
    scene.server.advance(1).await;
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
               -----END PUBLIC KEY-----\n";
    let second = scene.register(&json!({ "pem": pem, "kid": "build" })).await.done(201);
    assert_eq!((&second["kid"], &second["alg"]), (&json!("build"), &json!("EdDSA")));
    let mut after = before;
    after["public_keys"] = json!([registered, second]);
    assert_eq!(scene.shown().await, after, "nothing else changes, the generation neither");
    let listed = scene.server.admin().get(KEYS).await.done(200);
    assert!(listed["data"].as_array().unwrap().contains(&after), "{listed}");
    let trail = format!("/v1/orgs/default/audit?key={}&action=public_key.*", scene.id);
    let events = scene.server.admin().get(&trail).await.done(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 2);
    assert_eq!(events["data"][0]["after"]["public_keys"], after["public_keys"]);
    let dry = format!("{KEYS}/{}/public-keys?dry_run=true", scene.id);
    let rehearsed = scene.server.admin().post_json(&dry, &json!({ "jwk": jwk(Algorithm::Es256) })).await;
    assert_eq!(rehearsed.done(200), json!({ "dry_run": true }));
    assert_eq!(scene.shown().await, after);
}

async fn a_private_or_unclear_key_is_refused_by_name(backend: Backend) {
    let scene = Scene::set(backend).await;
    let public = jwk(Algorithm::Es256);
    let mut private = public.clone();
    private["d"] = "c2VjcmV0IG51bWJlcg".into();
    let before = scene.server.database.dump().await;
    for (body, named) in [
        (json!({ "jwk": private }), "`d` is secret"),
        (json!({ "jwk": { "kty": "oct", "k": "c2VjcmV0" } }), "`k` is secret"),
        (json!({ "jwk": { "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" } }), "`crv`"),
        (json!({ "jwk": public.clone(), "kid": "x" }), "either jwk"),
        (json!({ "jwk": public, "pem": "x" }), "either jwk"),
        (json!({}), "either jwk"),
        (json!({ "pem": "x" }), "there is no public key in PEM"),
        (json!({ "pem": "x", "alg": "HS256" }), "alg must be"),
        (json!({ "jwk": "x" }), "`kty` is missing"),
        (json!({ "secret": "x" }), "unknown field"),
    ] {
        let message = scene.register(&body).await.refused(400, "invalid_request");
        assert!(message.contains(named) || named == "`kty` is missing", "{body}: {message}");
        assert!(!message.contains("c2VjcmV0"), "{message}");
    }
    let (private, _) = include_str!("../vectors/pem/p256.pem").split_at(200);
    let message = scene.register(&json!({ "pem": private })).await.refused(400, "invalid_request");
    assert!(message.contains("this is a private key"), "{message}");
    assert_eq!(scene.server.database.dump().await, before);
}

async fn a_key_has_at_most_eight_public_keys_and_none_twice(backend: Backend) {
    let scene = Scene::set(backend).await;
    let first = jwk(Algorithm::EdDsa);
    scene.register(&json!({ "jwk": first })).await.done(201);
    scene.register(&json!({ "jwk": first })).await.refused(409, "conflict");
    let mut renamed = first.clone();
    renamed["kid"] = "another name".into();
    scene.register(&json!({ "jwk": renamed })).await.refused(409, "conflict");
    let mut same_kid = jwk(Algorithm::EdDsa);
    same_kid["kid"] = first["kid"].clone();
    scene.register(&json!({ "jwk": same_kid })).await.refused(409, "conflict");
    for _ in 0..7 {
        scene.register(&json!({ "jwk": jwk(Algorithm::EdDsa) })).await.done(201);
    }
    let message = scene.register(&json!({ "jwk": jwk(Algorithm::EdDsa) })).await.refused(409, "conflict");
    assert!(message.contains("8 public keys"), "{message}");
    let too_many: Vec<_> = (0..9).map(|_| json!({ "jwk": jwk(Algorithm::EdDsa) })).collect();
    let new = |public_keys: &[Value]| {
        json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only",
            "public_keys": public_keys })
    };
    let create = async |public_keys: &[Value]| scene.server.admin().post_json(KEYS, &new(public_keys)).await;
    create(&too_many).await.refused(400, "invalid_request");
    create(&[too_many[0].clone(), too_many[0].clone()]).await.refused(400, "invalid_request");
    assert_eq!(create(&too_many[..8]).await.done(201)["public_keys"].as_array().unwrap().len(), 8);
}

async fn registering_needs_the_rights_of_a_rotation(backend: Backend) {
    let scene = Scene::set(backend).await;
    let write = "write:claviger/orgs/default/projects/default/keys/*";
    let (_, weak) = scene.server.key(&[write]).await;
    let (admin_like, _) = scene.server.key(&["admin:claviger/orgs/*"]).await;
    let weak = scene.server.client().bearer(&weak);
    let body = json!({ "jwk": jwk(Algorithm::Es256) });
    weak.post_json(&format!("{KEYS}/{}/public-keys", scene.id), &body).await.done(201);
    let path = format!("{KEYS}/{admin_like}/public-keys");
    weak.post_json(&path, &body).await.refused(403, "forbidden");
    let registered = scene.server.admin().post_json(&path, &body).await.done(201);
    // Taking away needs no more than write.
    let remove = format!("{path}/{}", registered["id"].as_str().unwrap());
    weak.delete(&remove).await.done(204);
    weak.delete(&remove).await.refused(404, "not_found");
}

async fn removing_a_public_key_ends_its_tokens_and_no_other_credential(backend: Backend) {
    let scene = Scene::set(backend).await;
    let holder = Holder::new(Algorithm::Es256);
    let registered = scene.register(&json!({ "jwk": holder.jwk })).await.done(201);
    let (server, issuer) = (&scene.server, scene.server.issuer());
    let assertion = || holder.assertion(&scene.id, &issuer, server.clock.now().unix());
    let token = server.client().token_by(&assertion(), "").await.done(200);
    let is_active = async || {
        let form = format!("token={}", token["access_token"].as_str().unwrap());
        server.admin().post_form("/oauth/introspect", &form).await.done(200)["active"] == true
    };
    assert!(is_active().await);
    scene.remove(registered["id"].as_str().unwrap()).await.done(204);
    assert_eq!(scene.shown().await["generation"], 2);
    assert!(!is_active().await);
    let refused = server.client().token_by(&assertion(), "").await;
    assert_eq!((refused.status, refused.oauth_error().as_str()), (401, "invalid_client"));
    assert_eq!(server.client().token(&scene.key, "").await.status, 200);
}

async fn the_last_credential_of_a_key_stays(backend: Backend) {
    let scene = Scene::set(backend).await;
    let registered = scene.register(&json!({ "jwk": jwk(Algorithm::Es256) })).await.done(201);
    let secret = scene.shown().await["secrets"][0]["id"].as_str().unwrap().to_owned();
    let retire = format!("{KEYS}/{}/secrets/{secret}", scene.id);
    scene.server.admin().delete(&retire).await.done(204);
    let id = registered["id"].as_str().unwrap();
    let message = scene.remove(id).await.refused(409, "conflict");
    assert!(message.contains("last way to use the key"), "{message}");
    scene.register(&json!({ "jwk": jwk(Algorithm::Es256) })).await.done(201);
    scene.remove(id).await.done(204);
}

async fn a_key_without_a_secret_needs_a_public_key(backend: Backend) {
    let scene = Scene::set(backend).await;
    let holder = Holder::new(Algorithm::EdDsa);
    let mut new = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only",
        "secret": false });
    let message = scene.server.admin().post_json(KEYS, &new).await.refused(400, "invalid_request");
    assert!(message.contains("at least one public key"), "{message}");
    new["public_keys"] = json!([{ "jwk": holder.jwk }]);
    let created = scene.server.admin().post_json(KEYS, &new).await.done(201);
    assert_eq!((&created["key"], &created["secrets"]), (&Value::Null, &json!([])));
    let id = created["id"].as_str().unwrap();
    let assertion = holder.assertion(id, &scene.server.issuer(), scene.server.clock.now().unix());
    scene.server.client().token_by(&assertion, "").await.done(200);
    let rotated = scene.server.admin();
    let rotated = rotated.post_json(&format!("{KEYS}/{id}/rotate"), &json!({ "overlap_seconds": 60 })).await;
    let rotated = rotated.done(201);
    assert_eq!(rotated["secrets"].as_array().unwrap().len(), 1);
    scene.server.client().access_token(rotated["key"].as_str().unwrap(), "").await;
}

async fn a_secret_can_go_when_a_public_key_stays(backend: Backend) {
    let scene = Scene::set(backend).await;
    let holder = Holder::new(Algorithm::Es256);
    scene.register(&json!({ "jwk": holder.jwk })).await.done(201);
    let secret = scene.shown().await["secrets"][0]["id"].as_str().unwrap().to_owned();
    scene.server.admin().delete(&format!("{KEYS}/{}/secrets/{secret}", scene.id)).await.done(204);
    assert_eq!(scene.server.client().token(&scene.key, "").await.status, 401);
    let shown = scene.shown().await;
    assert_eq!((&shown["secrets"], &shown["generation"]), (&json!([]), &json!(2)));
    let assertion = holder.assertion(&scene.id, &scene.server.issuer(), scene.server.clock.now().unix());
    scene.server.client().token_by(&assertion, "").await.done(200);
}

async fn a_rotation_leaves_the_public_keys(backend: Backend) {
    let scene = Scene::set(backend).await;
    let holder = Holder::new(Algorithm::Es256);
    let registered = scene.register(&json!({ "jwk": holder.jwk })).await.done(201);
    let path = format!("{KEYS}/{}/rotate", scene.id);
    let rotated = scene.server.admin().post_json(&path, &json!({ "overlap_seconds": 0 })).await.done(201);
    assert_eq!(rotated["public_keys"], json!([registered]));
    let assertion = holder.assertion(&scene.id, &scene.server.issuer(), scene.server.clock.now().unix());
    scene.server.client().token_by(&assertion, "").await.done(200);
}

async fn a_revoked_key_gets_no_public_key(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.server.admin().post_json(&format!("{KEYS}/{}/revoke", scene.id), &json!({})).await.done(200);
    scene.register(&json!({ "jwk": jwk(Algorithm::Es256) })).await.refused(409, "conflict");
}

/// The administrator's key has a secret that ends and a public key that doesn't. Without the public key, administration
/// would end.
async fn the_last_administrator_keeps_a_way_in(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = scene.server.admin();
    let own = admin.get("/v1/self").await.done(200)["id"].as_str().unwrap().to_owned();
    let path = format!("{KEYS}/{own}/public-keys");
    let registered = admin.post_json(&path, &json!({ "jwk": jwk(Algorithm::Es256) })).await.done(201);
    let end = format!("UPDATE key_secrets SET expires_at = 1767225700 WHERE key_id = '{own}' AND hash <> ''");
    scene.server.database.execute(&end).await;
    let remove = format!("{path}/{}", registered["id"].as_str().unwrap());
    let message = admin.delete(&remove).await.refused(409, "conflict");
    assert!(message.contains("lock out all administrators"), "{message}");
    admin.delete(&format!("{remove}?force=true")).await.done(204);
}
