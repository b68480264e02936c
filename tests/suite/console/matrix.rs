//! Every route of the console against members of each role, and against whoever has no business there.

use claviger::console::ROUTES;
use claviger::http::Route;
use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{Browser, escaped, hidden};
use super::people::{person_of, session};
use crate::form_token::form_token;
use crate::matrix::operations::Fixture;
use crate::portal::browser::{Portal, session as portal_session};
use crate::support::{Answer, Backend, Client, Server, on_both};
use crate::table::check_table;

on_both!(every_page_is_open_to_the_roles_of_its_row, a_session_reaches_nothing_outside_the_console);

/// The status of the answer; `sign-in` for whoever is led to the sign-in page. 200 is the page, 303 leads on from what was done.
/// Members are of the organization that the page is about, and the developer has its project `web`. The stranger owns another
/// organization. The user of the portal has a session for all keys of `web`, in which everything is allowed.
const TABLE: &str = "
                                                                     owner    admin    developer  auditor  operator  stranger  portal   nobody
GET /console                                                         303      303      303        303      303       303       sign-in  sign-in
GET /console/sign-in                                                 303      303      303        303      303       303       200      200
GET /console/sign-in/callback                                        401      401      401        401      401       401       401      401
GET /console/invitation                                              200      200      200        200      200       200       200      200
GET /console/set-up                                                  sign-in  sign-in  sign-in    sign-in  sign-in   sign-in   sign-in  sign-in
GET /console/scope                                                   200      200      200        200      200       200       sign-in  sign-in
GET /console/range                                                   200      200      200        200      200       200       sign-in  sign-in
GET /console/orgs                                                    200      200      200        200      200       200       sign-in  sign-in
GET /console/orgs/{org}                                              200      200      200        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/edit                                         403      403      403        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/delete                                       403      403      403        403      200       404       sign-in  sign-in
GET /console/audit                                                   403      403      403        403      200       403       sign-in  sign-in
GET /console/audit.csv                                               403      403      403        403      200       403       sign-in  sign-in
GET /console/signing-keys                                            403      403      403        403      200       403       sign-in  sign-in
GET /console/signing-keys/{kid}/withdraw                             403      403      403        403      200       403       sign-in  sign-in
GET /console/orgs/{org}/keys                                         200      200      200        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/new                                     200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys.csv                                     200      200      200        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}                                   200      200      200        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/edit                              200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/rotate                            200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/disable                           200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/enable                            200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/revoke                            200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/delete                            200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/secrets/{secret}/retire           200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/public-keys/new                   200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/public-keys/{public_key}/remove   200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/trust-rules/new                   200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/keys/{key}/trust-rules/{trust_rule}/remove   200      200      200        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/usage                                        200      200      403        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/usage.csv                                    200      200      403        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/usage-by-key.csv                             200      200      403        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/audit                                        200      200      403        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/audit.csv                                    200      200      403        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/projects                                     200      200      200        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/projects/{project}                           200      200      403        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/projects/{project}/delete                    200      200      403        403      200       404       sign-in  sign-in
GET /console/sessions                                                200      200      200        200      200       200       sign-in  sign-in
GET /console/members                                                 200      200      200        200      200       200       sign-in  sign-in
GET /console/members/{usr}                                           403      403      403        403      200       403       sign-in  sign-in
GET /console/members/{usr}/remove                                    403      403      403        403      200       403       sign-in  sign-in
GET /console/orgs/{org}/members                                      200      200      200        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/members/{usr}                                200      403      403        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/members/{usr}/remove                         200      403      403        403      200       404       sign-in  sign-in
GET /console/scopes                                                  200      200      200        200      200       200       sign-in  sign-in
GET /console/scopes/{scope}/edit                                     403      403      403        403      200       403       sign-in  sign-in
GET /console/scopes/{scope}/remove                                   403      403      403        403      200       403       sign-in  sign-in
GET /console/orgs/{org}/scopes                                       200      200      200        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/scopes/{scope}/edit                          200      200      403        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/scopes/{scope}/remove                        200      200      403        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/issuers                                      200      200      200        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/issuers/{issuer}                             200      200      403        200      200       404       sign-in  sign-in
GET /console/orgs/{org}/issuers/{issuer}/edit                        200      200      403        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/issuers/{issuer}/disable                     200      200      403        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/issuers/{issuer}/enable                      200      200      403        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/issuers/{issuer}/remove                      200      200      403        403      200       404       sign-in  sign-in
GET /console/orgs/{org}/issuers/{issuer}/check                       200      200      403        200      200       404       sign-in  sign-in
GET /console/assets/{version}/{file}                                 404      404      404        404      404       404       404      404
GET /console/{*rest}                                                 404      404      404        404      404       404       404      404
POST /console/sign-in                                                sign-in  sign-in  sign-in    sign-in  sign-in   sign-in   sign-in  sign-in
POST /console/session                                                200      200      200        200      200       200       sign-in  sign-in
POST /console/sign-in/with/{provider}                                404      404      404        404      404       404       404      404
POST /console/sign-in/choose                                         401      401      401        401      401       401       401      401
POST /console/invitation                                             401      401      401        401      401       401       401      401
POST /console/sign-out                                               sign-in  sign-in  sign-in    sign-in  sign-in   sign-in   sign-in  sign-in
POST /console/set-up                                                 sign-in  sign-in  sign-in    sign-in  sign-in   sign-in   sign-in  sign-in
POST /console/set-up/saved                                           sign-in  sign-in  sign-in    sign-in  sign-in   sign-in   sign-in  sign-in
POST /console/orgs                                                   403      403      403        403      303       403       sign-in  sign-in
POST /console/orgs/{org}/edit                                        403      403      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/delete                                      403      403      403        403      303       404       sign-in  sign-in
POST /console/signing-keys                                           403      403      403        403      303       403       sign-in  sign-in
POST /console/signing-keys/{kid}/withdraw                            403      403      403        403      303       403       sign-in  sign-in
POST /console/orgs/{org}/keys/new                                    200      200      200        403      200       404       sign-in  sign-in
POST /console/orgs/{org}/keys/summary                                200      200      200        200      200       200       sign-in  sign-in
POST /console/orgs/{org}/keys/selected/export                        200      200      200        200      200       404       sign-in  sign-in
POST /console/orgs/{org}/keys/selected                               200      200      200        403      200       404       sign-in  sign-in
POST /console/orgs/{org}/keys/selected/act                           200      200      200        403      200       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/edit                             200      200      200        403      200       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/rotate                           200      200      200        403      200       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/disable                          303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/enable                           303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/revoke                           303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/delete                           303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/secrets/{secret}/retire          303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/public-keys/new                  303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/public-keys/{public_key}/remove  303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/trust-rules/new                  303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/keys/{key}/trust-rules/{trust_rule}/remove  303      303      303        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/projects                                    303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/projects/{project}                          303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/projects/{project}/delete                   303      303      403        403      303       404       sign-in  sign-in
POST /console/sessions                                               303      303      303        303      303       303       sign-in  sign-in
POST /console/members                                                403      403      403        403      200       403       sign-in  sign-in
POST /console/members/{usr}                                          403      403      403        403      303       403       sign-in  sign-in
POST /console/members/{usr}/invitation                               403      403      403        403      200       403       sign-in  sign-in
POST /console/members/{usr}/remove                                   403      403      403        403      303       403       sign-in  sign-in
POST /console/orgs/{org}/members                                     200      403      403        403      200       404       sign-in  sign-in
POST /console/orgs/{org}/members/{usr}                               303      403      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/members/{usr}/invitation                    200      403      403        403      200       404       sign-in  sign-in
POST /console/orgs/{org}/members/{usr}/remove                        303      403      403        403      303       404       sign-in  sign-in
POST /console/scopes                                                 403      403      403        403      303       403       sign-in  sign-in
POST /console/scopes/{scope}/edit                                    403      403      403        403      303       403       sign-in  sign-in
POST /console/scopes/{scope}/remove                                  403      403      403        403      303       403       sign-in  sign-in
POST /console/orgs/{org}/scopes                                      303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/scopes/{scope}/edit                         303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/scopes/{scope}/remove                       303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/issuers                                     303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/issuers/{issuer}/edit                       303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/issuers/{issuer}/disable                    303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/issuers/{issuer}/enable                     303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/issuers/{issuer}/remove                     303      303      403        403      303       404       sign-in  sign-in
POST /console/orgs/{org}/issuers/{issuer}/check                      200      200      403        200      200       404       sign-in  sign-in
";

