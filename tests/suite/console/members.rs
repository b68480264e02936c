//! Members in the console: what each role sees and may do, how a change or a removal reaches an open session, and the
//! pages about members themselves.

use serde_json::{Value, json};

use super::browser::{Browser, hidden};
use super::people::{person, session};
use crate::support::{Backend, Server, on_both};

on_both!(
    each_role_sees_and_does_what_it_may,
    a_change_of_role_acts_at_the_next_request,
    whoever_is_removed_is_out_at_once,
    the_trail_names_the_person,
    nobody_raises_themselves,
    an_invitation_is_made_on_a_page,
    projects_are_ticked_by_name,
    an_owner_is_named_to_those_who_may_read_members,
    a_member_is_changed_and_removed_with_their_keys,
    nobody_overwrites_what_somebody_else_changed,
    tenants_see_an_operator,
    everybody_sees_and_ends_their_own_sessions,
);

const MEMBERS: &str = "/v1/orgs/default/members";
const KEYS: &str = "/console/orgs/default/keys";

async fn status(browser: &Browser, path: &str) -> u16 {
    browser.get(path).await.status
}

async fn each_role_sees_and_does_what_it_may(backend: Backend) {
    let server = Server::start(backend).await;
    server.key_from(json!({ "name": "some key", "preset": "query_only" })).await;
    let here = "/console/orgs/default";
    for (role, allowed, refused) in [
        (
            "owner",
            &["/keys", "/keys/new", "/usage", "/audit", "/projects", "/issuers", "/members"][..],
            &[][..],
        ),
        ("admin", &["/keys", "/keys/new", "/usage", "/audit", "/projects", "/issuers"], &[]),
        ("developer", &["/keys", "/keys/new", "/projects"], &["/usage", "/audit"]),
        ("auditor", &["/keys", "/usage", "/audit", "/projects", "/issuers", "/members"], &[]),
    ] {
        let person = person(&server, role, role).await;
        for page in allowed {
            assert_eq!(status(&person.browser, &format!("{here}{page}")).await, 200, "{role} {page}");
        }
        for page in refused {
            assert_eq!(status(&person.browser, &format!("{here}{page}")).await, 403, "{role} {page}");
        }
        for page in ["/console/audit", "/console/signing-keys"] {
            assert_eq!(status(&person.browser, page).await, 403, "{role} {page}");
        }
        let list = person.browser.page(KEYS).await;
        assert!(list.contains("some key"), "{role}: {list}");
        assert_eq!(list.contains("/default/members\""), ["owner", "auditor"].contains(&role), "{role}");
        assert_eq!(list.contains("/keys/new"), role != "auditor", "{role}");
    }
    let operator = person(&server, "op", "operator").await;
    for page in ["/console/audit", "/console/signing-keys", "/console/members", "/console/orgs", KEYS] {
        assert_eq!(status(&operator.browser, page).await, 200, "{page}");
    }
}

async fn a_change_of_role_acts_at_the_next_request(backend: Backend) {
    let server = Server::start(backend).await;
    let person = person(&server, "ada", "admin").await;
    assert_eq!(status(&person.browser, "/console/orgs/default/audit").await, 200);
    let less = json!({ "role": "developer", "projects": ["default"] });
    server.admin().patch(&format!("{MEMBERS}/{}", person.id), &less).await.done(200);
    assert_eq!(status(&person.browser, "/console/orgs/default/audit").await, 403);
    assert_eq!(status(&person.browser, KEYS).await, 200);
}

async fn whoever_is_removed_is_out_at_once(backend: Backend) {
    let server = Server::start(backend).await;
    let person = person(&server, "ada", "admin").await;
    assert_eq!(server.admin().delete(&format!("{MEMBERS}/{}", person.id)).await.status, 204);
    assert_eq!(status(&person.browser, KEYS).await, 303);
    assert_eq!(server.database.number("SELECT COUNT(*) FROM console_sessions").await, 0);
}

