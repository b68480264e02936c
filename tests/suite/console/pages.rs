//! What is true of every page.

use claviger::console::ROUTES;

use super::browser::Browser;
use crate::support::{Backend, Server, on_both};

on_both!(
    every_answer_tells_the_browser_what_it_may_do,
    every_page_but_the_first_is_for_those_who_are_signed_in
);

const OPEN: [&str; 3] = ["/console/sign-in", "/console/assets/{version}/{file}", "/console/{*rest}"];

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
        assert_eq!(answer.status, 303, "{} {}", route.path, answer.text);
        assert!(answer.header("location").starts_with("/console/sign-in"), "{}", route.path);
    }
}

/// The path with ids that could be somebody's.
fn filled(path: &str) -> String {
    let ids = [
        ("{org}", "default"),
        ("{project}", "default"),
        ("{key}", "key_0123456789abcdef"),
        ("{secret}", "sec_0123456789abcdef"),
    ];
    ids.into_iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
}
