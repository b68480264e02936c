//! Members who have signed in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger::domain::audit::{Actor, Who};
use claviger::domain::member::ProviderIdentity;
use claviger::domain::person::{ConsoleSessionId, MemberId};
use claviger::store::{ConsoleSession, SessionHolder};
use claviger::use_cases::management::members::InvitationCode;
use serde_json::json;

use super::browser::Browser;
use crate::support::Server;

/// Somebody who has signed in, and the browser in which.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) browser: Browser,
}

/// An active member with an open session, as the callback of a provider leaves them behind. A developer has the project
/// `default`.
pub(crate) async fn person(server: &Server, name: &str, role: &str) -> Person {
    person_of(server, "default", name, (role, "default")).await
}

/// The same in another organization. A developer has this project.
pub(super) async fn person_of(
    server: &Server,
    org: &str,
    name: &str,
    (role, project): (&str, &str),
) -> Person {
    let mut body = json!({ "email": format!("{name}@example.com"), "role": role });
    if role == "developer" {
        body["projects"] = json!([project]);
    }
    let list = if role == "operator" { "/v1/members".to_owned() } else { format!("/v1/orgs/{org}/members") };
    let invited = server.admin().post_json(&list, &body).await.done(201);
    let link = invited["invitation_url"].as_str().unwrap();
    let code: InvitationCode = link.split_once('#').unwrap().1.parse().unwrap();
    let id = invited["id"].as_str().unwrap().to_owned();
    let (store, now) = (&server.node.records.store, server.clock.now());
    let mut write = store.write(now, &Actor::server(Who::Schedule)).await.unwrap();
    let identity =
        ProviderIdentity { issuer: "https://sso.example.com".into(), subject: format!("{name} of {org}") };
    assert!(write.accept_invitation(&code.digest(), &identity, name).await.unwrap());
    write.commit().await.unwrap();
    Person { browser: session(server, &id).await, id }
}

/// A session of this member in a browser of its own.
pub(super) async fn session(server: &Server, member: &str) -> Browser {
    let (store, now) = (&server.node.records.store, server.clock.now());
    let secret: [u8; 32] = server.node.records.entropy.bytes().unwrap();
    let digest = URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, &secret));
    let member: MemberId = member.parse().unwrap();
    let session = ConsoleSession {
        id: ConsoleSessionId::generate(&server.node.records.entropy).unwrap(),
        holder: SessionHolder::Member(member),
        authenticated_at: Some(now),
        address: None,
        user_agent: Some("A browser".into()),
        created_at: now,
        last_seen_at: now,
    };
    let mut write = store.write(now, &Actor::server(Who::Schedule)).await.unwrap();
    write.insert_console_session(&digest, &session).await.unwrap();
    write.commit().await.unwrap();
    let marked = server.node.master_keys.marked("console session", &URL_SAFE_NO_PAD.encode(secret));
    let mut browser = Browser::at(server.client(), server.address());
    browser.cookie = Some(format!("claviger={}", *marked));
    browser
}