async fn the_trail_names_the_person(backend: Backend) {
    let server = Server::start(backend).await;
    let (key, _) = server.key(&["read:*"]).await;
    let person = person(&server, "ada", "admin").await;
    let revoke = format!("{KEYS}/{key}/revoke");
    assert_eq!(person.browser.post(&revoke, &[("name", &key)]).await.status, 303);
    let events = server.admin().get("/v1/orgs/default/audit?action=key.revoke").await.done(200);
    let event = &events["data"][0];
    assert_eq!((&event["actor"], &event["actor_name"]), (&json!(person.id), &json!("ada")));
}

async fn nobody_raises_themselves(backend: Backend) {
    let server = Server::start(backend).await;
    let before = server.admin().get("/v1/members").await.done(200);
    for role in ["admin", "developer", "auditor"] {
        let person = person(&server, role, role).await;
        let own = format!("/console/orgs/default/members/{}", person.id);
        let form = [("name", "x"), ("role", "owner"), ("projects", "")];
        assert_eq!(person.browser.post(&own, &form).await.status, 403, "{role}");
        let invitation = [("email", "other@example.com"), ("role", "owner")];
        assert_eq!(
            person.browser.post("/console/orgs/default/members", &invitation).await.status,
            403,
            "{role}"
        );
        let invitation = [("email", "other@example.com"), ("role", "operator")];
        assert_eq!(person.browser.post("/console/members", &invitation).await.status, 403, "{role}");
    }
    let owner = person(&server, "owner", "owner").await;
    let own = format!("/console/orgs/default/members/{}", owner.id);
    let up = [("name", "x"), ("role", "operator")];
    assert_eq!(owner.browser.post(&own, &up).await.status, 400);
    let down = [("name", "x"), ("role", "auditor")];
    let last = owner.browser.post(&own, &down).await;
    assert_eq!(last.status, 409);
    assert!(last.text.contains("last owner"), "{}", last.text);
    assert_eq!(owner.browser.post(&format!("{own}/remove"), &[]).await.status, 409);
    assert_eq!(server.admin().get("/v1/members").await.done(200), before);
    let full = [
        ("name", "x"),
        ("project", "default"),
        ("environment", "prd"),
        ("ends", "never"),
        ("access", "full_access"),
    ];
    let made = owner.browser.post("/console/orgs/default/keys/new", &full).await;
    assert!(made.status != 500, "{}", made.text);
}

async fn an_invitation_is_made_on_a_page(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let list = "/console/orgs/default/members";
    assert!(browser.page(list).await.contains("Invite a member"));
    let form =
        [("email", "ada@example.com"), ("name", "<b>Ada"), ("role", "developer"), ("projects", "default, ")];
    let made = browser.post(list, &form).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert!(
        made.text.contains("/console/invitation#") && made.text.contains("&#60;b&#62;Ada"),
        "{}",
        made.text
    );
    let again = browser.post(list, &form).await;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("member already") && again.text.contains("value=\"ada@example.com\""));
    let shown = browser.page(list).await;
    assert!(shown.contains("ada@example.com") && !shown.contains("invitation#"), "{shown}");
    let id = server.admin().get(MEMBERS).await.done(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let renewed = browser.post(&format!("{list}/{id}/invitation"), &[]).await;
    assert!(renewed.text.contains("/console/invitation#"), "{}", renewed.text);
    let bad = browser.post(list, &[("email", "nobody"), ("role", "owner")]).await;
    assert_eq!(bad.status, 400, "{}", bad.text);
}

