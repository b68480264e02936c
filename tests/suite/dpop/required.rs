//! Keys that get no other tokens than bound ones, and are no credentials by themselves.

use claviger::jose::jwk::Algorithm;
use claviger::node::ProofRules;
use serde_json::{Value, json};

use super::{ACCESS_TOKEN, GRANT, asking, bound, oauth, proven, start};
use crate::support::assertion::form;
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Answer, Backend, Client, Holder, Server, assertion, on_both};
use crate::token::claims;

on_both!(
    a_token_is_issued_only_with_a_proof_at_every_door,
    whoever_has_no_credential_learns_nothing,
    the_key_itself_opens_nothing,
    the_key_still_revokes,
    a_subject_is_exchanged_only_with_a_proof,
    requiring_proofs_ends_what_was_issued_without,
    what_does_not_change_changes_nothing,
    a_key_is_created_so_and_the_trail_says_it,
    what_is_no_requirement_is_refused,
    refusals_are_counted_and_noted,
    a_console_session_ends_for_good,
    the_console_shows_and_sets_it,
    a_configuration_keeps_it_unless_it_says_so,
);

const KEYS: &str = "/v1/orgs/default/keys";
const ISSUERS: &str = "/v1/orgs/default/issuers";
const CONFIGURATION: &str = "/v1/orgs/default/configuration";
const MISSING: &str =
    "this key requires a DPoP proof, so that its tokens are bound: send one in the header DPoP";
const REFUSED: &str =
    "this API key requires DPoP: get a DPoP-bound token with it, and send that token with a proof";

/// A key that requires proofs.
async fn required(server: &Server, scopes: &[&str]) -> (String, String) {
    let (id, key) = server.key(scopes).await;
    set(server, &id, "required").await;
    (id, key)
}

async fn set(server: &Server, id: &str, dpop: &str) -> Value {
    server.admin().patch(&format!("{KEYS}/{id}"), &json!({ "dpop": dpop })).await.done(200)
}

fn description(answer: &Answer) -> Value {
    answer.json()["error_description"].clone()
}

/// Checks that a request for a token fails for want of a proof, and works with one.
async fn needs_a_proof(server: &Server, door: &str, ask: impl AsyncFn(Client) -> Answer) {
    let without = ask(server.client()).await;
    assert_eq!(oauth(&without), (400, "invalid_dpop_proof".into()), "{door}: {}", without.text);
    assert_eq!(description(&without), MISSING, "{door}");
    let holder = Holder::new();
    let with = ask(asking(server, &holder)).await;
    assert_eq!(with.status, 200, "{door}: {}", with.text);
    assert_eq!(with.json()["token_type"], "DPoP", "{door}");
    let token = with.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims(&token)["cnf"]["jkt"], holder.thumbprint(), "{door}");
}

async fn a_token_is_issued_only_with_a_proof_at_every_door(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (issuer, now) = (server.issuer(), server.clock.now().unix());
    let (id, key) = required(&server, &["read:*"]).await;
    let grant = "grant_type=client_credentials";
    needs_a_proof(&server, "secret in the body", async |client| client.token(&key, "").await).await;
    let basic = async |client: Client| client.basic(&id, &key).post_form("/oauth/token", grant).await;
    needs_a_proof(&server, "secret in the header", basic).await;

    let signer = assertion::Holder::new(Algorithm::Es256);
    let new = json!({ "name": "signer", "project": "default", "environment": "prd", "preset": "query_only",
        "secret": false, "dpop": "required", "public_keys": [{ "jwk": signer.jwk }] });
    let signing = server.admin().post_json(KEYS, &new).await.done(201);
    let signing = signing["id"].as_str().unwrap();
    let by_assertion =
        async |client: Client| client.token_by(&signer.assertion(signing, &issuer, now), "").await;
    needs_a_proof(&server, "assertion", by_assertion).await;

    let (foreign, workload) = workload(&server).await;
    let more = format!("&client_id={workload}");
    let token = || foreign.token(&issuer, now, &json!({}));
    let as_assertion = async |client: Client| client.token_by(&token(), &more).await;
    needs_a_proof(&server, "another issuer's token as an assertion", as_assertion).await;
    let as_grant = async |client: Client| {
        let grant = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer";
        client.post_form("/oauth/token", &format!("{grant}{more}&assertion={}", token())).await
    };
    needs_a_proof(&server, "another issuer's token as a grant", as_grant).await;
}

