//! What other pages could try.

use super::browser::Browser;
use crate::support::{Backend, Server, on_both};

on_both!(a_form_of_another_page_does_nothing, nobody_is_led_elsewhere,);

async fn a_form_of_another_page_does_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let token = browser.token().await;
    let form = format!("token={token}");
    let path = "/console/sign-out";
    let own = browser.origin.clone();
    let cross = [
        vec![],
        vec![("origin", "https://elsewhere.example")],
        vec![("origin", "null")],
        vec![("origin", "")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site"), ("origin", &own)],
        vec![("sec-fetch-site", "none")],
        vec![("sec-fetch-site", "same-origin"), ("origin", "https://elsewhere.example")],
    ];
    for headers in cross {
        let mut client = browser.with_cookie();
        for (name, value) in &headers {
            client = client.with(name, value);
        }
        let refused = client.post_form(path, &form).await;
        assert_eq!(refused.status, 403, "{headers:?}");
        assert!(refused.text.contains("not sent from a page of this server"), "{}", refused.text);
        let refused = client.post_form("/console/sign-in", &format!("key={}", server.admin_key)).await;
        assert_eq!((refused.status, refused.header("set-cookie")), (403, ""), "{headers:?}");
    }
    for other in ["", "AAAA", &token[1..]] {
        let refused = browser.send(path, &[("token", other)]).await;
        assert_eq!(refused.status, 403, "{other}");
        assert!(refused.text.contains("belongs to another session"), "{}", refused.text);
    }
    let another = Browser::signed_in(&server, &server.admin_key).await.token().await;
    assert_eq!(browser.send(path, &[("token", &another)]).await.status, 403);
    let json = browser
        .with_cookie()
        .with("origin", &own)
        .post_json(path, &serde_json::json!({"token": token}))
        .await;
    assert_eq!(json.status, 400);

    assert_eq!(browser.get("/console").await.status, 303, "still signed in");
    let fetched = browser.with_cookie().with("sec-fetch-site", "same-origin").post_form(path, &form).await;
    assert_eq!(fetched.status, 303);
}

async fn nobody_is_led_elsewhere(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::at(server.client(), server.address());
    for (next, led) in [
        ("/console/orgs/default/keys?q=a", "/console/orgs/default/keys?q=a"),
        ("//elsewhere.example", "/console"),
        ("https://elsewhere.example/console/", "/console"),
        ("/\\elsewhere.example", "/console"),
        ("/console/\r\nset-cookie: a=b", "/console"),
        ("/console/sign-out", "/console"),
    ] {
        let answer = browser.send("/console/sign-in", &[("key", &server.admin_key), ("next", next)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, led), "{next}");
    }
}
