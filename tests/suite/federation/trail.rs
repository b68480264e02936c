//! What the audit trail and a check say about refused tokens.

use serde_json::{Value, json};

use super::{ISSUERS, KEYS, Scene, told_nothing};
use crate::support::{Backend, on_both};

on_both!(
    the_trail_says_what_failed_once_the_signature_holds,
    a_check_says_which_rule_fails_on_what,
    changes_of_issuers_and_rules_are_in_the_trail,
);

async fn refusals(scene: &Scene) -> Vec<Value> {
    scene.server.flush().await;
    let path = format!("/v1/orgs/default/audit?key={}&action=key.refused", scene.id);
    let events = scene.admin().get(&path).await.done(200);
    events["data"].as_array().unwrap().iter().map(|event| event["after"].clone()).collect()
}

async fn the_trail_says_what_failed_once_the_signature_holds(backend: Backend) {
    let scene = Scene::set(backend).await;
    let stranger = crate::support::foreign_issuer::ForeignIssuer::start().await;
    let claims =
        scene.foreign.claims(&scene.server.issuer(), scene.now(), &json!({ "sub": "secret-subject" }));
    let header = json!({ "alg": "ES256", "kid": scene.foreign.holder.kid() });
    told_nothing(&scene.present(&stranger.holder.sign(&header, &claims)).await, "a forgery");
    assert_eq!(refusals(&scene).await, Vec::<Value>::new(), "anybody can send a forgery");

    let token = scene.token(&json!({ "sub": "other", "extra": "not-compared" }));
    told_nothing(&scene.present(&token).await, "another subject");
    told_nothing(&scene.present(&token).await, "the same again");
    told_nothing(&scene.present(&scene.token(&json!({ "exp": scene.now() }))).await, "expired");
    let refused = refusals(&scene).await;
    let compared = json!([
        { "claim": "aud", "presented": scene.server.issuer() },
        { "claim": "sub", "presented": "other" },
    ]);
    let subject = json!({ "reason": "token", "issuer": "idp", "check": "subject", "compared": compared });
    assert!(refused.contains(&subject), "{refused:?}");
    assert!(
        refused.contains(&json!({ "reason": "token", "issuer": "idp", "check": "claims", "compared": [] }))
    );
    assert_eq!(refused.len(), 2, "the same refusal is noted once: {refused:?}");
    let all = scene.server.database.dump().await;
    for hidden in ["not-compared", "secret-subject", token.rsplit_once('.').unwrap().1] {
        assert!(!format!("{all:?}").contains(hidden), "{hidden}");
    }
}

async fn a_check_says_which_rule_fails_on_what(backend: Backend) {
    let scene = Scene::set(backend).await;
    // Those of one second have no order.
    scene.server.advance(1).await;
    let rule = json!({ "issuer": "idp", "claims": { "/a/b": "1" } });
    scene.admin().post_json(&format!("{KEYS}/{}/trust-rules", scene.id), &rule).await.done(201);
    let check =
        async |body: Value| scene.admin().post_json(&format!("{ISSUERS}/idp/check"), &body).await.done(200);
    let keys = json!({ "ok": true, "usable": 1, "reason": null });
    assert_eq!(check(json!({})).await, json!({ "keys": keys, "token": null, "rules": [] }));
    let found = check(json!({ "token": scene.token(&json!({})), "key": scene.id })).await;
    assert_eq!(found["token"], json!({ "ok": true, "reason": null }));
    let outcomes = found["rules"].as_array().unwrap();
    assert_eq!(outcomes[0]["ok"], true);
    assert_eq!(outcomes[1]["reason"], "`/a/b` does not have the value of the rule");
    for (claims, reason) in [
        (json!({ "iat": scene.now() - 60, "exp": scene.now() }), "it has expired"),
        (
            json!({ "iss": "https://other.example" }),
            "the key has no rule for an active issuer with this `iss`",
        ),
        (json!({ "iat": null }), "`iat` is missing"),
    ] {
        let found = check(json!({ "token": scene.token(&claims), "key": scene.id })).await;
        assert_eq!(found["token"], json!({ "ok": false, "reason": reason }));
        assert_eq!(found["rules"], json!([]));
    }
    let (_, reader) = scene.server.key(&["read:claviger/orgs/default/issuers/*"]).await;
    let reader = scene.server.client().bearer(&reader);
    let path = format!("{ISSUERS}/idp/check");
    reader.post_json(&path, &json!({ "token": "x" })).await.done(200);
    reader.post_json(&path, &json!({ "token": "x", "key": scene.id })).await.refused(403, "forbidden");
}

async fn changes_of_issuers_and_rules_are_in_the_trail(backend: Backend) {
    let scene = Scene::set(backend).await;
    let idp = format!("{ISSUERS}/idp");
    scene.admin().patch(&idp, &json!({ "status": "disabled" })).await.done(200);
    scene.admin().patch(&idp, &json!({ "status": "active" })).await.done(200);
    scene.admin().patch(&idp, &json!({ "max_lifetime": 60 })).await.done(200);
    scene.admin().delete(&idp).await.done(204);
    let events = scene.admin().get("/v1/orgs/default/audit?action=issuer.*").await.done(200);
    let actions: Vec<&str> =
        events["data"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    let expected = ["issuer.delete", "issuer.change", "issuer.enable", "issuer.disable", "issuer.create"];
    assert_eq!(actions, expected);
    assert_eq!(events["data"][1]["after"]["max_lifetime"], 60);
    assert_eq!(events["data"][1]["subject"], "default/idp");
}