/// An issuer that is trusted, and a key that requires proofs and only its workloads open.
async fn workload(server: &Server) -> (ForeignIssuer, String) {
    let foreign = ForeignIssuer::start().await;
    let record = json!({ "id": "idp", "issuer": foreign.url, "keys": { "jwks_uri": format!("{}/keys", foreign.url) } });
    server.admin().post_json(ISSUERS, &record).await.done(201);
    let new = json!({ "name": "workload", "project": "default", "environment": "prd", "preset": "query_only",
        "secret": false, "dpop": "required", "trust_rules": [{ "issuer": "idp", "subject": "workload" }] });
    let made = server.admin().post_json(KEYS, &new).await.done(201);
    (foreign, made["id"].as_str().unwrap().to_owned())
}

async fn whoever_has_no_credential_learns_nothing(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (id, old) = required(&server, &["read:*"]).await;
    let (foreign, workload) = workload(&server).await;
    let rotate = json!({ "overlap_seconds": 0 });
    server.admin().post_json(&format!("{KEYS}/{id}/rotate"), &rotate).await.done(201);
    let wrong = server.client().token(&old, "").await;
    assert_eq!(oauth(&wrong), (401, "invalid_client".into()));
    assert_eq!(description(&wrong), "client authentication failed");
    server.client().bearer(&old).get("/v1/self").await.refused(401, "unauthenticated");
    let now = server.clock.now().unix();
    let other = foreign.token(&server.issuer(), now, &json!({ "sub": "somebody" }));
    let wrong = server.client().token_by(&other, &format!("&client_id={workload}")).await;
    assert_eq!(description(&wrong), "client authentication failed");
    // Whoever has the credential is told of the key's state and the address first.
    let (id, key) = required(&server, &["read:*"]).await;
    let path = format!("{KEYS}/{id}");
    server.admin().patch(&path, &json!({ "cidrs": ["192.0.2.1"] })).await.done(200);
    let elsewhere = server.client().token(&key, "").await;
    assert_eq!(description(&elsewhere), "the key is not allowed from address 127.0.0.1");
    server.admin().post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
    server.client().bearer(&key).get("/v1/self").await.refused(401, "key_revoked");
}

