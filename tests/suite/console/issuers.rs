//! The trusted issuers of an organization at the console.

use serde_json::{Value, json};

use super::browser::{Browser, hidden};
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Backend, Server, on_both};

const ISSUERS: &str = "/console/orgs/default/issuers";
const API: &str = "/v1/orgs/default/issuers";

on_both!(
    an_issuer_is_added_changed_disabled_enabled_and_removed,
    an_issuer_begins_with_what_is_known_of_it,
    what_is_wrong_with_an_issuer_stands_beside_its_field,
    a_change_of_somebody_else_is_shown_first,
    rights_are_those_of_the_management_api,
    whoever_can_become_a_key_needs_its_rights,
    a_check_says_which_rule_fails_on_what,
    a_form_of_another_page_changes_nothing,
);

const FORM: [(&str, &str); 5] = [
    ("id", "ci"),
    ("issuer", "https://ci.example"),
    ("keys", "discovery"),
    ("algorithm", "RS256"),
    ("max_lifetime", "3600"),
];

/// The form with other values. A name that it lacks is added.
fn form<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let kept = FORM.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().copied()).collect()
}

async fn issuers(server: &Server) -> Vec<Value> {
    server.admin().get(API).await.done(200)["data"].as_array().unwrap().clone()
}

async fn an_issuer_is_added_changed_disabled_enabled_and_removed(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(ISSUERS).await;
    assert!(page.contains("No trusted issuers") && page.contains("Add a trusted issuer"), "{page}");
    assert!(page.contains(r#"href="/console/orgs/default/issuers" aria-current="page">"#), "{page}");
    let fields = form(&[("name", "Our <CI>"), ("algorithm", "ES256"), ("single_use", "yes")]);
    let added = browser.post(ISSUERS, &fields).await;
    let own = format!("{ISSUERS}/ci");
    assert_eq!(added.header("location"), own, "{}", added.text);
    let page = browser.followed(&added).await;
    assert!(page.contains("Issuer added.") && page.contains("Our &#60;CI&#62;"), "{page}");
    for said in ["https://ci.example", "By discovery", "ES256", "At most 3600 seconds", "Once"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let listed = browser.page(ISSUERS).await;
    assert!(listed.contains(&format!(r#"href="{own}"><bdi>Our &#60;CI&#62;</bdi>"#)), "{listed}");

    let edit = format!("{own}/edit");
    let page = browser.page(&edit).await;
    assert!(page.contains(r#"value="https://ci.example""#), "{page}");
    assert!(page.contains(r#"name="single_use" value="yes" checked"#), "{page}");
    let base = hidden(&page, "base").replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">");
    let same = form(&[("name", "Our <CI>"), ("algorithm", "ES256"), ("single_use", "yes"), ("base", &base)]);
    let unchanged = browser.post(&edit, &same).await;
    assert!(browser.followed(&unchanged).await.contains("Nothing to change."));
    let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let changes =
        [("name", "CI"), ("keys", "jwks"), ("jwks", set), ("algorithm", "EdDSA"), ("max_lifetime", "600")];
    let changed = browser.post(&edit, &form(&[&changes[..], &[("base", &base)]].concat())).await;
    assert_eq!(changed.header("location"), own, "{}", changed.text);
    let page = browser.followed(&changed).await;
    assert!(page.contains("Issuer updated.") && page.contains("1 key in the record"), "{page}");
    let stored = issuers(&server).await.pop().unwrap();
    assert_eq!(
        (&stored["name"], &stored["max_lifetime"], &stored["single_use"], &stored["algorithms"]),
        (&json!("CI"), &json!(600), &json!(false), &json!(["EdDSA"]))
    );
    // What the form shows of a key set is the same set.
    let page = browser.page(&edit).await;
    assert!(page.contains("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), "{page}");

    for (act, status, notice) in
        [("disable", "disabled", "Issuer disabled."), ("enable", "active", "Issuer enabled.")]
    {
        let path = format!("{own}/{act}");
        assert!(browser.page(&path).await.contains(&format!(r#"action="{path}""#)));
        assert_eq!(browser.post(&path, &[("resume", "yes")]).await.status, 200);
        let done = browser.post(&path, &[]).await;
        assert_eq!(done.header("location"), own, "{}", done.text);
        assert!(browser.followed(&done).await.contains(notice));
        assert_eq!(issuers(&server).await[0]["status"], status);
    }
    let remove = format!("{own}/remove");
    assert!(browser.page(&remove).await.contains("You cannot undo this"));
    let wrong = browser.post(&remove, &[("name", "something else")]).await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.text.contains("name does not match") && wrong.text.contains(r##"href="#name""##),
        "{}",
        wrong.text
    );
    let removed = browser.post(&remove, &[("name", "CI")]).await;
    assert_eq!(removed.header("location"), ISSUERS, "{}", removed.text);
    assert!(browser.followed(&removed).await.contains("Issuer removed."));
    assert!(issuers(&server).await.is_empty());
    assert_eq!(browser.get(&own).await.status, 404);
    let taken = browser.post(ISSUERS, &FORM).await;
    assert_eq!(taken.status, 409, "{}", taken.text);
    assert!(taken.text.contains(r#"id="id-error""#), "its id is never used again: {}", taken.text);

    server.flush().await;
    let trail = server.admin().get("/v1/orgs/default/audit?action=issuer.*").await.done(200);
    let actions: Vec<_> =
        trail["data"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
    let told = ["issuer.delete", "issuer.enable", "issuer.disable", "issuer.change", "issuer.create"];
    assert_eq!(actions, told.map(Value::from));
    let audit = browser.page("/console/orgs/default/audit?action=issuer.*").await;
    assert!(audit.contains("Trusted issuer added") && audit.contains("by discovery"), "{audit}");
}

async fn an_issuer_begins_with_what_is_known_of_it(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for (query, id, url) in [
        ("", "", ""),
        ("?platform=github", "github", "https://token.actions.githubusercontent.com"),
        ("?platform=gitlab", "gitlab", "https://gitlab.com"),
        ("?platform=google", "google", "https://accounts.google.com"),
        ("?platform=kubernetes", "", ""),
        ("?platform=none", "", ""),
        ("?issuer=https%3A%2F%2Fcluster.example%2Fa%22b", "", "https://cluster.example/a&#34;b"),
    ] {
        let page = browser.page(&format!("{ISSUERS}{query}")).await;
        for (name, value) in [("id", id), ("issuer", url)] {
            assert!(page.contains(&format!(r#"name="{name}" value="{value}""#)), "{query}: {page}");
        }
        assert!(
            page.contains(r#"value="RS256" checked"#) && page.contains(r#"value="EdDSA"> EdDSA"#),
            "{page}"
        );
    }
    let added =
        browser.post(ISSUERS, &form(&[("keys", "jwks_uri"), ("jwks_uri", "https://ci.example/k")])).await;
    assert!(browser.followed(&added).await.contains("<dd>https://ci.example/k</dd>"));
    let stored = issuers(&server).await.pop().unwrap();
    assert_eq!(
        (&stored["name"], &stored["keys"]),
        (&json!("ci"), &json!({"jwks_uri": "https://ci.example/k"}))
    );
}

async fn what_is_wrong_with_an_issuer_stands_beside_its_field(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let own = server.issuer();
    let long = "n".repeat(201);
    let cases = [
        (&[("id", "CI")][..], "id", "an id must"),
        (&[("id", "")], "id", "an id must"),
        (&[("name", &*long)], "name", "is longer than"),
        (&[("issuer", "")], "issuer", "does not begin with https://"),
        (&[("issuer", "http://ci.example")], "issuer", "does not begin with https://"),
        (&[("issuer", "https://ci.example?x")], "issuer", "has no host"),
        (&[("issuer", &*own)], "issuer", "cannot be trusted as another issuer"),
        (&[("keys", "jwks_uri")], "jwks_uri", "does not begin with https://"),
        (&[("keys", "jwks"), ("jwks", "")], "jwks", "is no key set"),
        (&[("keys", "jwks"), ("jwks", r#"{"keys":[]}"#)], "jwks", "no public key"),
        (&[("keys", "jwks"), ("jwks", r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#)], "jwks", "secret key"),
        (&[("algorithm", "HS256")], "algorithms", "is none of"),
        (&[("max_lifetime", "59")], "max_lifetime", "60 to 86400"),
        (&[("max_lifetime", "an hour")], "max_lifetime", "60 to 86400"),
    ];
    let refused_at = async |path: &str, fields: &[(&str, &str)], field: &str, said: &str| {
        let refused = browser.post(path, fields).await;
        assert_eq!(refused.status, 400, "{fields:?}: {}", refused.text);
        let page = refused.text;
        assert!(page.contains("<title>Error: "), "{page}");
        let (_, rest) = page.split_once("autofocus data-summary>").unwrap();
        let summary = rest.split("</div>").next().unwrap();
        assert!(summary.contains(&format!(r##"href="#{field}""##)), "{fields:?}: {summary}");
        let is_said = summary.to_lowercase().contains(&said.to_lowercase());
        assert!(is_said, "{fields:?}: {summary}");
        assert!(page.contains(&format!(r#"id="{field}-error""#)), "{fields:?}: {page}");
        assert_eq!(page.matches(&format!(r#" id="{field}""#)).count(), 1, "{page}");
        assert!(!page.contains("c2VjcmV0"), "a secret is not sent back: {page}");
        page
    };
    for (changes, field, said) in cases {
        let page = refused_at(ISSUERS, &form(changes), field, said).await;
        assert!(page.contains(r#"value="3600""#) || field == "max_lifetime", "{page}");
    }
    assert!(issuers(&server).await.is_empty());
    browser.post(ISSUERS, &FORM).await;
    let edit = format!("{ISSUERS}/ci/edit");
    for (changes, field, said) in cases.into_iter().filter(|(_, field, _)| *field != "id") {
        let fields = form(&[&[("name", "ci")], changes].concat());
        let fields: Vec<_> = match field {
            "name" => fields.into_iter().filter(|field| *field != ("name", "ci")).collect(),
            _ => fields,
        };
        refused_at(&edit, &fields, field, said).await;
    }
    assert_eq!(issuers(&server).await[0]["max_lifetime"], 3_600);
    // Rules stay pinned.
    let (key, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let rule = json!({"issuer": "ci", "subject": "a"});
    server.admin().post_json(&format!("/v1/orgs/default/keys/{key}/trust-rules"), &rule).await.done(201);
    let shared = form(&[("name", "ci"), ("issuer", "https://gitlab.com")]);
    refused_at(&edit, &shared, "issuer", "many share GitLab.com").await;
    for at in 1..32 {
        let id = format!("i{at}");
        assert_eq!(browser.post(ISSUERS, &form(&[("id", &id)])).await.status, 303);
    }
    let many = browser.post(ISSUERS, &form(&[("id", "i32")])).await;
    assert_eq!(many.status, 409);
    assert!(many.text.contains("32 trusted issuers"), "{}", many.text);
}

async fn a_change_of_somebody_else_is_shown_first(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    browser.post(ISSUERS, &FORM).await;
    let edit = format!("{ISSUERS}/ci/edit");
    let base = hidden(&browser.page(&edit).await, "base").replace("&#34;", "\"");
    server.admin().patch(&format!("{API}/ci"), &json!({"max_lifetime": 120})).await.done(200);
    let late = browser.post(&edit, &form(&[("name", "Mine"), ("base", &base)])).await;
    assert_eq!(late.status, 412, "{}", late.text);
    assert!(late.text.contains("Changed by someone else") && late.text.contains("120"), "{}", late.text);
    assert!(late.text.contains(r#"value="Mine""#), "what was typed is still there: {}", late.text);
    let base = hidden(&late.text, "base").replace("&#34;", "\"");
    let fields = form(&[("name", "Mine"), ("max_lifetime", "120"), ("base", &base)]);
    assert_eq!(browser.post(&edit, &fields).await.status, 303);
    let stored = issuers(&server).await.pop().unwrap();
    assert_eq!((&stored["name"], &stored["max_lifetime"]), (&json!("Mine"), &json!(120)));
}

async fn rights_are_those_of_the_management_api(backend: Backend) {
    let server = Server::start(backend).await;
    let foreign = ForeignIssuer::start().await;
    for id in ["ci", "other"] {
        let issuer =
            json!({"id": id, "issuer": foreign.url, "keys": {"jwks_uri": format!("{}/keys", foreign.url)}});
        server.admin().post_json(API, &issuer).await.done(201);
    }
    // Whoever reads one issuer sees that one, and may check it.
    let (_, reader) = server.key(&["read:claviger/orgs/default/issuers/ci"]).await;
    let reader = Browser::signed_in(&server, &reader).await;
    let list = reader.page(ISSUERS).await;
    assert!(list.contains("/issuers/ci\"") && !list.contains("/issuers/other"), "{list}");
    assert!(!list.contains("Add a trusted issuer"), "{list}");
    let own = format!("{ISSUERS}/ci");
    let page = reader.page(&own).await;
    assert!(page.contains("/check") && !page.contains("/edit") && !page.contains("/remove"), "{page}");
    let checked = reader.post(&format!("{own}/check"), &[]).await;
    assert_eq!(checked.status, 200, "{}", checked.text);
    assert!(checked.text.contains("The issuer has 1 usable key."), "{}", checked.text);
    for act in ["edit", "disable", "enable", "remove"] {
        let path = format!("{own}/{act}");
        assert_eq!(reader.get(&path).await.status, 403, "{act}");
        let refused = reader.post(&path, &form(&[("name", "ci")])).await;
        assert_eq!(refused.status, 403, "{act}");
        assert!(refused.text.contains("admin:claviger/orgs/default/issuers/ci"), "{}", refused.text);
    }
    let refused = reader.post(ISSUERS, &form(&[("id", "mine")])).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("admin:claviger/orgs/default/issuers/mine"), "{}", refused.text);
    for path in
        [format!("{ISSUERS}/other"), format!("{ISSUERS}/other/check"), format!("{ISSUERS}/other/edit")]
    {
        assert_eq!(reader.get(&path).await.status, 403, "{path}");
    }
    // Somebody else sees no tab and nothing behind it.
    let (_, stranger) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let stranger = Browser::signed_in(&server, &stranger).await;
    let keys = stranger.page("/console/orgs/default/keys").await;
    assert!(!keys.contains("/console/orgs/default/issuers"), "{keys}");
    assert!(!stranger.page(ISSUERS).await.contains("/issuers/ci"));
    assert_eq!(stranger.get(&own).await.status, 403);
    server.admin().post_json("/v1/orgs", &json!({"id": "acme"})).await.done(201);
    let acme = "/console/orgs/acme/issuers";
    assert_eq!(stranger.get(acme).await.status, 404);
    assert_eq!(stranger.get(&format!("{acme}/ci")).await.status, 404);
    assert_eq!(stranger.post(acme, &FORM).await.status, 404);
    assert_eq!(issuers(&server).await.len(), 2);
}

async fn whoever_can_become_a_key_needs_its_rights(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    browser.post(ISSUERS, &form(&[("name", "ci")])).await;
    let (key, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let rule = json!({"issuer": "ci", "subject": "a"});
    server.admin().post_json(&format!("/v1/orgs/default/keys/{key}/trust-rules"), &rule).await.done(201);
    let (_, weak) =
        server.key(&["admin:claviger/orgs/default/issuers/*", "read:claviger/orgs/default/issuers/*"]).await;
    let weak = Browser::signed_in(&server, &weak).await;
    let edit = format!("{ISSUERS}/ci/edit");
    for change in [("issuer", "https://evil.example"), ("algorithm", "ES256")] {
        let refused = weak.post(&edit, &form(&[("name", "ci"), change])).await;
        assert_eq!(refused.status, 403, "{change:?}");
        assert!(
            refused.text.contains("write:claviger/orgs/default/projects/default/keys/"),
            "{}",
            refused.text
        );
        assert!(refused.text.contains(change.1), "what was typed is still there: {}", refused.text);
    }
    assert_eq!(weak.post(&edit, &form(&[("name", "Renamed")])).await.status, 303);
    assert_eq!(weak.post(&format!("{ISSUERS}/ci/disable"), &[]).await.status, 303);
    let refused = weak.post(&format!("{ISSUERS}/ci/enable"), &[]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("Enable issuer"), "the question is still there: {}", refused.text);
    assert_eq!(weak.post(&format!("{ISSUERS}/ci/remove"), &[("name", "ci")]).await.status, 303);
}

async fn a_check_says_which_rule_fails_on_what(backend: Backend) {
    let server = Server::start(backend).await;
    let foreign = ForeignIssuer::start().await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let fields = form(&[("issuer", &foreign.url), ("algorithm", "ES256")]);
    assert_eq!(browser.post(ISSUERS, &fields).await.status, 303);
    let (key, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let (none, _) = server.key_from(json!({"name": "another", "preset": "query_only"})).await;
    for rule in [
        json!({"issuer": "ci", "subject": "workload"}),
        json!({"issuer": "ci", "subject": "workload", "claims": {"/project_id": "7"}}),
    ] {
        server.admin().post_json(&format!("/v1/orgs/default/keys/{key}/trust-rules"), &rule).await.done(201);
    }
    let path = format!("{ISSUERS}/ci/check");
    let page = browser.page(&format!("{path}?key={key}")).await;
    assert!(page.contains("The token is sent to this server"), "{page}");
    assert!(page.contains(&format!(r#"name="key" value="{key}""#)), "{page}");
    let now = server.clock.now().unix();
    let token = foreign.token(&server.issuer(), now, &json!({"project_id": 8}));
    let checked = browser.post(&path, &[("workload_token", &token), ("key", &key)]).await;
    assert_eq!((checked.status, checked.header("cache-control")), (200, "no-store"), "{}", checked.text);
    let page = checked.text;
    assert!(!page.contains(&token), "it is not sent back: {page}");
    for said in [
        "The issuer signed it, and it is valid.",
        "The token fulfils it.",
        "`/project_id` does not have the value",
    ] {
        assert_eq!(page.matches(said).count(), 1, "{said}: {page}");
    }
    let without = browser.post(&path, &[("workload_token", &token), ("key", &none)]).await.text;
    assert!(without.contains("The key has no trust rule for this issuer."), "{without}");
    let expired = foreign.token(&server.issuer(), now - 7_200, &json!({}));
    let refused = browser.post(&path, &[("workload_token", &expired), ("key", &key)]).await;
    assert_eq!(refused.status, 200);
    assert!(refused.text.contains(">Refused</span> <strong>Token</strong>"), "{}", refused.text);
    assert!(!refused.text.contains("Trust rule tr_"), "{}", refused.text);
    let broken = browser.post(&path, &[("workload_token", "e30.e30")]).await;
    assert!(broken.text.contains(">Refused</span> <strong>Token</strong>"), "{}", broken.text);
    for (typed, status, said) in [("key_0000000000000000", 404, "no such key"), ("nothing", 400, "key_")] {
        let refused = browser.post(&path, &[("workload_token", &token), ("key", typed)]).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.text.contains(said) && refused.text.contains(r##"href="#key""##), "{}", refused.text);
        assert!(!refused.text.contains(&token), "{}", refused.text);
    }
    assert_eq!(browser.post(&path, &[("resume", "yes"), ("key", &key)]).await.status, 200);
    // Nothing is used up, and the trail has nothing of it.
    let id = format!("&client_id={key}");
    assert_eq!(server.client().token_by(&token, &id).await.status, 200);
    server.flush().await;
    let trail = server.admin().get("/v1/orgs/default/audit").await.text;
    assert!(!trail.contains(&token), "{trail}");
}

async fn a_form_of_another_page_changes_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    browser.post(ISSUERS, &FORM).await;
    let before = issuers(&server).await;
    let token = browser.token().await;
    let another = Browser::signed_in(&server, &server.admin_key).await.token().await;
    let own = format!("{ISSUERS}/ci");
    let fields =
        "&id=forged&name=ci&issuer=https://evil.example&keys=discovery&algorithm=RS256&max_lifetime=60";
    for path in [
        ISSUERS.to_owned(),
        format!("{own}/edit"),
        format!("{own}/disable"),
        format!("{own}/enable"),
        format!("{own}/remove"),
        format!("{own}/check"),
    ] {
        let elsewhere = browser.with_cookie().with("origin", "https://elsewhere.example");
        let cross = elsewhere.post_form(&path, &format!("token={token}{fields}")).await;
        assert_eq!(cross.status, 403, "{path}");
        assert!(cross.text.contains("not sent from a page of this server"), "{}", cross.text);
        for forged in ["", "AAAA", &another] {
            let here = browser.with_cookie().with("origin", &browser.origin);
            let refused = here.post_form(&path, &format!("token={forged}{fields}")).await;
            assert_eq!(refused.status, 403, "{path}");
        }
    }
    assert_eq!(issuers(&server).await, before);
}
