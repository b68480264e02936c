//! The ways in of a key on its page, and the form that lets the token of a workload open it.

use claviger::domain::trust_rule::Preset;
use serde_json::{Value, json};

use super::browser::Browser;
use crate::support::assertion::Holder;
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Answer, Backend, Server, on_both};

const KEYS: &str = "/console/orgs/default/keys";

on_both!(
    each_platform_has_a_form_that_adds_its_rule,
    a_workload_comes_in_by_a_rule_of_the_form,
    what_is_wrong_with_a_rule_stands_beside_its_field,
    a_rule_is_refused_as_at_the_management_api,
    the_ways_in_stand_beside_each_other_and_are_taken_away,
    a_pasted_token_belongs_to_no_form,
    an_issuer_is_chosen_or_named,
    a_form_of_another_session_comes_back_as_it_was,
);

/// A server, somebody at its console, and the id of a key with a secret.
struct Scene {
    server: Server,
    browser: Browser,
    id: String,
    key: String,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        let server = Server::start(backend).await;
        let browser = Browser::signed_in(&server, &server.admin_key).await;
        let (id, key) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
        Self { server, browser, id, key }
    }

    fn own(&self) -> String {
        format!("{KEYS}/{}", self.id)
    }

    fn form(&self) -> String {
        format!("{}/trust-rules/new", self.own())
    }

    async fn trust(&self, id: &str, url: &str) {
        let issuer = json!({ "id": id, "issuer": url, "keys": { "discovery": true } });
        self.server.admin().post_json("/v1/orgs/default/issuers", &issuer).await.done(201);
    }

    async fn rules(&self) -> Vec<Value> {
        let key = self.server.admin().get(&format!("/v1/orgs/default/keys/{}", self.id)).await.done(200);
        key["trust_rules"].as_array().unwrap().clone()
    }

    async fn add(&self, fields: &[(&str, &str)]) -> Answer {
        self.browser.post(&self.form(), fields).await
    }
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";