const COLUMNS: [&str; 8] =
    ["owner", "admin", "developer", "auditor", "operator", "stranger", "portal", "nobody"];

async fn every_page_is_open_to_the_roles_of_its_row(backend: Backend) {
    let server = Server::start(backend).await;
    let people = Elsewhere::set(&server).await;
    let (mut shown, mut done) = (Vec::new(), Vec::new());
    // The pages come first: a session that is opened for a form may be one too many.
    let pages = Scene::set(&server, "pages", &people).await;
    for route in ROUTES.iter().filter(|route| is_page(route)) {
        forgive_guesses(&server, route.path).await;
        shown.push((format!("GET {}", route.path), pages.shown(route.path).await));
    }
    for (at, route) in ROUTES.iter().filter(|route| !is_page(route)).enumerate() {
        forgive_guesses(&server, route.path).await;
        let words = sent(&server, &format!("acme-{at}"), route.path, &people).await;
        done.push((format!("POST {}", route.path), words));
    }
    shown.append(&mut done);
    check_table(TABLE, &COLUMNS, &shown);
}

fn is_page(route: &Route) -> bool {
    route.method.as_ref().is_none_or(|method| *method == Method::GET)
}

/// Waits until nobody is kept waiting for what others guessed.
async fn forgive_guesses(server: &Server, path: &str) {
    if ["/console/sign-in", "/console/invitation"].iter().any(|guessed| path.starts_with(guessed)) {
        server.advance(61).await;
    }
}

