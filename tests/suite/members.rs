//! Members: invitations, roles, and how they end.

use claviger::domain::audit::{Actor, Who};
use claviger::domain::member::{Member, ProviderIdentity};
use claviger::domain::names::OrganizationId;
use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};

on_both!(
    an_invitation_shows_its_link_once,
    an_invitation_is_accepted_once_and_in_time,
    another_link_ends_the_first,
    an_address_is_invited_once,
    a_role_fits_its_place,
    a_change_needs_the_rights_of_both_roles,
    the_last_owner_stays,
    whoever_is_removed_leaves_only_a_name,
    members_are_beyond_scopes_for_the_organization,
    the_trail_names_no_address,
    keys_that_a_member_has_seen_are_listed,
    a_deleted_organization_has_no_members,
);

const MEMBERS: &str = "/v1/orgs/default/members";

fn invitation(name: &str, role: &str) -> Value {
    json!({ "email": format!("{name}@example.com"), "role": role })
}

fn identity(subject: &str) -> ProviderIdentity {
    ProviderIdentity { issuer: "https://sso.example.com".into(), subject: subject.into() }
}

/// The digest of the code in a link.
fn digest(invited: &Value) -> String {
    let link = invited["invitation_url"].as_str().expect("a link");
    let code = link.split_once('#').expect("a code").1;
    code.parse::<claviger::use_cases::management::members::InvitationCode>().expect("a code").digest()
}

/// Signs somebody in for the first time, as the callback of a provider does.
async fn accept(server: &Server, invited: &Value, subject: &str) -> bool {
    let store = &server.node.records.store;
    let mut write = store.write(server.clock.now(), &Actor::server(Who::Schedule)).await.unwrap();
    let is_accepted = write.accept_invitation(&digest(invited), &identity(subject), subject).await.unwrap();
    write.commit().await.unwrap();
    is_accepted
}

/// An active member of the default organization.
async fn member(server: &Server, name: &str, role: &str) -> String {
    let mut body = invitation(name, role);
    if role == "developer" {
        body["projects"] = json!(["default"]);
    }
    let invited = server.admin().post_json(MEMBERS, &body).await.done(201);
    assert!(accept(server, &invited, name).await);
    format!("{MEMBERS}/{}", invited["id"].as_str().unwrap())
}

async fn an_invitation_shows_its_link_once(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin().with("idempotency-key", "once");
    let invited = admin.post_json(MEMBERS, &invitation("ada", "admin")).await.done(201);
    assert_eq!(invited["status"], "invited");
    assert_eq!((&invited["name"], &invited["provider"]), (&json!("ada"), &json!("sso")));
    assert!(invited["invitation_url"].as_str().unwrap().starts_with(&server.url("/console/invitation#")));
    let again = admin.post_json(MEMBERS, &invitation("ada", "admin")).await.done(201);
    assert_eq!((&again["id"], again.get("invitation_url")), (&invited["id"], None));
    let path = format!("{MEMBERS}/{}", invited["id"].as_str().unwrap());
    assert_eq!(server.admin().get(&path).await.done(200).get("invitation_url"), None);
    let tried = server.admin().post_json(&format!("{MEMBERS}?dry_run=true"), &invitation("b", "admin")).await;
    assert_eq!(tried.done(200), json!({ "dry_run": true }));
    assert_eq!(server.admin().get(MEMBERS).await.done(200)["data"].as_array().unwrap().len(), 1);
    let dump = server.database.dump().await.join("\n");
    let code = invited["invitation_url"].as_str().unwrap().split_once('#').unwrap().1;
    assert!(!dump.contains(code), "the store has only the digest");
}

async fn an_invitation_is_accepted_once_and_in_time(backend: Backend) {
    let server = Server::start(backend).await;
    let invited = server.admin().post_json(MEMBERS, &invitation("ada", "owner")).await.done(201);
    assert!(accept(&server, &invited, "ada").await);
    assert!(!accept(&server, &invited, "eve").await, "once");
    let late = server.admin().post_json(MEMBERS, &invitation("bob", "auditor")).await.done(201);
    server.advance(7 * 86_400).await;
    assert!(!accept(&server, &late, "bob").await, "in time");
    let path = format!("{MEMBERS}/{}", late["id"].as_str().unwrap());
    assert_eq!(server.admin().get(&path).await.done(200)["status"], "expired");
    let store = &server.node.records.store;
    let here: Vec<Member> = store.memberships(&identity("ada")).await.unwrap();
    assert_eq!(here.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["ada"]);
    let path = format!("{MEMBERS}/{}/invitation", here[0].id);
    server.admin().post_json(&path, &json!({})).await.refused(409, "conflict");
}