async fn each_platform_has_a_form_that_adds_its_rule(backend: Backend) {
    let scene = Scene::set(backend).await;
    let page = scene.browser.page(&scene.own()).await;
    assert!(page.contains(&format!(r#"href="{}""#, scene.form())), "{page}");
    for preset in Preset::ALL {
        let url = match preset.name {
            "entra" => "https://login.microsoftonline.com/t/v2.0",
            _ => preset.issuer.unwrap_or("https://kubernetes.default.svc.cluster.local"),
        };
        scene.trust(preset.name, url).await;
        let page = scene.browser.page(&format!("{}?platform={}", scene.form(), preset.name)).await;
        let here = format!(r#"aria-current="true">{}</a>"#, preset.title);
        assert!(page.contains(&here) && page.matches("aria-current=\"true\"").count() == 1, "{page}");
        let chosen = preset.name.to_owned();
        let mut fields = vec![("platform".to_owned(), chosen.clone()), ("issuer".to_owned(), chosen)];
        for (at, pin) in preset.pins.iter().enumerate() {
            let name = match pin.claim {
                Some(claim) => {
                    assert!(page.contains(&format!(r#"data-claim="{claim}""#)), "{claim}: {page}");
                    format!("{}-{}", preset.name, pin.name)
                }
                None => "subject".to_owned(),
            };
            assert!(page.contains(&format!(r#"<label for="{name}">"#)), "{name}: {page}");
            fields.push((name, format!("value {at}")));
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let added = scene.add(&fields).await;
        assert_eq!(added.header("location"), scene.own(), "{}", added.text);
        let page = scene.browser.followed(&added).await;
        assert!(page.contains("Trust rule added.") && page.contains("Trust rule added</"), "{page}");
        let rule = scene.rules().await.into_iter().find(|rule| rule["issuer"] == preset.name).unwrap();
        assert_eq!(rule["audience"], Value::Null);
        for (at, pin) in preset.pins.iter().enumerate() {
            let value = json!(format!("value {at}"));
            match pin.claim {
                Some(claim) => assert_eq!(rule["claims"][claim], value, "{rule}"),
                None => assert_eq!(rule["subject"], value, "{rule}"),
            }
        }
    }
    let page = scene.browser.page(&format!("{}?platform=other", scene.form())).await;
    assert!(page.contains(r#"<textarea id="claims""#), "{page}");
    let fields = [
        ("platform", "other"),
        ("issuer", "kubernetes"),
        ("subject", "a:*"),
        ("audience", "https://aud.example"),
        ("claims", "/a~1b = c=d\r\n\r\n /e=1 "),
        // The fields of other platforms are not for this one.
        ("github-repository_id", "7"),
    ];
    assert_eq!(scene.add(&fields).await.status, 303);
    let rule = scene.rules().await.into_iter().find(|rule| rule["subject"] == "a:*").unwrap();
    assert_eq!(
        (&rule["issuer"], &rule["audience"], &rule["claims"]),
        (&json!("kubernetes"), &json!("https://aud.example"), &json!({"/a~1b": "c=d", "/e": "1"}))
    );
}

async fn a_workload_comes_in_by_a_rule_of_the_form(backend: Backend) {
    let scene = Scene::set(backend).await;
    let foreign = ForeignIssuer::start().await;
    scene.trust("ci", &foreign.url).await;
    let fields =
        [("platform", "other"), ("issuer", "ci"), ("subject", "workload"), ("claims", "/project_id = 7")];
    assert_eq!(scene.add(&fields).await.status, 303);
    let now = scene.server.clock.now().unix();
    let token = |project: i64| foreign.token(&scene.server.issuer(), now, &json!({"project_id": project}));
    let present = async |token: &str| {
        scene.server.client().token_by(token, &format!("&client_id={}", scene.id)).await.status
    };
    assert_eq!((present(&token(7)).await, present(&token(8)).await), (200, 401));
    scene.server.flush().await;
    scene.server.advance(7_200).await;
    let browser = Browser::signed_in(&scene.server, &scene.server.admin_key).await;
    let page = browser.page(&scene.own()).await;
    let (_, row) = page.split_once(">Trust rule</span>").unwrap();
    let row = row.split("</tr>").next().unwrap();
    assert!(row.contains("2 hours ago") && row.contains("/project_id = 7"), "{row}");
}

async fn what_is_wrong_with_a_rule_stands_beside_its_field(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.trust("gh", GITHUB).await;
    scene.trust("ci", "https://ci.example").await;
    let long = "a".repeat(513);
    for (fields, field, said) in [
        (&[("github-repository_id", "74")][..], "issuer", "no trusted issuer"),
        (&[("issuer", "none"), ("github-repository_id", "74")], "issuer", "no trusted issuer"),
        (&[("issuer", "Not an id"), ("github-repository_id", "74")], "issuer", "no trusted issuer"),
        (&[("issuer", "gh"), ("github-ref", "main")], "github-repository_id", "the preset needs"),
        (&[("issuer", "gh"), ("github-repository_id", &long)], "github-repository_id", "1 to 512 bytes"),
        (&[("issuer", "gh"), ("github-repository_id", "1"), ("subject", "a*")], "subject", "as its last"),
        (&[("issuer", "gh"), ("github-repository_id", "1"), ("audience", &long)], "audience", "1 to 512"),
        (&[("issuer", "gh"), ("platform", "gitlab"), ("gitlab-project_id", "1")], "issuer", "many share"),
        (&[("issuer", "gh"), ("platform", "google")], "subject", "the preset needs"),
        (&[("issuer", "ci"), ("platform", "other")], "subject", "needs a `subject` or a claim"),
        (&[("issuer", "ci"), ("platform", "other"), ("claims", "ref")], "claims", "Each claim is a line"),
        (&[("issuer", "ci"), ("platform", "other"), ("claims", "ref=1")], "claims", "not a JSON Pointer"),
        (&[("issuer", "ci"), ("platform", "other"), ("claims", "/exp=1")], "claims", "pins nothing"),
        (&[("issuer", "gh"), ("platform", "other"), ("claims", "/ref=1")], "claims", "many share"),
    ] {
        let fields: Vec<(&str, &str)> = match fields.iter().any(|(name, _)| *name == "platform") {
            true => fields.to_vec(),
            false => [&[("platform", "github")], fields].concat(),
        };
        let refused = scene.add(&fields).await;
        assert_eq!(refused.status, 400, "{fields:?}");
        let page = refused.text;
        assert!(page.contains("<title>Error: Trust a workload"), "{page}");
        let (_, rest) = page.split_once("autofocus data-summary>").unwrap();
        let summary = rest.split("</div>").next().unwrap().to_lowercase();
        assert!(summary.contains(&format!(r##"href="#{field}""##)), "{fields:?}: {summary}");
        assert!(summary.contains(&said.to_lowercase()), "{fields:?}: {summary}");
        assert!(page.contains(&format!(r#"id="{field}-error""#)), "{fields:?}: {page}");
        for (name, value) in fields.iter().filter(|(name, _)| !["platform", "issuer"].contains(name)) {
            let is_kept = page.contains(&format!(r#"name="{name}" value="{value}""#))
                || page.contains(&format!(">{value}</textarea>"));
            assert!(is_kept, "{name} is lost: {page}");
        }
    }
    assert!(scene.rules().await.is_empty());
}

/// The fields of a rule for this subject.
fn by_subject(subject: &str) -> [(&str, &str); 3] {
    [("platform", "other"), ("issuer", "ci"), ("subject", subject)]
}

async fn a_rule_is_refused_as_at_the_management_api(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.trust("ci", "https://ci.example").await;
    assert_eq!(scene.add(&by_subject("s0")).await.status, 303);
    let twice = scene.add(&by_subject("s0")).await;
    assert_eq!(twice.status, 409, "{}", twice.text);
    assert!(twice.text.contains(r#"value="s0""#), "{}", twice.text);
    for at in 1..16 {
        assert_eq!(scene.add(&by_subject(&format!("s{at}"))).await.status, 303);
    }
    let many = scene.add(&by_subject("s16")).await;
    assert_eq!(many.status, 409, "{}", many.text);
    assert!(many.text.contains("16 trust rules"), "{}", many.text);

    // Whoever reads a key adds nothing, and a rule hands out what the key has.
    let (_, reader) = scene.server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let reader = Browser::signed_in(&scene.server, &reader).await;
    let page = reader.page(&scene.own()).await;
    assert!(!page.contains("/trust-rules/") && !page.contains("Trust a workload"), "{page}");
    assert!(page.contains("subject = s3"), "it is shown all the same: {page}");
    let rule = scene.rules().await[0]["id"].as_str().unwrap().to_owned();
    let remove = format!("{}/trust-rules/{rule}/remove", scene.own());
    for path in [scene.form(), remove.clone()] {
        assert_eq!(reader.get(&path).await.status, 403, "{path}");
        assert_eq!(reader.post(&path, &by_subject("mine")).await.status, 403, "{path}");
    }
    let (_, writer) = scene
        .server
        .key(&[
            "write:claviger/orgs/default/projects/*/keys/*",
            "read:claviger/orgs/default/projects/*/keys/*",
        ])
        .await;
    let writer = Browser::signed_in(&scene.server, &writer).await;
    let admin = scene.server.admin().get("/v1/self").await.json()["id"].as_str().unwrap().to_owned();
    let beyond = writer.post(&format!("{KEYS}/{admin}/trust-rules/new"), &by_subject("mine")).await;
    assert_eq!(beyond.status, 403);
    assert!(beyond.text.contains("grant or change a scope that you do not"), "{}", beyond.text);
    assert!(beyond.text.contains(r#"value="mine""#), "{}", beyond.text);

    // Forms of other pages.
    let form = |token: &str| format!("token={token}&platform=other&issuer=ci&subject=forged");
    let token = scene.browser.token().await;
    for path in [scene.form(), remove.clone()] {
        let cross = scene.browser.with_cookie().with("origin", "https://elsewhere.example");
        assert_eq!(cross.post_form(&path, &form(&token)).await.status, 403, "{path}");
        let own = scene.browser.with_cookie().with("origin", &scene.browser.origin);
        assert_eq!(own.post_form(&path, &form("AAAA")).await.status, 403, "{path}");
    }
    assert_eq!(scene.rules().await.len(), 16);

    scene
        .server
        .admin()
        .post_json(&format!("/v1/orgs/default/keys/{}/revoke", scene.id), &json!({}))
        .await
        .done(200);
    assert_eq!(scene.add(&by_subject("late")).await.status, 409);
    assert!(!scene.browser.page(&scene.own()).await.contains("/trust-rules/"), "nothing is left to do");
}

async fn the_ways_in_stand_beside_each_other_and_are_taken_away(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.trust("gh", GITHUB).await;
    let own = scene.own();
    // A key's only way in is offered, and refused as the management API refuses it.
    let key = scene.server.admin().get(&format!("/v1/orgs/default/keys/{}", scene.id)).await.done(200);
    let retire = format!("{own}/secrets/{}/retire", key["secrets"][0]["id"].as_str().unwrap());
    assert!(scene.browser.page(&own).await.contains(&format!(r#"href="{retire}""#)));
    let last = scene.browser.post(&retire, &[]).await;
    assert_eq!(last.status, 409, "{}", last.text);
    assert!(last.text.contains("the last way to use the key"), "{}", last.text);

    let fields = [
        ("platform", "github"),
        ("issuer", "gh"),
        ("github-repository_id", "74"),
        ("github-ref", "refs/heads/main"),
        ("subject", "<b>:*"),
        ("audience", "https://aud.example"),
    ];
    scene.add(&fields).await;
    let pem = include_str!("../../vectors/pem/public/rsa-2048.pem");
    let public_key = [("public_key", pem), ("alg", "PS256"), ("kid", "build")];
    scene.browser.post(&format!("{own}/public-keys/new"), &public_key).await;
    let page = scene.browser.page(&own).await;
    let (_, ways) = page.split_once("<h2>Ways in</h2>").unwrap();
    let ways = ways.split("</section>").next().unwrap();
    let kinds: Vec<_> = ways.split(r#"<th scope="row"><span class="badge">"#).skip(1).collect();
    let kinds: Vec<_> = kinds.iter().map(|row| row.split('<').next().unwrap()).collect();
    assert_eq!(kinds, ["Secret", "Public key", "Trust rule"]);
    for said in [
        "<bdi>build</bdi>",
        "<bdi>PS256</bdi>",
        "<bdi>gh</bdi>",
        "audience = https://aud.example",
        "subject = &#60;b&#62;:*",
        "/repository_id = 74",
        "/ref = refs/heads/main",
    ] {
        assert!(ways.contains(said), "{said}: {ways}");
    }
    assert_eq!(ways.matches(r#"data-label="Added""#).count(), 3, "{ways}");
    assert_eq!(ways.matches(r#"data-label="Last used"><span class="muted">Never"#).count(), 3, "{ways}");
    assert_eq!((ways.matches(">Retire</a>").count(), ways.matches(">Remove</a>").count()), (1, 2), "{ways}");

    // Each is taken away after a question that says which one it is, and the last one stays.
    let rule = scene.rules().await[0]["id"].as_str().unwrap().to_owned();
    let remove = format!("{own}/trust-rules/{rule}/remove");
    let asked = scene.browser.page(&remove).await;
    assert!(asked.contains("Remove a trust rule of") && asked.contains("/repository_id = 74"), "{asked}");
    assert!(scene.browser.page(&format!("{own}/rotate")).await.contains("trust rules keep working"));
    let resumed = scene.browser.post(&remove, &[("resume", "yes")]).await;
    assert_eq!((resumed.status, scene.rules().await.len()), (200, 1));
    scene.server.client().token(&scene.key, "").await.done(200);
    assert_eq!(scene.browser.post(&retire, &[]).await.status, 303);
    let page = scene.browser.page(&own).await;
    assert!(page.contains("This key has no secret."), "{page}");
    let key = scene.server.admin().get(&format!("/v1/orgs/default/keys/{}", scene.id)).await.done(200);
    let public_key = key["public_keys"][0]["id"].as_str().unwrap();
    let removed = scene.browser.post(&format!("{own}/public-keys/{public_key}/remove"), &[]).await;
    assert_eq!(removed.status, 303, "{}", removed.text);
    let last = scene.browser.post(&remove, &[]).await;
    assert_eq!(last.status, 409, "{}", last.text);
    assert!(last.text.contains("the last way to use the key"), "{}", last.text);
    scene.add(&[("platform", "github"), ("issuer", "gh"), ("github-repository_id", "75")]).await;
    let removed = scene.browser.post(&remove, &[]).await;
    assert_eq!(removed.header("location"), own);
    let page = scene.browser.followed(&removed).await;
    assert!(page.contains("Trust rule removed.") && page.contains("Trust rule removed</"), "{page}");
    assert_eq!(scene.browser.post(&remove, &[]).await.status, 404);
}

async fn a_pasted_token_belongs_to_no_form(backend: Backend) {
    let scene = Scene::set(backend).await;
    let page = scene.browser.page(&scene.form()).await;
    let field = page.split("<textarea").find(|field| field.contains(r#"id="sample""#)).unwrap();
    let attributes = field.split('>').next().unwrap();
    for attribute in [" name=", " form=", " formaction="] {
        assert!(!attributes.contains(attribute), "{attributes}");
    }
    let (before, _) = page.split_once(r#"id="sample""#).unwrap();
    assert_eq!(before.matches("<form").count(), before.matches("</form>").count(), "{before}");
    assert!(page.contains("The token is not sent to the server"), "{page}");
    let script = page.split(r#"<script src=""#).find(|script| script.contains("/trust.js")).unwrap();
    let script = scene.browser.get(script.split('"').next().unwrap()).await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    for way_out in [
        "fetch(",
        "XMLHttpRequest",
        "sendBeacon",
        "WebSocket",
        "Storage",
        "document.cookie",
        "console.",
        "import(",
    ] {
        assert!(!script.text.contains(way_out), "{way_out}");
    }
}

async fn an_issuer_is_chosen_or_named(backend: Backend) {
    let scene = Scene::set(backend).await;
    let page = scene.browser.page(&scene.form()).await;
    assert!(page.contains("does not trust any issuer yet"), "{page}");
    assert!(page.contains(r#"href="/console/orgs/default/issuers?platform=github""#), "{page}");
    scene.trust("ci", "https://ci.example").await;
    scene.trust("gh", GITHUB).await;
    let page = scene.browser.page(&scene.form()).await;
    let option = format!(
        r#"<option value="gh" data-issuer-url="{GITHUB}" data-of="github" selected>gh: {GITHUB}</option>"#
    );
    assert!(page.contains(&option), "{page}");
    assert!(
        page.contains(r#"<option value="ci" data-issuer-url="https://ci.example" data-of="">"#),
        "{page}"
    );
    assert!(!scene.browser.page(&format!("{}?platform=other", scene.form())).await.contains(" selected>"));
    let disabled = json!({ "status": "disabled" });
    scene.server.admin().patch("/v1/orgs/default/issuers/gh", &disabled).await.done(200);
    assert!(scene.browser.page(&scene.form()).await.contains("(disabled)</option>"));

    // Whoever can't read the issuers names one.
    let scopes =
        ["read:claviger/orgs/default/projects/*/keys/*", "write:claviger/orgs/default/projects/*/keys/*"];
    let (_, writer) = scene.server.key(&[&scopes[..], &["read:*"]].concat()).await;
    let writer = Browser::signed_in(&scene.server, &writer).await;
    let page = writer.page(&scene.form()).await;
    assert!(page.contains(r#"<input id="issuer""#) && !page.contains("ci.example"), "{page}");
    assert!(!page.contains("/issuers\"") && !page.contains("/issuers?"), "{page}");
    let fields = [("platform", "other"), ("issuer", "ci"), ("subject", "a")];
    assert_eq!(writer.post(&scene.form(), &fields).await.status, 303);
}

async fn a_form_of_another_session_comes_back_as_it_was(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.trust("ci", "https://ci.example").await;
    let fields = [("platform", "other"), ("issuer", "ci"), ("subject", "kept"), ("claims", "/a=1\n/b=2")];
    let resumed = scene.add(&[&fields[..], &[("resume", "yes")]].concat()).await;
    assert_eq!(resumed.status, 200, "{}", resumed.text);
    assert!(resumed.text.contains(r#"value="kept""#) && resumed.text.contains(">/a=1\n/b=2</textarea>"));
    assert!(resumed.text.contains(r#"aria-current="true">Any other</a>"#), "{}", resumed.text);
    assert!(scene.rules().await.is_empty());
    // A token that was pasted to be checked is not carried along.
    let check = "/console/orgs/default/issuers/ci/check";
    let token = Holder::new(claviger::jose::jwk::Algorithm::Es256);
    let token = token.sign(&token.header(), &json!({"iss": "https://ci.example"}));
    let stranger = Browser::at(scene.server.client(), scene.server.address());
    let unsent = stranger.send(check, &[("token", "x"), ("workload_token", &token), ("key", "key_1")]).await;
    assert_eq!(unsent.status, 401);
    assert!(unsent.text.contains("key%5F1"), "the rest is: {}", unsent.text);
    assert!(!unsent.text.contains(token.rsplit('.').next().unwrap()), "{}", unsent.text);
}