/// The outcomes of a form, each where nothing was done before.
async fn sent(server: &Server, org: &str, path: &str, people: &Elsewhere) -> Vec<String> {
    let (mut words, mut untouched) = (Vec::new(), None);
    for (at, column) in COLUMNS.iter().enumerate() {
        let scene = match untouched.take() {
            Some(scene) => scene,
            None => {
                let scene = Scene::set(server, &format!("{org}-{at}"), people).await;
                scene.clear_for(path).await;
                scene
            }
        };
        let before = stored(server).await;
        let answer = scene.send(at, path).await;
        if answer.status >= 400 || is_led_to_sign_in(&answer) {
            assert_eq!(stored(server).await, before, "POST {path} did something for {column}");
            untouched = Some(scene);
        }
        words.push(word(&answer));
    }
    words
}

/// What is stored, but the trail and the times of sessions.
async fn stored(server: &Server) -> Vec<String> {
    const LEFT: [&str; 5] = ["audit_events ", "changes ", "sequences ", "console_sessions ", "members "];
    let mut dump = server.database.dump().await;
    dump.retain(|line| !LEFT.iter().any(|table| line.starts_with(table)));
    let members = "SELECT COUNT(*) FROM members WHERE removed_at IS NULL";
    dump.push(server.database.number(members).await.to_string());
    dump
}

fn word(answer: &Answer) -> String {
    if is_led_to_sign_in(answer) { "sign-in".into() } else { answer.status.to_string() }
}

/// Whether the answer is the sign-in page, or leads there.
fn is_led_to_sign_in(answer: &Answer) -> bool {
    match answer.status {
        303 => answer.header("location").starts_with("/console/sign-in"),
        401 => answer.text.contains(r#"action="/console/sign-in""#),
        _ => false,
    }
}

/// Who is not of the organization that a row is about.
struct Elsewhere {
    operator: String,
    stranger: String,
}

impl Elsewhere {
    async fn set(server: &Server) -> Self {
        server.admin().post_json("/v1/orgs", &json!({ "id": "elsewhere" })).await.done(201);
        let operator = person_of(server, "elsewhere", "operator", ("operator", "")).await.id;
        let stranger = person_of(server, "elsewhere", "stranger", ("owner", "")).await.id;
        Self { operator, stranger }
    }
}

/// An organization with one of everything, and a browser of each caller.
struct Scene<'a> {
    fixture: Fixture<'a>,
    browsers: Vec<Browser>,
    /// The id of a current signing key.
    kid: String,
}

