//! What the portal lets other origins do, and how it looks.

use claviger::domain::portal::{Accents, PortalSettings};

use super::browser::{SESSIONS, code, redeem, session};
use crate::support::{Backend, Options, Server, on_both};

on_both!(only_named_origins_have_the_portal_in_a_frame, the_portal_is_in_the_vendors_name);

fn embedding() -> PortalSettings {
    PortalSettings {
        name: Some("Example & Co".into()),
        title: Some("Access tokens".into()),
        accents: Accents::new("#0b5fd0".parse().unwrap(), Some("#7aa7ff".parse().unwrap())).ok(),
        frame_origins: vec!["https://app.example.com".parse().unwrap()],
        ..PortalSettings::default()
    }
}

async fn only_named_origins_have_the_portal_in_a_frame(backend: Backend) {
    let plain = Server::start(backend).await;
    let page = plain.client().get("/portal").await;
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(page.header("x-frame-options"), "DENY");

    let issuer = Some("https://keys.example.com".to_owned());
    let options = Options { portal: embedding(), issuer, ..Options::default() };
    let server = Server::start_with(backend, options).await;
    let page = server.client().get("/portal").await;
    assert!(page.header("content-security-policy").contains("frame-ancestors https://app.example.com;"));
    assert_eq!(page.header("x-frame-options"), "");
    let console = server.client().get("/console/sign-in").await;
    assert!(console.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(console.header("x-frame-options"), "DENY");

    let code = code(&server.admin(), &session("u1")).await;
    let client = server.client().with("origin", "https://keys.example.com");
    let cookie = client.post_form("/portal", &format!("code={code}")).await.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-claviger-portal="), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
    }
    let mut back = session("u1");
    back["return_url"] = "https://app.example.com/settings".into();
    server.admin().post_json(SESSIONS, &back).await.done(201);
    for other in
        ["https://app.example.com.evil.example/", "http://app.example.com/", "https://app.example.com:444/"]
    {
        back["return_url"] = other.into();
        assert_eq!(server.admin().post_json(SESSIONS, &back).await.status, 400, "{other}");
    }
}

async fn the_portal_is_in_the_vendors_name(backend: Backend) {
    let options = Options { portal: embedding(), ..Options::default() };
    let server = Server::start_with(backend, options).await;
    let mut session = session("u1");
    session["return_url"] = "https://app.example.com/settings?tab=keys".into();
    let opened = redeem(&server, &code(&server.admin(), &session).await).await;
    let cookie = opened.header("set-cookie");
    assert!(cookie.starts_with("claviger-portal=") && cookie.contains("SameSite=Lax"), "{cookie}");
    let client = server.client().with("cookie", cookie.split(';').next().unwrap());
    let page = client.get("/portal/orgs/default/keys").await.text;
    for shown in [
        "<h1>Access tokens</h1>",
        "Example &#38; Co",
        r#"href="https://app.example.com/settings?tab=keys""#,
        "/portal/theme.css",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("Claviger") && !page.contains("Audit log"), "{page}");
    assert!(client.get("/portal/theme.css").await.text.contains("--accent:#0b5fd0"));
    assert_eq!(client.get("/portal/logo").await.status, 404);
}
