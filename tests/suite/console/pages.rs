//! What is true of every page.

use claviger::console::ROUTES;

use super::browser::Browser;
use crate::support::{Backend, Options, Server, on_both};

on_both!(
    every_answer_tells_the_browser_what_it_may_do,
    every_page_but_the_first_is_for_those_who_are_signed_in,
    what_people_type_leads_to_the_page_that_they_mean,
    unknown_parameters_of_a_link_are_ignored,
);

/// The pages for people who are not signed in yet, and what those load.
const OPEN: [&str; 7] = [
    "/console/sign-in",
    "/console/sign-in/with/{provider}",
    "/console/sign-in/callback",
    "/console/sign-in/choose",
    "/console/invitation",
    "/console/assets/{version}/{file}",
    "/console/{*rest}",
];

async fn every_answer_tells_the_browser_what_it_may_do(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                  font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    for path in [
        "/console",
        "/console/sign-in",
        "/console/nothing",
        "/console/assets/x/console.css",
        "/console/orgs/default/keys",
        "/console/orgs/no/keys",
    ] {
        let answer = browser.get(path).await;
        for (name, value) in [
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        if answer.header("content-type").starts_with("text/html") {
            let page = answer.text.replace("<script src=\"", "<file ");
            for inline in ["<script", "<style", " style=", " onclick=", "javascript:", "http://", "https://"]
            {
                assert!(!page.contains(inline), "{path} has {inline}:\n{page}");
            }
        }
    }
}

async fn every_page_but_the_first_is_for_those_who_are_signed_in(backend: Backend) {
    let server = Server::start(backend).await;
    let stranger = Browser::at(server.client(), server.address());
    for route in ROUTES.iter().filter(|route| !OPEN.contains(&route.path)) {
        let path = filled(route.path);
        let is_form = route.method.as_ref().is_some_and(|method| method == "POST");
        let answer =
            if is_form { stranger.send(&path, &[("token", "x")]).await } else { stranger.get(&path).await };
        let is_kept =
            !["/console/sign-out", "/console/set-up", "/console/set-up/saved"].contains(&route.path);
        if is_form && is_kept {
            assert_eq!(answer.status, 401, "{} {}", route.path, answer.text);
            assert!(answer.text.contains(r#"action="/console/sign-in""#), "{}", answer.text);
            continue;
        }
        assert_eq!(answer.status, 303, "{} {}", route.path, answer.text);
        assert!(answer.header("location").starts_with("/console/sign-in"), "{}", route.path);
    }
}

async fn what_people_type_leads_to_the_page_that_they_mean(backend: Backend) {
    let server = Server::start(backend).await;
    for (typed, meant) in [("/", "/console"), ("/console/", "/console"), ("/docs/", "/docs")] {
        let answer = server.client().get(typed).await;
        assert_eq!((answer.status, answer.header("location")), (303, meant), "{typed}");
    }
    assert_eq!(server.client().post_form("/", "").await.status, 405);
    assert_eq!(
        server.client().get("/nothing").await.refused(404, "not_found"),
        "no such resource exists, or this credential cannot see it"
    );
    // The issuer's path is what a browser sees, whether or not a proxy has taken it away on the way here.
    let issuer = Some("https://example.com/auth".to_owned());
    let below = Server::start_with(backend, Options { issuer, ..Options::default() }).await;
    for typed in ["/", "/auth", "/auth/", "/console/", "/auth/console/"] {
        let answer = below.client().get(typed).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/auth/console"), "{typed}");
    }
    assert_eq!(below.client().get("/auth/docs/").await.header("location"), "/auth/docs");
}

/// Mail programs and others add parameters to links, to count who follows them.
async fn unknown_parameters_of_a_link_are_ignored(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let root = "/console/orgs/default";
    for path in ["/console/orgs", &format!("{root}/keys"), &format!("{root}/usage"), &format!("{root}/audit")]
    {
        for more in ["utm_source=mail&utm_source=x", "fbclid=%ff%"] {
            let answer = browser.get(&format!("{path}?{more}")).await;
            assert_eq!(answer.status, 200, "{path}?{more}: {}", answer.text);
        }
    }
    let stranger = Browser::at(server.client(), server.address());
    assert_eq!(stranger.get("/console/sign-in?utm_source=mail").await.status, 200);
    // What is known counts beside it, and a download says which parameters it does not know.
    assert_eq!(browser.get(&format!("{root}/usage?utm_source=x&project=A")).await.status, 400);
    assert_eq!(browser.get(&format!("{root}/usage.csv?utm_source=x")).await.status, 400);
}

/// The path with ids that could be somebody's.
fn filled(path: &str) -> String {
    let ids = [
        ("{org}", "default"),
        ("{project}", "default"),
        ("{key}", "key_0123456789abcdef"),
        ("{secret}", "sec_0123456789abcdef"),
        ("{public_key}", "pub_0123456789abcdef"),
        ("{trust_rule}", "tr_0123456789abcdef"),
        ("{issuer}", "ci"),
        ("{scope}", "read-invoices"),
        ("{usr}", "usr_0123456789abcdef"),
        ("{kid}", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ];
    ids.into_iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
}
