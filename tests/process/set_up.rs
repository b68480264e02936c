//! An empty store that is set up at the console.

pub(crate) mod operator;
mod together;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use self::operator::Operator;
use self::together::assert_one_store;
use crate::search::{Needle, assert_absent, files_in};
use crate::support::{Backend, Claviger, Database, is_here, on_both, write_private};

on_both!(
    until_it_is_set_up_nothing_is_served_but_that,
    whoever_has_the_code_gets_the_administrators_key_once,
    guessing_is_slowed_down,
    what_another_page_sends_does_nothing,
    on_a_terminal_the_code_itself_is_shown,
    a_start_that_was_killed_is_made_up_for,
    a_key_that_nobody_has_saved_is_not_lost,
    a_stop_before_the_set_up_leaves_nothing,
    what_is_in_the_way_is_said_on_the_page,
    of_many_pages_one_sets_it_up,
);

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

fn over(database: &Database) -> Claviger {
    Claviger::over(database).set("CLAVIGER_BOOTSTRAP", "console")
}

fn exists(database: &Database, file: &str) -> bool {
    database.folder.path().join(file).exists()
}

async fn until_it_is_set_up_nothing_is_served_but_that(backend: Backend) {
    let database = backend.fresh().await;
    let server = over(&database).set("CLAVIGER_ISSUER", "http://127.0.0.1/auth").wait();
    let client = server.client();
    for prefix in ["", "/auth"] {
        let at = |path: &str| format!("{prefix}{path}");
        assert_eq!(client.get(&at("/healthz")).await.status, 200);
        for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
            let answer = client.post_form(&at(path), "grant_type=client_credentials&client_secret=x").await;
            assert_eq!((answer.status, &*answer.oauth_error()), (503, "temporarily_unavailable"), "{path}");
            assert!(!answer.header("retry-after").is_empty() && !answer.header("x-request-id").is_empty());
        }
        for path in [
            "/readyz",
            "/v1/self",
            "/v1/orgs/default/keys",
            "/v1/gate",
            "/oauth/revocations",
            "/.well-known/jwks.json",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        ] {
            let answer = client.get(&at(path)).await;
            answer.refused(503, "unavailable");
            assert!(!answer.header("retry-after").is_empty(), "{path}");
            assert_eq!(answer.json()["error"]["request_id"], answer.header("x-request-id"), "{path}");
        }
        for path in ["/console", "/console/sign-in", "/console/orgs/default/keys?q=a"] {
            let answer = client.get(&at(path)).await;
            assert_eq!((answer.status, answer.header("location")), (303, "/auth/console/set-up"), "{path}");
            assert_eq!(answer.header("content-security-policy"), POLICY);
        }
        assert_eq!(client.get(&at("/nowhere")).await.status, 404);
        assert_eq!(client.get(&at("/console/assets/x/console.css")).await.status, 200);
    }
    client.get("/.well-known/oauth-authorization-server/auth").await.refused(503, "unavailable");

    let page = client.get("/console/set-up").await;
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    for said in [
        "<strong>127.0.0.1/auth</strong>",
        "The server creates it for ES256",
        r#"action="/auth/console/set-up""#,
    ] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM deployment").await, 0);
    assert!(!exists(&database, "keys/master.key") && !exists(&database, "keys/admin.key"));
}

