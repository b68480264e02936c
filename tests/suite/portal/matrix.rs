//! Every route of the portal against sessions with each right, on keys that are and are not theirs.

use claviger::console::PORTAL_ROUTES;
use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{Portal, session};
use crate::form_token::form_token;
use crate::support::{Answer, Backend, Client, Server, on_both};
use crate::table::check_table;

on_both!(every_page_is_open_to_the_sessions_of_its_row);

/// The status of the answer. 200 is the page, 303 leads on from what was done, and 401 says that no session is open.
///
/// | column | what the session allows | the key |
/// |---|---|---|
/// | `list` | `list` | the user's own |
/// | `create` | `create` alone | the user's own |
/// | `+create` to `+usage` | `list` and this | the user's own |
/// | `own` | everything | the user's own |
/// | `another` | everything | another user's |
/// | `elsewhere` | everything, of all keys | of a project that the session is not about |
/// | `all` | everything, of all keys | another user's |
/// | `beyond` | everything, of all keys | one with a scope that the session does not give |
/// | `owner` | no session, but that of the organization's owner at the console | |
/// | `nobody` | no session | |
const TABLE: &str = "
                                                            list  create  +create  +rotate  +revoke  +edit  +usage  own  another  elsewhere  all  beyond  owner  nobody
GET /portal                                                 200   200     200      200      200      200    200     200  200      200        200  200     200    200
POST /portal                                                403   403     403      403      403      403    403     403  403      403        403  403     403    403
GET /portal/theme.css                                       404   404     404      404      404      404    404     404  404      404        404  404     404    404
GET /portal/logo                                            404   404     404      404      404      404    404     404  404      404        404  404     404    404
GET /portal/scope                                           200   200     200      200      200      200    200     200  200      200        200  200     401    401
GET /portal/range                                           200   200     200      200      200      200    200     200  200      200        200  200     401    401
GET /portal/orgs/{org}/keys                                 200   200     200      200      200      200    200     200  200      200        200  200     401    401
GET /portal/orgs/{org}/keys/new                             403   200     200      403      403      403    403     200  200      200        200  200     401    401
POST /portal/orgs/{org}/keys/new                            403   200     200      403      403      403    403     200  200      200        200  200     401    401
POST /portal/orgs/{org}/keys/summary                        200   200     200      200      200      200    200     200  200      200        200  200     401    401
GET /portal/orgs/{org}/keys/{key}                           200   404     200      200      200      200    200     200  404      404        200  200     401    401
GET /portal/orgs/{org}/keys/{key}/edit                      404   403     403      403      403      200    404     200  404      404        200  403     401    401
POST /portal/orgs/{org}/keys/{key}/edit                     404   403     403      403      403      200    404     200  404      404        200  403     401    401
GET /portal/orgs/{org}/keys/{key}/rotate                    404   403     403      200      403      403    404     200  404      404        200  403     401    401
POST /portal/orgs/{org}/keys/{key}/rotate                   404   403     403      200      403      403    404     200  404      404        200  403     401    401
GET /portal/orgs/{org}/keys/{key}/revoke                    404   403     403      403      200      403    404     200  404      404        200  200     401    401
POST /portal/orgs/{org}/keys/{key}/revoke                   404   403     403      403      303      403    404     303  404      404        303  303     401    401
GET /portal/orgs/{org}/keys/{key}/secrets/{secret}/retire   404   403     403      200      403      403    404     200  404      404        200  403     401    401
POST /portal/orgs/{org}/keys/{key}/secrets/{secret}/retire  404   403     403      303      403      403    404     303  404      404        303  403     401    401
GET /portal/{*rest}                                         404   404     404      404      404      404    404     404  404      404        404  404     404    404
";

const EVERYTHING: [&str; 6] = ["list", "create", "rotate", "revoke", "edit", "usage"];

/// Whose key a column is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Ada,
    Bob,
    Elsewhere,
    Vendor,
}

const COLUMNS: [(&str, &[&str], &str, Of); 12] = [
    ("list", &["list"], "own", Of::Ada),
    ("create", &["create"], "own", Of::Ada),
    ("+create", &["list", "create"], "own", Of::Ada),
    ("+rotate", &["list", "rotate"], "own", Of::Ada),
    ("+revoke", &["list", "revoke"], "own", Of::Ada),
    ("+edit", &["list", "edit"], "own", Of::Ada),
    ("+usage", &["list", "usage"], "own", Of::Ada),
    ("own", &EVERYTHING, "own", Of::Ada),
    ("another", &EVERYTHING, "own", Of::Bob),
    ("elsewhere", &EVERYTHING, "all", Of::Elsewhere),
    ("all", &EVERYTHING, "all", Of::Bob),
    ("beyond", &EVERYTHING, "all", Of::Vendor),
];

async fn every_page_is_open_to_the_sessions_of_its_row(backend: Backend) {
    let server = Server::start(backend).await;
    let scene = Scene::set(&server).await;
    let mut rows = Vec::new();
    for route in PORTAL_ROUTES {
        let method = route.method.clone().unwrap_or(Method::GET);
        let mut words = Vec::new();
        for (caller, of) in &scene.callers {
            words.push(scene.ask(&method, route.path, caller, *of).await.status.to_string());
        }
        rows.push((format!("{method} {}", route.path), words));
    }
    let names: Vec<_> = COLUMNS.iter().map(|column| column.0).chain(["owner", "nobody"]).collect();
    check_table(TABLE, &names, &rows);
}