async fn another_link_ends_the_first(backend: Backend) {
    let server = Server::start(backend).await;
    let first = server.admin().post_json(MEMBERS, &invitation("ada", "owner")).await.done(201);
    let path = format!("{MEMBERS}/{}/invitation", first["id"].as_str().unwrap());
    server.admin().post_json(&format!("{path}?dry_run=true"), &json!({})).await.done(200);
    let second = server.admin().post_json(&path, &json!({})).await.done(200);
    assert!(!accept(&server, &first, "ada").await);
    assert!(accept(&server, &second, "ada").await);
}

async fn an_address_is_invited_once(backend: Backend) {
    let server = Server::start(backend).await;
    let first = server.admin().post_json(MEMBERS, &invitation("ada", "admin")).await.done(201);
    for address in ["ada@example.com", "ADA@Example.com"] {
        let body = json!({ "email": address, "role": "owner" });
        server.admin().post_json(MEMBERS, &body).await.refused(409, "already_member");
    }
    server.admin().post_json("/v1/members", &invitation("ada", "operator")).await.done(201);
    let path = format!("{MEMBERS}/{}", first["id"].as_str().unwrap());
    assert_eq!(server.admin().delete(&path).await.status, 204);
    server.admin().post_json(MEMBERS, &invitation("ada", "admin")).await.done(201);
}

async fn a_role_fits_its_place(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let invalid = "invalid_request";
    admin.post_json(MEMBERS, &invitation("a", "operator")).await.refused(400, invalid);
    admin.post_json("/v1/members", &invitation("a", "owner")).await.refused(400, invalid);
    admin.post_json(MEMBERS, &invitation("a", "developer")).await.refused(400, invalid);
    for (role, projects) in [("admin", json!(["default"])), ("developer", json!(["nowhere"]))] {
        let body = json!({ "email": "a@example.com", "role": role, "projects": projects });
        admin.post_json(MEMBERS, &body).await.refused(400, invalid);
    }
    for bad in [
        json!({ "email": "a", "role": "admin" }),
        json!({ "email": "a@b", "role": "king" }),
        json!({ "email": "a@b", "role": "admin", "provider": "elsewhere" }),
        json!({ "email": "a@b", "role": "admin", "name": "" }),
        json!({ "email": "a@b", "role": "admin", "status": "active" }),
    ] {
        admin.post_json(MEMBERS, &bad).await.refused(400, invalid);
    }
    let path = member(&server, "ada", "developer").await;
    admin.patch(&path, &json!({ "projects": [] })).await.refused(400, invalid);
    let promoted = admin.patch(&path, &json!({ "role": "admin" })).await.done(200);
    assert_eq!((&promoted["role"], &promoted["projects"]), (&json!("admin"), &json!([])));
}

async fn a_change_needs_the_rights_of_both_roles(backend: Backend) {
    let server = Server::start(backend).await;
    let auditor = member(&server, "ada", "auditor").await;
    let admin = member(&server, "bob", "admin").await;
    let writes = "write:claviger/members/default/*";
    let reads =
        ["read:claviger/orgs/default", "read:claviger/orgs/default/**", "read:claviger/members/default/**"];
    let (_, key) = server.key(&[&[writes][..], &reads].concat()).await;
    let client = server.client().bearer(&key);
    let forbidden = "forbidden";
    client.patch(&auditor, &json!({ "role": "admin" })).await.refused(403, forbidden);
    client.patch(&admin, &json!({ "role": "auditor" })).await.refused(403, forbidden);
    client.post_json(MEMBERS, &invitation("eve", "owner")).await.refused(403, forbidden);
    client.post_json(MEMBERS, &invitation("eve", "auditor")).await.done(201);
    client.patch(&admin, &json!({ "name": "Robert" })).await.done(200);
    assert_eq!(client.delete(&admin).await.status, 204, "whoever may write may take away");
}

