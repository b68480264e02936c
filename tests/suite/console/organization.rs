//! The pages of an organization: use, the audit log, projects, signing keys.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Server, on_both};

const ROOT: &str = "/console/orgs/default";

on_both!(
    use_is_shown_and_downloaded,
    refusals_are_no_use,
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
            assert!(
                page.contains(r#"<td class="number">3</td>"#),
                "the numbers are there as a table too: {page}"
            );
        }
    }
    let table = browser.get(&format!("{ROOT}/usage.csv?span=hours")).await;
    assert_eq!(table.header("content-disposition"), r#"attachment; filename="default-usage.csv""#);
    let text = table.text.strip_prefix('\u{feff}').expect("the mark that Excel needs");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "start,tokens,direct,refused_revoked,refused_expired,refused_disabled,refused_address,refused_secret,refused_proof"
    );
    assert!(lines.last().unwrap().starts_with("2026-01-01T00:00:00Z,3,"), "{}", table.text);
    assert_eq!(browser.get(&format!("{ROOT}/usage?project=A")).await.status, 400);
}

async fn refusals_are_no_use(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, used) = server.key_from(json!({"name": "used", "preset": "query_only"})).await;
    let body = json!({"name": "refused", "preset": "query_only", "cidrs": ["192.0.2.1"]});
    let (_, refused) = server.key_from(body).await;
    server.client().token(&used, "").await.done(200);
    for _ in 0..3 {
        assert_eq!(server.client().token(&refused, "").await.status, 401);
    }
    server.flush().await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let list = browser.page(&format!("{ROOT}/keys")).await;
    assert!(list.contains("Used once in the last 14 days\""), "{list}");
    assert!(list.contains("Not used in the last 14 days; refused 3 times\""), "{list}");
    let usage = browser.page(&format!("{ROOT}/usage")).await;
    let (_, keys) = usage.split_once("By key").unwrap();
    assert!(keys.find("<bdi>used").unwrap() < keys.find("<bdi>refused").unwrap(), "{keys}");
    let (_, row) = keys.split_once("<bdi>refused").unwrap();
    assert!(row.split_once("</tr>").unwrap().0.contains(r#"value="0""#), "{row}");
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
    let sent = [("name", "Web"), ("environments", "qa")];
    let review = browser.post(&own, &sent).await;
    assert_eq!(review.status, 200, "{}", review.text);
    assert!(review.text.contains("<del><bdi>prd</bdi></del>"), "an environment ends: {}", review.text);
    let stored = async || server.admin().get("/v1/orgs/default/projects/web").await.json();
    assert_eq!(stored().await["environments"], json!(["prd", "qa"]), "nothing has happened yet");
    let changed = browser.post(&own, &[&sent[..], &[("reviewed", "yes")]].concat()).await;
    assert_eq!(changed.status, 303, "{}", changed.text);
    assert_eq!(
        server.admin().get("/v1/orgs/default/projects/web").await.json()["environments"],
        json!(["qa"])
    );
    assert_eq!(browser.post(&own, &[("name", "The web"), ("environments", "qa")]).await.status, 303);
    assert!(browser.page(&format!("{own}/delete")).await.contains("You cannot undo this."));
    for wrong in ["", "Web", "default"] {
        let kept = browser.post(&format!("{own}/delete"), &[("name", wrong)]).await;
        assert_eq!(kept.status, 400, "{wrong}: {}", kept.text);
    }
    assert_eq!(browser.post(&format!("{own}/delete"), &[("name", "web")]).await.status, 303);
    assert_eq!(browser.get(&own).await.status, 404);
    let kept = browser.post(&format!("{projects}/default/delete"), &[("name", "default")]).await;
    assert_eq!(kept.status, 409, "{}", kept.text);
}

async fn the_next_signing_key_is_published(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let path = "/console/signing-keys".to_owned();
    assert_eq!(browser.post(&path, &[]).await.header("location"), path);
    let page = browser.page(&path).await;
    assert_eq!(page.matches("/withdraw\"").count(), 2, "{page}");
    assert_eq!(browser.post(&path, &[]).await.status, 409, "the next one waits already");
    let keys = server.admin().get("/v1/signing-keys").await.json();
    let kid = keys["data"][1]["kid"].as_str().unwrap();
    let (_, key) = server.key(&["read:*"]).await;
    let token = server.client().access_token(&key, "").await;
    server.client().bearer(&server.admin_key).get("/v1/self").await.done(200);
    server.flush().await;
    let own = format!("{path}/{kid}/withdraw");
    let asked = browser.page(&own).await;
    assert!(asked.contains("keys of 1 organization got 1 token."), "{asked}");
    for (typed, understood, said) in [
        ("", true, "This does not match the key’s ID"),
        (&kid[..7], true, "This does not match the key’s ID"),
        ("AAAAAAAA", true, "This does not match the key’s ID"),
        (&kid[..8], false, "Confirm with the checkbox as well"),
    ] {
        let fields = [("kid", typed), ("understood", "yes")];
        let refused = browser.post(&own, &fields[..1 + usize::from(understood)]).await;
        assert_eq!(refused.status, 400, "{typed}");
        assert!(refused.text.contains(said), "{}", refused.text);
        assert!(refused.text.contains(&format!(r#"value="{typed}""#)), "{}", refused.text);
    }
    let introspect = async || {
        let form = format!("token={token}");
        server.client().bearer(&server.admin_key).post_form("/oauth/introspect", &form).await.json()
    };
    assert_eq!(introspect().await["active"], true);
    let fields = [("kid", &kid[..8]), ("understood", "yes")];
    assert_eq!(browser.post(&own, &fields).await.header("location"), path);
    assert_eq!(introspect().await["active"], false);
    assert!(browser.page(&path).await.contains("Withdrawn"));
    assert_eq!(browser.get(&own).await.status, 404, "once");
}
