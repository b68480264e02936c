//! Organizations come and go, and the deployment has pages of its own.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Server, on_both};

const ORGS: &str = "/console/orgs";

on_both!(organizations_come_and_go, the_deployment_has_its_own_audit_log);

async fn organizations_come_and_go(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let bad = browser.post(ORGS, &[("id", "Acme"), ("name", "The company")]).await;
    assert_eq!(bad.status, 400);
    assert!(bad.text.contains(r#"value="The company""#), "{}", bad.text);
    let made = browser.post(ORGS, &[("id", "acme"), ("name", "The company")]).await;
    assert_eq!(made.header("location"), "/console/orgs/acme", "{}", made.text);
    assert_eq!(browser.post(ORGS, &[("id", "acme")]).await.status, 409);
    let list = browser.page(ORGS).await;
    assert!(list.contains("The company") && list.contains(r#"data-copy-text="acme""#), "{list}");

    let edit = "/console/orgs/acme/edit";
    assert!(browser.page(edit).await.contains(r#"value="The company""#));
    let stale = [("name", "Third"), ("base", r#"{"name":"Another"}"#)];
    let overtaken = browser.post(edit, &stale).await;
    assert_eq!(overtaken.status, 412, "{}", overtaken.text);
    assert!(
        overtaken.text.contains("Changed by someone else") && overtaken.text.contains(r#"value="Third""#)
    );
    assert_eq!(browser.post(edit, &[("name", "")]).await.status, 400);
    let renamed = browser.post(edit, &[("name", "Acme & Sons")]).await;
    assert_eq!(renamed.header("location"), "/console/orgs/acme", "{}", renamed.text);
    assert_eq!(server.admin().get("/v1/orgs/acme").await.json()["name"], "Acme & Sons");

    server.admin().post_json("/v1/orgs/acme/projects", &json!({"id": "web"})).await.done(201);
    let key = json!({"name": "k", "project": "web", "environment": "prd", "preset": "query_only"});
    let key = server.admin().post_json("/v1/orgs/acme/keys", &key).await.done(201);
    let delete = "/console/orgs/acme/delete";
    let asked = browser.page(delete).await;
    assert!(
        asked.contains("You cannot undo this.") && asked.contains("Keys that are not revoked: 1."),
        "{asked}"
    );
    assert_eq!(browser.post(delete, &[("name", "Acme & Sons")]).await.status, 409);
    let revoke = format!("/v1/orgs/acme/keys/{}/revoke", key["id"].as_str().unwrap());
    server.admin().post_json(&revoke, &json!({})).await.done(200);
    for wrong in ["", "default", "Acme"] {
        assert_eq!(browser.post(delete, &[("name", wrong)]).await.status, 400, "{wrong}");
    }
    let deleted = browser.post(delete, &[("name", "acme")]).await;
    assert_eq!(deleted.header("location"), ORGS, "{}", deleted.text);
    let list = browser.followed(&deleted).await;
    assert!(list.contains("Organization deleted.") && !list.contains("Acme"), "{list}");
    assert_eq!(browser.get("/console/orgs/acme").await.status, 404);
}

async fn the_deployment_has_its_own_audit_log(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs", &json!({"id": "acme"})).await.done(201);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let log = browser.page("/console/audit").await;
    assert!(
        log.contains("<bdi>Set-up</bdi>") && log.contains("in <a href=\"/console/orgs/acme/audit\">"),
        "{log}"
    );
    for page in ["/console/audit", "/console/signing-keys", ORGS] {
        let tab = format!(r#"<a href="{page}" aria-current="page">"#);
        assert!(browser.page(page).await.contains(&tab), "{page}");
    }
    let some = browser.page("/console/audit?org=acme&action=organization.*").await;
    assert!(some.contains("Organization created") && !some.contains("Signed in"), "{some}");
    assert_eq!(browser.get("/console/audit?org=A").await.status, 400);
    let table = browser.get("/console/audit.csv?action=organization.*").await;
    assert_eq!(table.header("content-disposition"), r#"attachment; filename="audit.csv""#);
    assert!(table.text.contains("organization.create") && !table.text.contains("console.sign_in"));

    let (_, own) = server.key(&["*:claviger/orgs/default/**"]).await;
    let own = Browser::signed_in(&server, &own).await;
    assert!(!own.page("/console/orgs/default").await.contains("/console/audit"));
    for page in ["/console/audit", "/console/audit.csv", "/console/signing-keys"] {
        assert_eq!(own.get(page).await.status, 403, "{page}");
    }
}