async fn whoever_has_the_code_gets_the_administrators_key_once(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = over(&database).set("CLAVIGER_LOG", "trace");
    let mut server = claviger.wait();
    let file = database.folder.path().join("keys/setup.code");
    assert_eq!(fs::metadata(&file).expect("the code").permissions().mode() & 0o777, 0o600);
    assert!(server.greeting.contains("keys/setup.code"), "{}", server.greeting);
    assert!(server.greeting.contains(&format!("{}/console/set-up", server.issuer)), "{}", server.greeting);
    let (operator, code) = (Operator::at(&server), operator::code_in(&database));
    assert!(!server.greeting.contains(&code), "standard output may be a log that is kept");

    let wrong = operator.set_up("0000-0000-0000-0000-0000-0000-0000").await;
    assert_eq!(wrong.status, 403);
    assert!(wrong.text.contains("The code is not correct."), "{}", wrong.text);
    assert!(
        wrong.text.contains(r#"aria-invalid="true""#) && !wrong.text.contains("0000-0000"),
        "{}",
        wrong.text
    );
    let partly = operator.set_up(&code[..10]).await;
    assert_eq!(partly.status, 400);
    assert!(
        partly.text.contains("28 letters and digits") && !partly.text.contains(&code[..9]),
        "{}",
        partly.text
    );
    assert_eq!(database.number("SELECT COUNT(*) FROM deployment").await, 0);

    let completed = operator.set_up(&code.to_lowercase().replace('-', " ")).await;
    assert_eq!(
        (completed.status, completed.header("cache-control")),
        (200, "no-store"),
        "{}",
        completed.text
    );
    assert_eq!(completed.header("content-security-policy"), POLICY);
    let key = operator::key_on(&completed);
    assert!(completed.text.contains("<code>keys/master.key</code>"), "{}", completed.text);
    server.goes_on_to_serve();
    assert!(!file.exists(), "it is of no use any more");

    let client = server.client();
    assert_eq!(client.get("/readyz").await.status, 200);
    assert_eq!(client.get("/.well-known/jwks.json").await.status, 200);
    let again = operator.set_up(&code).await;
    assert_eq!((again.status, operator::key_on(&again)), (200, key.clone()), "a second click shows the same");
    let other = operator.set_up("0000-0000-0000-0000-0000-0000-0000").await;
    assert_eq!((other.status, other.header("location")), (303, "/console/sign-in?why=set-up"));
    let page = client.get("/console/sign-in?why=set-up").await;
    assert!(page.text.contains("Set-up is complete. Sign in"), "{}", page.text);
    assert_eq!(client.get("/console/set-up").await.header("location"), "/console/sign-in?why=set-up");

    assert!(exists(&database, "keys/admin.key"), "until it was said to be saved");
    operator.save("0000-0000-0000-0000-0000-0000-0000").await;
    assert!(exists(&database, "keys/admin.key"), "by whoever was shown it");
    let saved = operator.save(&operator::receipt_on(&completed)).await;
    assert_eq!((saved.status, saved.header("location")), (303, "/console/sign-in?why=set-up"));
    assert!(!exists(&database, "keys/admin.key"));
    let again = operator.set_up(&code).await;
    assert_eq!((again.status, again.header("location")), (303, "/console/sign-in?why=set-up"), "it is saved");

    let signed_in = operator.sign_in(&key).await;
    assert_eq!((signed_in.status, signed_in.header("location")), (303, "/console"));
    let (_, plain) = client.bearer(&key).create_key(&["read:*"]).await;
    client.access_token(&plain, "").await;

    server.signal("TERM");
    assert!(server.end().0.success());
    let secrets = [Needle::text("the code", &code), Needle::text("the key", &key)];
    assert_absent(&secrets, &[("the log".to_owned(), claviger.log().into_bytes())]);
    assert_absent(&secrets, &files_in(database.folder.path()));

    let again = claviger.serve();
    assert_eq!(again.greeting.lines().count(), 1, "{}", again.greeting);
    assert_eq!(again.client().bearer(&key).get("/v1/self").await.status, 200);
    assert_eq!(Operator::at(&again).save("x").await.header("location"), "/console/sign-in?why=set-up");
}

async fn guessing_is_slowed_down(backend: Backend) {
    let database = backend.fresh().await;
    let server = over(&database).wait();
    let (operator, code) = (Operator::at(&server), operator::code_in(&database));
    for _ in 0..10 {
        assert_eq!(operator.set_up("0000-0000-0000-0000-0000-0000-0000").await.status, 403);
    }
    let slowed = operator.set_up(&code).await;
    assert_eq!(slowed.status, 429);
    assert!(slowed.text.contains("Too many incorrect codes; try again in "), "{}", slowed.text);
    let seconds: u64 = slowed.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(database.number("SELECT COUNT(*) FROM deployment").await, 0);
}

async fn what_another_page_sends_does_nothing(backend: Backend) {
    let database = backend.fresh().await;
    let server = over(&database).wait();
    let form = format!("code={}", operator::code_in(&database));
    for headers in [
        vec![],
        vec![("origin", "https://elsewhere.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site"), ("origin", &*server.issuer)],
    ] {
        let client = headers.iter().fold(server.client(), |client, (name, value)| client.with(name, value));
        let refused = client.post_form("/console/set-up", &form).await;
        assert_eq!((refused.status, refused.header("content-security-policy")), (403, POLICY), "{headers:?}");
        assert!(refused.text.contains("not sent from a page of this server"), "{}", refused.text);
    }
    let put = server.client().send(reqwest::Method::PUT, "/console/set-up", None).await;
    assert_eq!(put.status, 405);
    assert_eq!(database.number("SELECT COUNT(*) FROM deployment").await, 0);
}

async fn on_a_terminal_the_code_itself_is_shown(backend: Backend) {
    if !is_here("script") {
        return;
    }
    let database = backend.fresh().await;
    let mut server = over(&database).on_a_terminal().wait();
    assert!(!exists(&database, "keys/setup.code"));
    let shown = server.greeting.lines().map(str::trim).find(|line| line.split('-').count() == 7);
    let code = shown.expect("the code").to_owned();
    let key = operator::key_on(&Operator::at(&server).set_up(&code).await);
    server.goes_on_to_serve();
    assert_eq!(server.client().bearer(&key).get("/v1/self").await.status, 200);
    assert!(!server.greeting.contains(&key));
}

async fn a_start_that_was_killed_is_made_up_for(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = over(&database);
    drop(claviger.wait());
    let old = operator::code_in(&database);
    let server = claviger.wait();
    let (operator, code) = (Operator::at(&server), operator::code_in(&database));
    assert_ne!(code, old, "each start makes a new one");
    assert_eq!(operator.set_up(&old).await.status, 403);
    let key = operator::key_on(&operator.set_up(&code).await);
    assert_eq!(server.client().bearer(&key).get("/v1/self").await.status, 200);
}

/// The server is killed once the store is filled, and before anybody says that they have the key.
async fn a_key_that_nobody_has_saved_is_not_lost(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = over(&database);
    let server = claviger.wait();
    let code = operator::code_in(&database);
    let key = operator::key_on(&Operator::at(&server).set_up(&code).await);
    drop(server);
    let file = database.folder.path().join("keys/setup.code");
    // As a kill a moment earlier would have left it.
    let _ = fs::remove_file(&file);
    write_private(&file, &code);
    let server = claviger.serve();
    assert_eq!(server.admin_key(), key);
    assert!(!file.exists(), "a code of no use is not left there");
    assert_eq!(server.admin().get("/v1/self").await.status, 200);
}

async fn a_stop_before_the_set_up_leaves_nothing(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = over(&database);
    let server = claviger.wait();
    server.signal("TERM");
    let (status, rest) = server.end();
    assert!(status.success() && rest.is_empty(), "{status}: {rest}");
    assert_eq!(fs::read_dir(database.folder.path().join("keys")).expect("a folder").count(), 0);
    assert!(claviger.set("CLAVIGER_BOOTSTRAP", "auto").serve().greeting.contains("admin.key"));
}

async fn what_is_in_the_way_is_said_on_the_page(backend: Backend) {
    let database = backend.fresh().await;
    let server = over(&database).wait();
    let file = database.folder.path().join("keys/admin.key");
    write_private(&file, "clv_prd_of_another_deployment");
    let (operator, code) = (Operator::at(&server), operator::code_in(&database));
    let refused = operator.set_up(&code).await;
    assert_eq!(refused.status, 409);
    let said = "keys/admin.key holds another deployment’s key: move that file away.";
    assert!(refused.text.contains(&said.replace('’', "&#39;")), "{}", refused.text);
    assert!(!refused.text.contains("clv_prd_of"), "{}", refused.text);
    fs::remove_file(file).expect("moved away");
    assert_eq!(operator.set_up(&code).await.status, 200);
}

async fn of_many_pages_one_sets_it_up(backend: Backend) {
    let database = backend.fresh().await;
    let server = over(&database).wait();
    let code = operator::code_in(&database);
    let (a, b, c) = (Operator::at(&server), Operator::at(&server), Operator::at(&server));
    let (a, b, c) = tokio::join!(a.set_up(&code), b.set_up(&code), c.set_up(&code));
    let key = operator::key_on(&a);
    assert_eq!(
        (&operator::key_on(&b), &operator::key_on(&c)),
        (&key, &key),
        "all have the code of this start"
    );
    assert_eq!(server.client().token(&key, "").await.status, 200);
    assert_one_store(&database).await;
}