async fn projects_are_ticked_by_name(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let projects = "/v1/orgs/default/projects";
    server.admin().post_json(projects, &json!({ "id": "web", "name": "<Web>" })).await.done(201);
    let list = "/console/orgs/default/members";
    let page = browser.page(list).await;
    let field = |id: &str, is_ticked: bool| {
        let checked = if is_ticked { " checked" } else { "" };
        format!(r#"name="project" value="{id}"{checked}>"#)
    };
    assert!(page.contains(&field("web", false)) && page.contains(&field("default", false)), "{page}");
    assert!(page.contains("&#60;Web&#62;") && !page.contains(r#"name="projects""#), "{page}");
    let email = ("email", "ada@example.com");
    let ticked = [email, ("role", "developer"), ("project", "web"), ("project", "default")];
    assert_eq!(browser.post(list, &ticked).await.status, 200);
    let member = server.admin().get(MEMBERS).await.done(200)["data"][0].clone();
    assert_eq!(member["projects"], json!(["default", "web"]));
    let own = format!("{list}/{}", member["id"].as_str().unwrap());
    let page = browser.page(&own).await;
    assert!(page.contains(&field("web", true)) && page.contains(&field("default", true)), "{page}");
    let form = [("name", "Ada"), ("role", "developer"), ("project", "web")];
    assert_eq!(browser.post(&own, &form).await.status, 303);
    let changed = async || server.admin().get(&own.replacen("/console", "/v1", 1)).await.done(200);
    assert_eq!(changed().await["projects"], json!(["web"]));
    // What has no box is not lost: neither an id that is wrong, nor that of a project beyond the newest.
    let refused = browser.post(&own, &[&form[..], &[("projects", "none")]].concat()).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.contains(r#"name="projects" value="none""#), "{}", refused.text);
    assert!(refused.text.contains(&field("web", true)), "{}", refused.text);
    for at in 0..50 {
        server.admin().post_json(projects, &json!({ "id": format!("p-{at}") })).await.done(201);
    }
    let page = browser.page(&own).await;
    assert_eq!(page.matches(r#"name="project""#).count(), 50, "{page}");
    assert!(page.contains(r#"name="projects" value="web""#), "{page}");
    assert!(page.contains("The boxes show the newest projects"), "{page}");
    let more = [("name", "Ada"), ("role", "developer"), ("project", "p-7"), ("projects", "web, default")];
    assert_eq!(browser.post(&own, &more).await.status, 303);
    assert_eq!(changed().await["projects"], json!(["default", "p-7", "web"]));
    let auditor = [("name", "Ada"), ("role", "auditor"), ("project", "p-7")];
    assert_eq!(browser.post(&own, &auditor).await.status, 303);
    assert_eq!(changed().await["projects"], json!([]));
}

async fn an_owner_is_named_to_those_who_may_read_members(backend: Backend) {
    let server = Server::start(backend).await;
    let ada = person(&server, "ada", "admin").await.id;
    let owned = json!({ "name": "Owned", "preset": "query_only", "owner": ada });
    let (key, _) = server.key_from(owned).await;
    let team = json!({ "name": "Of a team", "preset": "query_only", "owner": "Payments <team>" });
    server.key_from(team).await;
    let (own, new) = (format!("{KEYS}/{key}"), format!("{KEYS}/new"));
    let edit = format!("{own}/edit");
    let admin = Browser::signed_in(&server, &server.admin_key).await;
    let link = format!(r#"<a href="/console/orgs/default/members/{ada}""#);
    let list = admin.page(KEYS).await;
    assert!(list.contains(&format!(r#"{link} title="{ada}"><bdi>ada</bdi></a>"#)), "{list}");
    assert!(list.contains("<bdi>Payments &#60;team&#62;</bdi>"), "{list}");
    assert!(list.contains(&format!(r#"<option value="{ada}">ada (ada@example.com)</option>"#)), "{list}");
    let page = admin.page(&own).await;
    assert!(page.contains(&format!("{link}><bdi>ada</bdi></a>")), "{page}");
    // The filter takes a member and free text.
    let of_ada = format!("{KEYS}?owner={ada}");
    let found = admin.page(&of_ada).await;
    assert!(found.contains("Owned") && !found.contains("Of a team"), "{found}");
    assert!(found.contains("Owner <bdi>ada</bdi>"), "{found}");
    let found = admin.page(&format!("{KEYS}?owner=Payments%20%3Cteam%3E")).await;
    assert!(found.contains("Of a team") && !found.contains("Owned</bdi>"), "{found}");
    // A member is chosen by name, or somebody else is typed.
    let page = admin.page(&edit).await;
    let chosen = format!(r#"<option value="{ada}" selected>ada (ada@example.com)</option>"#);
    assert!(page.contains(&chosen) && page.contains(r#"id="owner" name="owner""#), "{page}");
    assert!(!page.contains(&format!(r#"name="owner" value="{ada}""#)), "{page}");
    let fields = [("name", "Owned"), ("owner-member", ""), ("owner", "Billing"), ("access", "query_only")];
    let preview = admin.post(&edit, &[&fields[..], &[("ends", "keep")]].concat()).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    let review = format!("<bdi>ada</bdi> <code>{ada}</code>");
    assert!(
        preview.text.contains(&review) && preview.text.contains("<bdi>Billing</bdi>"),
        "{}",
        preview.text
    );
    let place = [("project", "default"), ("environment", "prd"), ("access", "query_only"), ("ends", "never")];
    let fields = [("name", "Made"), ("owner-member", &*ada), ("owner", "left over")];
    let fields = [&place[..], &fields].concat();
    let summary = admin.post(&format!("{KEYS}/summary"), &fields).await.text;
    assert!(summary.contains("owned by <bdi>ada</bdi>"), "{summary}");
    assert_eq!(admin.post(&new, &fields).await.status, 200);
    let made = server.admin().get("/v1/orgs/default/keys?q=Made").await.done(200);
    assert_eq!(made["data"][0]["owner"], json!(ada));
    // Whoever reads keys and no members sees the id alone: no name, no address, and no page.
    let scopes = ["read:claviger/orgs/default/**", "write:claviger/orgs/default/projects/*/keys/*"];
    let (_, reader) = server.key(&scopes).await;
    let reader = Browser::signed_in(&server, &reader).await;
    let says_nothing = async || {
        for path in [KEYS, &own, &edit, &new, &of_ada] {
            let page = reader.page(path).await;
            for secret in ["ada@example.com", "<bdi>ada</bdi>", ">ada", "/members/", "no longer a member"] {
                assert!(!page.contains(secret), "{path} {secret}: {page}");
            }
            assert!(page.contains(&ada) || path == new, "{path}: {page}");
        }
    };
    says_nothing().await;
    // The key keeps the id of somebody who was removed.
    assert_eq!(server.admin().delete(&format!("{MEMBERS}/{ada}")).await.status, 204);
    for path in [KEYS, &own] {
        let page = admin.page(path).await;
        assert!(page.contains(&ada) && page.contains("no longer a member"), "{path}: {page}");
        assert!(!page.contains("<bdi>ada</bdi>"), "{path}: {page}");
    }
    assert!(admin.page(&edit).await.contains(&format!(r#"name="owner" value="{ada}""#)));
    says_nothing().await;
    let kept = server.admin().get(&own.replacen("/console", "/v1", 1)).await.done(200);
    assert_eq!(kept["owner"], json!(ada));
}

async fn a_member_is_changed_and_removed_with_their_keys(backend: Backend) {
    let server = Server::start(backend).await;
    let ada = person(&server, "ada", "admin").await;
    let (key, _) = server.key_from(json!({ "name": "of ada", "preset": "query_only" })).await;
    let (kept, _) = server.key_from(json!({ "name": "kept", "preset": "query_only" })).await;
    for key in [&key, &kept] {
        let sql = format!("UPDATE api_keys SET created_by = '{}' WHERE id = '{key}'", ada.id);
        server.database.execute(&sql).await;
    }
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = format!("/console/orgs/default/members/{}", ada.id);
    let shown = browser.page(&page).await;
    assert!(shown.contains("ada@example.com") && shown.contains("of ada"), "{shown}");
    let base = hidden(&shown, "base").replace("&#34;", "\"");
    let fields = [("name", "Ada"), ("role", "auditor"), ("projects", "left over"), ("base", &base)];
    let changed = browser.post(&page, &fields).await;
    assert!(browser.followed(&changed).await.contains("Member updated."));
    let asked = browser.page(&format!("{page}/remove")).await;
    assert!(asked.contains("of ada") && asked.contains("kept"), "{asked}");
    let ticked = format!("default/{key}");
    let removed = browser.post(&format!("{page}/remove"), &[("revoke", &ticked)]).await;
    assert!(browser.followed(&removed).await.contains("Member removed."));
    let status = async |id: &str| -> Value {
        server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.done(200)["status"].clone()
    };
    assert_eq!((status(&key).await, status(&kept).await), (json!("revoked"), json!("active")));
}

async fn nobody_overwrites_what_somebody_else_changed(backend: Backend) {
    let server = Server::start(backend).await;
    let ada = person(&server, "ada", "admin").await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = format!("/console/orgs/default/members/{}", ada.id);
    let base =
        |page: &str| hidden(page, "base").replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">");
    let began = base(&browser.page(&page).await);
    let member = format!("{MEMBERS}/{}", ada.id);
    let raised = json!({ "role": "developer", "projects": ["default"], "name": "Ada <L>" });
    server.admin().patch(&member, &raised).await.done(200);
    let fields = [("name", "Typed"), ("role", "auditor"), ("projects", "")];
    let overtaken = browser.post(&page, &[&fields[..], &[("base", &*began)]].concat()).await;
    assert_eq!(overtaken.status, 412, "{}", overtaken.text);
    for text in [
        "Changed by someone else.",
        "<del><bdi>admin</bdi></del>",
        "<ins><bdi>developer</bdi></ins>",
        "<ins><bdi>Ada &#60;L&#62;</bdi></ins>",
        r#"value="Typed""#,
    ] {
        assert!(overtaken.text.contains(text), "{text}: {}", overtaken.text);
    }
    let read = async || server.admin().get(&member).await.done(200);
    assert_eq!(
        (read().await["role"].clone(), read().await["name"].clone()),
        (json!("developer"), json!("Ada <L>"))
    );
    let seen = base(&overtaken.text);
    let resumed = [&fields[..], &[("base", &*began), ("resume", "yes")]].concat();
    let resumed = browser.post(&page, &resumed).await;
    assert_eq!((resumed.status, base(&resumed.text)), (200, began), "what was kept stays as old as it is");
    let changed = browser.post(&page, &[&fields[..], &[("base", &*seen)]].concat()).await;
    assert_eq!(changed.status, 303, "{}", changed.text);
    assert_eq!(
        (read().await["role"].clone(), read().await["name"].clone()),
        (json!("auditor"), json!("Typed"))
    );
    // That they sign in, or get a new link, overtakes nobody.
    let now = base(&browser.page(&page).await);
    session(&server, &ada.id).await.page(KEYS).await;
    let same = [("name", "Again"), ("role", "auditor"), ("base", &*now)];
    assert_eq!(browser.post(&page, &same).await.status, 303);
}

async fn tenants_see_an_operator(backend: Backend) {
    let server = Server::start(backend).await;
    let (key, _) = server.key(&["read:*"]).await;
    let operator = person(&server, "secret-name", "operator").await;
    let revoke = format!("{KEYS}/{key}/revoke");
    assert_eq!(operator.browser.post(&revoke, &[("name", &key)]).await.status, 303);
    let (_, auditor) = server.key(&["read:claviger/orgs/default/**"]).await;
    let trail = server.client().bearer(&auditor).get("/v1/orgs/default/audit?action=key.revoke").await;
    assert_eq!(trail.json()["data"][0]["actor"], "operator");
    assert!(!trail.text.contains("secret-name") && !trail.text.contains(&operator.id), "{}", trail.text);
    let known = server.admin().get("/v1/orgs/default/audit?action=key.revoke").await;
    assert!(known.text.contains(&operator.id), "{}", known.text);
    let held = server.admin().get(&format!("/v1/members/{}/keys", operator.id)).await.done(200);
    assert_eq!(held["data"], json!([]), "revoking shows no secret");
}

async fn everybody_sees_and_ends_their_own_sessions(backend: Backend) {
    let server = Server::start(backend).await;
    let ada = person(&server, "ada", "auditor").await;
    let other = session(&server, &ada.id).await;
    let bob = person(&server, "bob", "auditor").await;
    let page = ada.browser.page("/console/sessions").await;
    assert_eq!(page.matches("A browser</span></th>").count(), 2, "{page}");
    let id = super::browser::hidden(&page, "session");
    bob.browser.post("/console/sessions", &[("session", &id)]).await;
    assert_eq!(status(&other, KEYS).await, 200, "somebody else's session goes on");
    let ended = ada.browser.post("/console/sessions", &[("session", &id)]).await;
    assert!(ada.browser.followed(&ended).await.contains("Session ended."));
    assert_eq!(status(&other, KEYS).await, 303);
    assert_eq!(status(&ada.browser, KEYS).await, 200);
    let with_key = Browser::signed_in(&server, &server.admin_key).await;
    assert!(with_key.page("/console/sessions").await.contains("this one"));
}