async fn the_key_itself_opens_nothing(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (issuer, now) = (server.issuer(), server.clock.now().unix());
    let (id, key) = required(&server, &["*:*", "*:claviger/**"]).await;
    let client = server.client();
    let gate = "/v1/gate?check=credential&token=1";
    for path in ["/v1/self", gate] {
        for shown in [client.bearer(&key), client.with("x-api-key", &key)] {
            let refused = shown.get(path).await;
            assert_eq!(refused.refused(401, "dpop_required"), REFUSED, "{path}");
            let challenge = refused.header("www-authenticate");
            let begins = format!(r#"DPoP realm="{issuer}", algs="ES256 ES384"#);
            assert!(challenge.starts_with(&begins), "{path}: {challenge}");
            let ends = format!(r#"error="invalid_token", error_description="{REFUSED}""#);
            assert!(challenge.ends_with(&ends), "{path}: {challenge}");
        }
    }
    assert_eq!(client.bearer(&key).get(gate).await.header("x-claviger-error"), "dpop_required");

    // As the caller of introspection.
    let introspect = "/oauth/introspect";
    let bearer = client.bearer(&key).post_form(introspect, "token=x").await;
    assert_eq!(oauth(&bearer), (401, "invalid_token".into()), "{}", bearer.text);
    assert!(bearer.header("www-authenticate").starts_with("DPoP "));
    let signer = assertion::Holder::new(Algorithm::Es256);
    let registered = json!({ "jwk": signer.jwk });
    server.admin().post_json(&format!("{KEYS}/{id}/public-keys"), &registered).await.done(201);
    let asserted = format!("token=x&{}", form(&signer.assertion(&id, &issuer, now)));
    for answer in [
        client.basic(&id, &key).post_form(introspect, "token=x").await,
        client.post_form(introspect, &format!("token=x&client_secret={key}")).await,
        client.post_form(introspect, &asserted).await,
    ] {
        assert_eq!(oauth(&answer), (401, "invalid_client".into()), "{}", answer.text);
        assert_eq!(description(&answer), REFUSED.replace("API key", "key"));
    }
    let (foreign, workload) = workload(&server).await;
    let token = foreign.token(&issuer, now, &json!({}));
    let foreign = format!("token=x&client_id={workload}&{}", form(&token));
    assert_eq!(oauth(&client.post_form(introspect, &foreign).await), (401, "invalid_client".into()));

    // As what is introspected.
    let described = server.admin().post_form(introspect, &format!("token={key}")).await;
    assert_eq!(described.text, r#"{"active":false}"#);

    // At the console.
    let page = client.with("origin", &format!("http://{}", server.address()));
    let sign_in = page.post_form("/console/sign-in", &format!("key={key}")).await;
    assert_eq!((sign_in.status, sign_in.header("set-cookie")), (401, ""));
    assert!(sign_in.text.contains("This key cannot sign in. It requires DPoP"), "{}", sign_in.text);

    // Its bound token opens all of them.
    let holder = Holder::new();
    let token = bound(&server, &holder, &key, &format!("&resource={issuer}")).await;
    proven(&server, &holder, &token, "GET", "/v1/self").get("/v1/self").await.done(200);
    let introspecting = proven(&server, &holder, &token, "POST", introspect);
    let described = introspecting.post_form(introspect, &format!("token={token}")).await.done(200);
    assert_eq!((&described["active"], &described["token_type"]), (&json!(true), &json!("DPoP")));
}

async fn the_key_still_revokes(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (issuer, now) = (server.issuer(), server.clock.now().unix());
    let (id, key) = required(&server, &["read:*"]).await;
    let signer = assertion::Holder::new(Algorithm::Es256);
    let registered = json!({ "jwk": signer.jwk });
    server.admin().post_json(&format!("{KEYS}/{id}/public-keys"), &registered).await.done(201);
    let asserted = form(&signer.assertion(&id, &issuer, now));
    for (client, more) in [
        (server.client().basic(&id, &key), String::new()),
        (server.client(), format!("&client_secret={key}")),
        (server.client(), format!("&{asserted}")),
        (server.client().bearer(&key), String::new()),
    ] {
        let token = bound(&server, &Holder::new(), &key, "").await;
        client.post_form("/oauth/revoke", &format!("token={token}{more}")).await.done(200);
        let described = server.admin().post_form("/oauth/introspect", &format!("token={token}")).await;
        assert_eq!(described.text, r#"{"active":false}"#, "{more}");
    }
}

async fn a_subject_is_exchanged_only_with_a_proof(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let exchange = "write:claviger/orgs/default/projects/*/token-exchange";
    let (_, subject) = required(&server, &["read:orders/*"]).await;
    let (_, service) = server.key(&[exchange]).await;
    let form = |client: &str, kind: &str, subject: &str| {
        format!("grant_type={GRANT}&client_secret={client}&subject_token_type={kind}&subject_token={subject}")
    };
    let holder = Holder::new();
    let token = bound(&server, &Holder::new(), &subject, "").await;
    for (kind, subject) in [("urn:claviger:token-type:api_key", &subject), (ACCESS_TOKEN, &token)] {
        let form = form(&service, kind, subject);
        let without = server.client().post_form("/oauth/token", &form).await;
        assert_eq!(oauth(&without), (400, "invalid_dpop_proof".into()), "{}", without.text);
        let with = asking(&server, &holder).post_form("/oauth/token", &form).await.done(200);
        assert_eq!(with["token_type"], "DPoP");
        assert_eq!(claims(with["access_token"].as_str().unwrap())["cnf"]["jkt"], holder.thumbprint());
    }
    // A client whose own key requires proofs needs one for any subject.
    let (_, strict) = required(&server, &[exchange]).await;
    let (_, plain) = server.key(&["read:orders/*"]).await;
    let form = form(&strict, "urn:claviger:token-type:api_key", &plain);
    let without = server.client().post_form("/oauth/token", &form).await;
    assert_eq!(description(&without), MISSING);
    asking(&server, &holder).post_form("/oauth/token", &form).await.done(200);
}

async fn requiring_proofs_ends_what_was_issued_without(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (admin, client) = (server.admin(), server.client());
    let (id, key) = server.key(&["read:*", "read:claviger/orgs/default"]).await;
    let path = format!("{KEYS}/{id}");
    let token = client.access_token(&key, "").await;
    let own = client.access_token(&key, &format!("&resource={}", server.issuer())).await;
    let holder = Holder::new();
    let proven_before = bound(&server, &holder, &key, "").await;
    let mut expected = admin.get(&path).await.done(200);
    assert_eq!((&expected["dpop"], &expected["generation"]), (&json!("optional"), &json!(1)));

    let would = admin.patch(&format!("{path}?dry_run=true"), &json!({ "dpop": "required" })).await.done(200);
    assert_eq!(would["changes"]["dpop"], json!({ "from": "optional", "to": "required" }));
    assert_eq!(admin.get(&path).await.done(200), expected);
    expected["dpop"] = "required".into();
    expected["generation"] = 2.into();
    assert_eq!(set(&server, &id, "required").await, expected);
    let listed = admin.get(&format!("{KEYS}?q=test")).await.done(200);
    assert_eq!(listed["data"][0]["dpop"], "required");

    client.bearer(&token).get("/v1/gate?check=credential").await.refused(401, "token_revoked");
    client.bearer(&own).get("/v1/self").await.refused(401, "token_revoked");
    for token in [&token, &own, &proven_before] {
        let described = admin.post_form("/oauth/introspect", &format!("token={token}")).await;
        assert_eq!(described.text, r#"{"active":false}"#);
    }
    server.node.catch_up().await.unwrap();
    let feed = claims(&client.get("/oauth/revocations").await.text);
    assert_eq!(feed["keys"][&id], 2, "{feed}");

    // The other way, nothing ends.
    let later = bound(&server, &holder, &key, "").await;
    let optional = set(&server, &id, "optional").await;
    assert_eq!((&optional["dpop"], &optional["generation"]), (&json!("optional"), &json!(2)));
    let described = admin.post_form("/oauth/introspect", &format!("token={later}")).await.done(200);
    assert_eq!(described["active"], true);
    assert_eq!(client.token(&key, "").await.done(200)["token_type"], "Bearer");
    client.bearer(&key).get("/v1/self").await.done(200);
}

async fn what_does_not_change_changes_nothing(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (id, _) = server.key(&["read:*"]).await;
    let path = format!("{KEYS}/{id}");
    for dpop in ["optional", "required"] {
        set(&server, &id, dpop).await;
        let etag = server.admin().get(&path).await.header("etag").to_owned();
        let before = server.database.dump().await;
        set(&server, &id, dpop).await;
        server.admin().patch(&path, &json!({})).await.done(200);
        assert_eq!(server.database.dump().await, before, "{dpop}");
        assert_eq!(server.admin().get(&path).await.header("etag"), etag);
    }
    let etag = server.admin().get(&path).await.header("etag").to_owned();
    set(&server, &id, "optional").await;
    let late = server.admin().with("if-match", &etag).patch(&path, &json!({ "dpop": "required" })).await;
    late.refused(412, "precondition_failed");
}

async fn a_key_is_created_so_and_the_trail_says_it(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (id, key) = server.key_from(json!({ "preset": "query_only", "dpop": "required" })).await;
    let stored = server.admin().get(&format!("{KEYS}/{id}")).await.done(200);
    assert_eq!((&stored["dpop"], &stored["generation"]), (&json!("required"), &json!(1)));
    needs_a_proof(&server, "a new key", async |client| client.token(&key, "").await).await;
    set(&server, &id, "optional").await;
    set(&server, &id, "required").await;
    let trail = server.admin().get(&format!("/v1/orgs/default/audit?key={id}")).await.done(200);
    let said: Vec<_> = trail["data"].as_array().unwrap().iter().rev().collect();
    let said: Vec<_> = said
        .iter()
        .filter(|event| event["action"] != "key.refused")
        .map(|event| {
            (event["action"].clone(), event["before"]["dpop"].clone(), event["after"]["dpop"].clone())
        })
        .collect();
    let (optional, required) = (json!("optional"), json!("required"));
    let expected = [
        (json!("key.create"), Value::Null, required.clone()),
        (json!("key.change"), required.clone(), optional.clone()),
        (json!("key.change"), optional, required),
    ];
    assert_eq!(said, expected);
}

async fn what_is_no_requirement_is_refused(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (id, _) = server.key(&["read:*"]).await;
    let before = server.database.dump().await;
    for bad in [json!("Required"), json!(""), json!(true), json!(null), json!(["required"])] {
        let path = format!("{KEYS}/{id}");
        server.admin().patch(&path, &json!({ "dpop": bad })).await.refused(400, "invalid_request");
        let new = json!({ "name": "new", "project": "default", "environment": "prd", "preset": "query_only",
            "dpop": bad });
        server.admin().post_json(KEYS, &new).await.refused(400, "invalid_request");
    }
    let why = server.admin().patch(&format!("{KEYS}/{id}"), &json!({ "dpop": "always" })).await;
    let why = why.refused(400, "invalid_request");
    assert!(why.contains("dpop must be optional or required"), "{why}");
    assert_eq!(server.database.dump().await, before);
}

async fn refusals_are_counted_and_noted(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (id, key) = required(&server, &["read:*"]).await;
    let (_, service) = server.key(&["write:claviger/orgs/default/projects/*/token-exchange"]).await;
    server.client().token(&key, "").await;
    server.client().bearer(&key).get("/v1/self").await;
    server.client().bearer(&key).get("/v1/gate?check=credential").await;
    server.admin().post_form("/oauth/introspect", &format!("token={key}")).await;
    let exchange = format!(
        "grant_type={GRANT}&client_secret={service}&subject_token={key}\
         &subject_token_type=urn:claviger:token-type:api_key"
    );
    assert_eq!(server.client().post_form("/oauth/token", &exchange).await.status, 400);
    bound(&server, &Holder::new(), &key, "").await;
    server.flush().await;
    let usage = server.admin().get(&format!("{KEYS}/{id}/usage?interval=day")).await.done(200);
    let today = usage["data"].as_array().unwrap().last().unwrap().clone();
    let expected =
        json!({ "revoked": 0, "expired": 0, "disabled": 0, "address": 0, "secret": 0, "proof": 5 });
    assert_eq!((&today["tokens"], &today["direct"], &today["refused"]), (&json!(1), &json!(0), &expected));
    let total = format!("SELECT proof FROM key_totals WHERE key_id = '{id}' AND span = 'day'");
    assert_eq!(server.database.number(&total).await, 5);
    let events = server.admin().get(&format!("/v1/orgs/default/audit?key={id}&action=key.refused")).await;
    let events = events.done(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 1, "once an hour: {events}");
    assert_eq!(events["data"][0]["after"], json!({ "reason": "proof" }));
}

/// A client that is signed in at the console with this key.
async fn signed_in(server: &Server, key: &str) -> Client {
    let page = server.client().with("origin", &format!("http://{}", server.address()));
    let answer = page.post_form("/console/sign-in", &format!("key={key}")).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    page.with("cookie", &cookie)
}

async fn a_console_session_ends_for_good(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (id, key) = server.key(&["*:claviger/**"]).await;
    let browser = signed_in(&server, &key).await;
    let page = "/console/orgs/default/keys";
    assert_eq!(browser.get(page).await.status, 200);
    for dpop in ["required", "optional"] {
        set(&server, &id, dpop).await;
        assert_eq!(browser.get(page).await.status, 303, "{dpop}");
    }
    assert_eq!(signed_in(&server, &key).await.get(page).await.status, 200);
}

async fn the_console_shows_and_sets_it(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let browser = signed_in(&server, &server.admin_key).await;
    let list = "/console/orgs/default/keys";
    let token = {
        let page = browser.get(list).await.text;
        let (_, rest) = page.split_once(r#"name="token" value=""#).expect("a form");
        rest.split('"').next().unwrap().to_owned()
    };
    let fields = "name=new&project=default&environment=prd&ends=30d&access=query_only&cidrs=";
    let new = format!("{list}/new");
    let form = browser.get(&new).await;
    assert!(form.text.contains(r#"<option value="optional" selected>Optional</option>"#), "{}", form.text);
    let made = browser.post_form(&new, &format!("token={token}&form=a&{fields}&dpop=required")).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert!(made.text.contains("This key requires DPoP"), "{}", made.text);
    let stored = server.admin().get(&format!("{KEYS}?q=new")).await.done(200)["data"][0].clone();
    assert_eq!(stored["dpop"], "required");
    let own = format!("{list}/{}", stored["id"].as_str().unwrap());
    assert!(browser.get(&own).await.text.contains("Required (DPoP)"));
    let edit = format!("{own}/edit");
    let form = browser.get(&edit).await;
    assert!(form.text.contains(r#"<option value="required" selected>Required</option>"#), "{}", form.text);
    let fields = "name=new&ends=keep&access=scopes&action=read&resource=*&cidrs=";
    for (dpop, said) in [
        ("optional", "This change does not reduce access."),
        ("required", "Clients that send no proofs get no more tokens"),
    ] {
        let fields = format!("token={token}&{fields}&dpop={dpop}");
        let preview = browser.post_form(&edit, &fields).await;
        assert!(preview.text.contains(&format!("<ins><bdi>{dpop}</bdi></ins>")), "{}", preview.text);
        assert!(preview.text.contains(said), "{}", preview.text);
        let carried = format!(r#"<input type="hidden" name="dpop" value="{dpop}">"#);
        assert!(preview.text.contains(&carried), "{}", preview.text);
        let (_, version) = preview.text.split_once(r#"name="version" value="&#34;"#).expect("a version");
        let version = version.split('&').next().unwrap();
        let applied = browser.post_form(&edit, &format!("{fields}&version=%22{version}%22")).await;
        assert_eq!(applied.status, 303, "{}", applied.text);
        let stored = server.admin().get(&format!("{KEYS}?q=new")).await.done(200);
        assert_eq!(stored["data"][0]["dpop"], dpop);
    }
    // A form that does not have the field changes nothing about it.
    let preview = browser.post_form(&edit, &format!("token={token}&{fields}")).await;
    assert_eq!(preview.status, 303, "{}", preview.text);
}

async fn a_configuration_keeps_it_unless_it_says_so(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (id, _) = required(&server, &["read:*"]).await;
    let admin = server.admin().with("content-type", "application/json");
    let put = async |document: &Value| {
        admin.send(reqwest::Method::PUT, CONFIGURATION, Some(document.to_string())).await.done(200)
    };
    let exported = admin.get(CONFIGURATION).await.done(200);
    let entry = |document: &Value| {
        let keys = document["keys"].as_array().unwrap().iter();
        keys.clone().find(|key| key["id"] == id.as_str()).unwrap().clone()
    };
    assert_eq!(entry(&exported)["dpop"], "required");
    assert!(exported["keys"].as_array().unwrap().iter().any(|key| key.get("dpop").is_none()));
    assert_eq!(put(&exported).await["changes"], json!([]));
    let with = |dpop: Option<Value>| {
        let mut key = entry(&exported);
        key.as_object_mut().unwrap().remove("dpop");
        if let Some(dpop) = dpop {
            key["dpop"] = dpop;
        }
        json!({ "organization": { "id": "default" }, "keys": [key] })
    };
    for silent in [with(None), with(Some(Value::Null))] {
        assert_eq!(put(&silent).await["changes"], json!([]), "{silent}");
    }
    for (dpop, was) in [("optional", "required"), ("required", "optional")] {
        let changed = put(&with(Some(dpop.into()))).await;
        assert_eq!(changed["changes"][0]["changes"], json!({ "dpop": { "from": was, "to": dpop } }));
    }
    let stored = admin.get(&format!("{KEYS}/{id}")).await.done(200);
    assert_eq!((&stored["dpop"], &stored["generation"]), (&json!("required"), &json!(3)));
    // A new key is as the document says, or optional.
    for (name, dpop, is) in [("one", json!("required"), "required"), ("two", Value::Null, "optional")] {
        let key = json!({ "name": name, "project": "default", "environment": "prd", "preset": "query_only",
            "dpop": dpop });
        put(&json!({ "organization": { "id": "default" }, "keys": [key] })).await;
        let stored = admin.get(&format!("{KEYS}?q={name}")).await.done(200);
        assert_eq!((&stored["data"][0]["dpop"], &stored["data"][0]["generation"]), (&json!(is), &json!(1)));
    }
}