/// A browser, and what its forms have in them.
struct Caller {
    client: Client,
    token: String,
}

struct Scene<'a> {
    server: &'a Server,
    callers: Vec<(Caller, Of)>,
    /// Sessions that make keys for the others.
    makers: [Portal; 2],
}

impl<'a> Scene<'a> {
    async fn set(server: &'a Server) -> Self {
        server.admin().post_json("/v1/orgs/default/projects", &json!({ "id": "other" })).await.done(201);
        let mut callers = Vec::new();
        for (_, may, keys, of) in COLUMNS {
            let portal = Portal::open(server, &allowing("ada", may, keys)).await;
            callers.push((Caller::new(server, Some(&portal.cookie)), of));
        }
        let owner = crate::console::people::person(server, "owner", "owner").await;
        callers.push((Caller::new(server, owner.browser.cookie.as_deref()), Of::Ada));
        callers.push((Caller::new(server, None), Of::Ada));
        let ada = Portal::open(server, &allowing("ada", &EVERYTHING, "own")).await;
        let bob = Portal::open(server, &allowing("bob", &EVERYTHING, "own")).await;
        Self { server, callers, makers: [ada, bob] }
    }

    /// Asks about a key that nothing was done to before.
    async fn ask(&self, method: &Method, path: &str, caller: &Caller, of: Of) -> Answer {
        let (key, secret) = if path.contains("{key}") { self.key(of).await } else { Default::default() };
        let path = path
            .replace("{org}", "default")
            .replace("{key}", &key)
            .replace("{secret}", &secret)
            .replace("{*rest}", "orgs/default/members");
        if *method == Method::GET {
            let query = match &*path {
                "/portal/scope" => "?action=read&resource=a",
                "/portal/range" => "?text=10.0.0.0/8",
                _ => "",
            };
            return caller.client.get(&format!("{path}{query}")).await;
        }
        if path == "/portal" {
            // Nobody is kept waiting for what others guessed.
            self.server.advance(61).await;
        }
        let before = self.key_at(&key).await;
        let fields = format!("{}&token={}", typed(&path), caller.token);
        let answer = caller.client.post_form(&path, &fields).await;
        if answer.status >= 400 {
            assert_eq!(self.key_at(&key).await, before, "{path} did something");
        }
        answer
    }

    /// The id of a key with two secrets, and that of the older one.
    async fn key(&self, of: Of) -> (String, String) {
        let admin = self.server.admin();
        let new = |project: &str, resource: &str| {
            json!({ "name": "the key", "project": project, "environment": "prd",
                "scopes": [{ "action": "read", "resource": resource }] })
        };
        let id = match of {
            Of::Ada => self.makers[0].new_key("the key").await,
            Of::Bob => self.makers[1].new_key("the key").await,
            Of::Elsewhere | Of::Vendor => {
                let body =
                    if of == Of::Vendor { new("default", "secrets") } else { new("other", "orders/1") };
                let made = admin.post_json("/v1/orgs/default/keys", &body).await.done(201);
                made["id"].as_str().unwrap().to_owned()
            }
        };
        let rotate = format!("/v1/orgs/default/keys/{id}/rotate");
        let rotated = admin.post_json(&rotate, &json!({ "overlap_seconds": 100_000 })).await.done(201);
        let secret = rotated["secrets"].as_array().unwrap().iter().min_by_key(|secret| {
            // The older one has an end.
            secret["expires_at"].is_null()
        });
        (id, secret.unwrap()["id"].as_str().unwrap().to_owned())
    }

    async fn key_at(&self, key: &str) -> Value {
        let path = if key.is_empty() {
            "/v1/orgs/default/keys".to_owned()
        } else {
            format!("/v1/orgs/default/keys/{key}")
        };
        self.server.admin().get(&path).await.done(200)
    }
}

impl Caller {
    fn new(server: &Server, cookie: Option<&str>) -> Self {
        let client = server.client().with("origin", &server.url(""));
        match cookie {
            Some(cookie) => Self { client: client.with("cookie", cookie), token: form_token(server, cookie) },
            None => Self { client, token: String::new() },
        }
    }
}

/// A session for very many keys in which this is allowed.
fn allowing(subject: &str, may: &[&str], keys: &str) -> Value {
    let mut session = session(subject);
    (session["may"], session["keys"], session["max_keys"]) = (json!(may), json!(keys), json!(1_000));
    session
}

/// What somebody types into the form of a page.
fn typed(path: &str) -> &'static str {
    match path.rsplit('/').next().unwrap_or_default() {
        "portal" => "code=nonsense",
        "new" => {
            "name=new&project=default&environment=prd&access=scopes&action=read&resource=orders/1&ends=never"
        }
        "summary" => "name=new&access=scopes&action=read&resource=orders/1&ends=never",
        "edit" => "name=renamed&access=scopes&action=read&resource=orders/1&ends=never",
        "rotate" => "overlap=0",
        "revoke" => "name=the+key",
        _ => "",
    }
}