impl<'a> Scene<'a> {
    async fn set(server: &'a Server, org: &str, people: &Elsewhere) -> Self {
        let fixture = Fixture::create(server, org).await;
        let mut browsers = Vec::new();
        for role in ["owner", "admin", "developer", "auditor"] {
            browsers.push(person_of(server, org, role, (role, "web")).await.browser);
        }
        browsers.push(session(server, &people.operator).await);
        browsers.push(session(server, &people.stranger).await);
        let mut granted = portal_session("user-1");
        (granted["projects"], granted["keys"]) = (json!(["web"]), "all".into());
        let portal = Portal::open_in(server, org, &granted).await;
        let nobody = Browser::at(server.client(), server.address());
        browsers.push(Browser { cookie: Some(portal.cookie), ..nobody.clone() });
        browsers.push(nobody);
        let keys = server.admin().get("/v1/signing-keys").await.done(200);
        let is_current = |key: &&Value| key["status"] == "active";
        let kid = keys["data"].as_array().unwrap().iter().find(is_current).unwrap()["kid"].clone();
        Self { fixture, browsers, kid: kid.as_str().unwrap().to_owned() }
    }

    fn filled(&self, text: &str) -> String {
        let usr = if text.starts_with("/console/members/") { "{operator}" } else { "{usr}" };
        let scope = if text.starts_with("/console/scopes/") { "of-{org}" } else { "all" };
        let text = text
            .replace("{scope}", scope)
            .replace("{usr}", usr)
            .replace("{project}", "web")
            .replace("{issuer}", "gh");
        self.fixture.filled(&text.replace("{kid}", &self.kid).replace("{*rest}", "anything"))
    }

    async fn shown(&self, path: &str) -> Vec<String> {
        let mut words = Vec::new();
        for browser in &self.browsers {
            words.push(word(&browser.get(&self.filled(path)).await));
        }
        words
    }

    async fn send(&self, at: usize, path: &str) -> Answer {
        let browser = &self.browsers[at];
        let token = form_token(self.fixture.server, browser.cookie.as_deref().unwrap_or_default());
        let mut fields = format!("{}&token={token}", self.filled(typed(path)));
        if ["/issuers/{issuer}/edit", "/scopes/{scope}/edit"].iter().any(|edit| path.ends_with(edit)) {
            // What the page began with, which an operator sees.
            let page = self.browsers[4].page(&self.filled(path)).await;
            let base = hidden(&page, "base").replace("&#34;", "\"");
            fields.push_str(&format!("&base={}", escaped(&base)));
        }
        let client = browser.with_cookie().with("origin", &browser.origin);
        client.post_form(&self.filled(path), &fields).await
    }

    /// Takes away what would be in the way of whoever may.
    async fn clear_for(&self, path: &str) {
        let act = match path {
            "/console/orgs/{org}/delete" | "/console/orgs/{org}/projects/{project}/delete" => "revoke",
            "/console/orgs/{org}/keys/{key}/enable" => "disable",
            _ => return,
        };
        let all = json!({ "filter": { "unused_since": "9999-01-01T00:00:00Z" } });
        let path = self.fixture.filled(&format!("/v1/orgs/{{org}}/keys/{act}"));
        self.fixture.server.admin().post_json(&path, &all).await.done(200);
    }
}

