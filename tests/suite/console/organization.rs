//! The pages of an organization: use, the audit log, projects, signing keys.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Server, on_both};

const ROOT: &str = "/console/orgs/default";

on_both!(
    use_is_shown_and_downloaded,
    the_audit_log_is_narrowed_and_downloaded_without_formulas,
    projects_come_and_go,
    the_next_signing_key_is_published
);

async fn use_is_shown_and_downloaded(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    for _ in 0..3 {
        server.client().token(&key, "").await.done(200);
    }
    server.flush().await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for span in ["hours", "days", "months"] {
        for path in [format!("{ROOT}/usage?span={span}"), format!("{ROOT}/keys/{id}?span={span}")] {
            let page = browser.page(&path).await;
            assert!(page.contains(r#"<svg class="plot" role="img" aria-label="#), "{page}");
            assert!(page.contains("<td>3</td>"), "the numbers are there as a table too: {page}");
        }
    }
    let table = browser.get(&format!("{ROOT}/usage.csv?span=hours")).await;
    assert_eq!(table.header("content-disposition"), r#"attachment; filename="default-usage.csv""#);
    let text = table.text.strip_prefix('\u{feff}').expect("the mark that Excel needs");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "start,tokens,direct,refused_revoked,refused_expired,refused_disabled,refused_address,refused_secret"
    );
    assert!(lines.last().unwrap().starts_with("2026-01-01T00:00:00Z,3,"), "{}", table.text);
    assert_eq!(browser.get(&format!("{ROOT}/usage?project=A")).await.status, 400);
}

async fn the_audit_log_is_narrowed_and_downloaded_without_formulas(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key_from(json!({"name": "=1+1", "preset": "query_only"})).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let all = browser.page(&format!("{ROOT}/audit")).await;
    assert!(all.contains("Signed in to console") && all.contains("Key created"), "{all}");
    let some =
        browser.page(&format!("{ROOT}/audit?action=key.*&key={id}&from=2026-01-01&to=2026-01-01")).await;
    assert!(!some.contains("Signed in to console") && some.contains("Key created"), "{some}");
    assert!(browser.page(&format!("{ROOT}/audit?to=2025-12-31")).await.contains("No events match"));
    for bad in ["actor=nobody", "key=x", "from=yesterday", "action=A"] {
        let refused = browser.get(&format!("{ROOT}/audit?{bad}")).await;
        assert_eq!(refused.status, 400, "{bad}");
        assert!(refused.text.contains(r#"role="alert""#), "{}", refused.text);
    }
    let table = browser.get(&format!("{ROOT}/audit.csv?action=key.create")).await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8; header=present");
    let text = table.text.strip_prefix('\u{feff}').expect("the mark that Excel needs");
    let cells = text.lines().flat_map(|line| line.split(',').collect::<Vec<_>>());
    for cell in cells {
        assert!(!cell.trim_start_matches('"').starts_with(['=', '+', '-', '@']), "{cell}");
    }
}

async fn projects_come_and_go(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let projects = format!("{ROOT}/projects");
    let bad = browser.post(&projects, &[("id", "Web"), ("name", "The web"), ("environments", "prd")]).await;
    assert_eq!(bad.status, 400);
    assert!(bad.text.contains(r#"value="The web""#), "{}", bad.text);
    let made =
        browser.post(&projects, &[("id", "web"), ("name", "The web"), ("environments", "prd, qa")]).await;
    assert_eq!(made.header("location"), projects, "{}", made.text);
    let twice = browser.post(&projects, &[("id", "web"), ("environments", "prd")]).await;
    assert_eq!(twice.status, 409);
    let own = format!("{projects}/web");
    assert!(browser.page(&own).await.contains(r#"value="prd qa""#));
    let changed = browser.post(&own, &[("name", "Web"), ("environments", "qa")]).await;
    assert_eq!(changed.status, 303, "{}", changed.text);
    assert_eq!(
        server.admin().get("/v1/orgs/default/projects/web").await.json()["environments"],
        json!(["qa"])
    );
    assert_eq!(browser.post(&format!("{own}/delete"), &[]).await.status, 303);
    assert_eq!(browser.get(&own).await.status, 404);
    let kept = browser.post(&format!("{projects}/default/delete"), &[]).await;
    assert_eq!(kept.status, 409, "{}", kept.text);
}

async fn the_next_signing_key_is_published(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let path = format!("{ROOT}/signing-keys");
    assert_eq!(browser.post(&path, &[]).await.header("location"), path);
    let page = browser.page(&path).await;
    assert_eq!(page.matches("Withdraw (compromised)…").count(), 2, "{page}");
    assert_eq!(browser.post(&path, &[]).await.status, 409, "the next one waits already");
    let keys = server.admin().get("/v1/signing-keys").await.json();
    let kid = keys["data"][1]["kid"].as_str().unwrap();
    assert_eq!(browser.post(&path, &[("compromised", kid)]).await.status, 303);
    assert!(browser.page(&path).await.contains("Withdrawn"));
}