async fn the_last_owner_stays(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let owner = member(&server, "ada", "owner").await;
    admin.post_json(MEMBERS, &invitation("invited", "owner")).await.done(201);
    admin.delete(&owner).await.refused(409, "last_owner");
    admin.patch(&owner, &json!({ "role": "auditor" })).await.refused(409, "last_owner");
    member(&server, "bob", "owner").await;
    admin.patch(&owner, &json!({ "role": "auditor" })).await.done(200);
    assert_eq!(admin.delete(&owner).await.status, 204);
}

async fn whoever_is_removed_leaves_only_a_name(backend: Backend) {
    let server = Server::start(backend).await;
    let path = member(&server, "ada", "auditor").await;
    assert_eq!(server.admin().delete(&path).await.status, 204);
    server.admin().get(&path).await.refused(404, "not_found");
    server.admin().delete(&path).await.refused(404, "not_found");
    let rows = server.database.texts("SELECT name || email || email_folded FROM members").await;
    assert_eq!(rows, ["ada"]);
    let organization: OrganizationId = "default".parse().unwrap();
    let store = &server.node.records.store;
    let mut write = store.write(server.clock.now(), &Actor::server(Who::Schedule)).await.unwrap();
    let past = write.past_memberships(&identity("ada")).await.unwrap();
    assert_eq!(past.len(), 1);
    assert!(past[0].was_removed && past[0].organization == Some(organization));
    assert!(write.memberships(&identity("ada")).await.unwrap().is_empty());
}

async fn members_are_beyond_scopes_for_the_organization(backend: Backend) {
    let server = Server::start(backend).await;
    let path = member(&server, "ada", "auditor").await;
    let (_, key) = server.key(&["*:claviger/orgs/**"]).await;
    let client = server.client().bearer(&key);
    assert_eq!(client.get(MEMBERS).await.done(200)["data"], json!([]));
    client.get(&path).await.refused(403, "forbidden");
    client.get("/v1/orgs/default/audit?action=member.invite").await.done(200);
}

async fn the_trail_names_no_address(backend: Backend) {
    let server = Server::start(backend).await;
    let path = member(&server, "ada.lovelace", "auditor").await;
    server.admin().patch(&path, &json!({ "name": "Ada" })).await.done(200);
    let trail = server.admin().get("/v1/orgs/default/audit").await;
    assert!(trail.text.contains("member.change") && trail.text.contains("member.invite"), "{}", trail.text);
    assert!(!trail.text.contains("@example.com"), "{}", trail.text);
}

async fn keys_that_a_member_has_seen_are_listed(backend: Backend) {
    let server = Server::start(backend).await;
    let path = member(&server, "ada", "admin").await;
    let id = path.rsplit_once('/').unwrap().1;
    let (created, _) = server.key(&["read:*"]).await;
    let (rotated, _) = server.key(&["read:*"]).await;
    server.key(&["read:*"]).await;
    let sql = format!("UPDATE api_keys SET created_by = '{id}' WHERE id = '{created}'");
    server.database.execute(&sql).await;
    let rotate = format!("/v1/orgs/default/keys/{rotated}/rotate");
    server.admin().post_json(&rotate, &json!({ "overlap_seconds": 60 })).await.done(201);
    let sql = format!("UPDATE audit_events SET actor = '{id}' WHERE action = 'key.rotate'");
    server.database.execute(&sql).await;
    let held = server.admin().get(&format!("{path}/keys")).await.done(200);
    let ids = |list: &Value| -> Vec<String> {
        list["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&held), [rotated.clone(), created.clone()]);
    let first = server.admin().get(&format!("{path}/keys?limit=1")).await.done(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.admin().get(&format!("{path}/keys?limit=1&cursor={cursor}")).await.done(200);
    assert_eq!([ids(&first), ids(&second)].concat(), [rotated, created]);
    let (_, reader) = server.key(&["read:claviger/members/**"]).await;
    let seen = server.client().bearer(&reader).get(&format!("{path}/keys")).await.done(200);
    assert_eq!(seen["data"], json!([]), "only keys that the caller may read");
}

async fn a_deleted_organization_has_no_members(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    server.admin().post_json("/v1/orgs/acme/members", &invitation("ada", "owner")).await.done(201);
    assert_eq!(server.admin().delete("/v1/orgs/acme").await.status, 204);
    let left =
        server.database.number("SELECT COUNT(*) FROM members WHERE removed_at IS NULL OR email <> ''").await;
    assert_eq!(left, 0);
}