/// What somebody types into the form of a page, with the ids to be filled in.
fn typed(path: &str) -> &'static str {
    let Some(rest) = path.strip_prefix("/console/orgs/{org}/") else { return typed_in_deployment(path) };
    match rest {
        "edit" => "name=Renamed",
        "delete" => "name={org}",
        "keys/new" => "name=new&project=web&environment=prd&access=scopes&action=read&resource=a&ends=never",
        "keys/summary" => "name=new&access=scopes&action=read&resource=a&ends=never",
        "keys/selected" | "keys/selected/act" | "keys/selected/export" => "act=disable&key={key}&version=*",
        "keys/{key}/edit" => "name=renamed&ends=keep&access=query_only",
        "keys/{key}/rotate" => "overlap=0",
        "keys/{key}/revoke" | "keys/{key}/delete" => "name=subject",
        "keys/{key}/public-keys/new" => {
            "public_key=%7B%22kty%22%3A%22OKP%22%2C%22crv%22%3A%22Ed25519%22%2C\
             %22x%22%3A%2211qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo%22%7D"
        }
        "keys/{key}/trust-rules/new" => "platform=github&issuer=gh&github-repository_id=7",
        "projects" => "id=new&name=new&environments=prd",
        "projects/{project}" => "name=Renamed&environments=prd&reviewed=yes",
        "projects/{project}/delete" => "name=web",
        "members" => "email=new%40example.com&role=auditor",
        "members/{usr}" => "name=Renamed&role=auditor",
        "issuers" => {
            "id=new&issuer=https%3A%2F%2Fci.example&keys=discovery&algorithm=RS256&max_lifetime=3600"
        }
        "issuers/{issuer}/edit" => {
            "name=Renamed&issuer=https%3A%2F%2Ftoken.actions.githubusercontent.com&algorithm=EdDSA&max_lifetime=3600\
             &keys=jwks&jwks=%7B%22keys%22%3A%5B%7B%22kty%22%3A%22OKP%22%2C\
             %22crv%22%3A%22Ed25519%22%2C%22kid%22%3A%221%22%2C\
             %22x%22%3A%2211qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo%22%7D%5D%7D"
        }
        "scopes" => "id=new&action=read&resource=new&name=New",
        "scopes/{scope}/edit" => "action=read&resource=*&name=Renamed",
        "issuers/{issuer}/remove" => "name=gh",
        "issuers/{issuer}/check" => "workload_token=a.b.c",
        _ => "",
    }
}

fn typed_in_deployment(path: &str) -> &'static str {
    match path {
        "/console/sign-in" => "key=clv_prd_nonsense",
        "/console/invitation" => "code=nonsense",
        "/console/orgs" => "id={org}-new",
        "/console/signing-keys/{kid}/withdraw" => "kid={kid}&understood=yes",
        "/console/scopes" => "id=new-{org}&action=read&resource={org}%2Fnew&name=New",
        "/console/scopes/{scope}/edit" => "action=read&resource={org}%2F**&name=Renamed",
        "/console/members" => "email=new.{org}%40example.com&role=operator",
        "/console/members/{usr}" => "name=Renamed&role=operator",
        _ => "",
    }
}

async fn a_session_reaches_nothing_outside_the_console(backend: Backend) {
    let server = Server::start(backend).await;
    let people = Elsewhere::set(&server).await;
    let scene = Scene::set(&server, "acme", &people).await;
    let [owner, operator, portal] = [0, 4, 6].map(|at: usize| scene.browsers[at].clone());
    for browser in [&owner, &operator, &portal] {
        let cookie = browser.cookie.as_deref().unwrap();
        let (_, session) = cookie.split_once('=').unwrap();
        for route in claviger::http::ROUTES {
            let method = route.method.clone().unwrap_or(Method::POST);
            let path = scene.filled(&route.path.replace("{file}", "tour.md").replace("{page}", "recover.md"));
            let path = path.replace(['{', '}', '*'], "");
            let ask = async |client: Client| {
                let client = client.with("origin", &browser.origin);
                let answer = client.send(method.clone(), &path, None).await;
                (answer.status, answer.header("www-authenticate").to_owned())
            };
            let with_nothing = ask(server.client()).await;
            assert_eq!(ask(browser.with_cookie()).await, with_nothing, "{method} {path}");
            // As a credential, it is one that nobody ever issued.
            let with_it = ask(server.client().bearer(session)).await;
            assert!(with_it.0 == with_nothing.0, "{method} {path}: {with_it:?}");
        }
        let token = server.client().token(session, "").await;
        assert_eq!((token.status, &*token.oauth_error()), (401, "invalid_client"), "{}", token.text);
    }
    // Each cookie holds a session of its own kind, under whatever name.
    let console = owner.cookie.as_deref().unwrap();
    let client = server.client().with("cookie", &console.replacen("claviger=", "claviger-portal=", 1));
    assert_eq!(client.get("/portal/orgs/acme/keys").await.status, 401);
    let of_portal = portal.cookie.as_deref().unwrap();
    let client = server.client().with("cookie", &of_portal.replacen("claviger-portal=", "claviger=", 1));
    let answer = client.get("/console/orgs/acme/keys").await;
    assert!(is_led_to_sign_in(&answer), "{answer:?}");
}
