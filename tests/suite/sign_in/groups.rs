//! Groups at a provider make, change and end memberships.

use claviger::domain::member::GroupMapping;
use claviger::node::{GroupSettings, SignInSettings};
use serde_json::{Value, json};

use super::provider::Provider;
use super::{Scene, begun, refused, session, settings};
use crate::support::{Answer, Backend, Options, Server, on_both};

on_both!(
    groups_make_change_and_end_memberships,
    a_sign_in_that_changes_nothing_writes_nothing_more,
    a_membership_by_invitation_stays_as_it_is,
    the_last_owner_stays_whatever_the_groups_say,
    whom_somebody_removed_no_group_brings_back,
    names_of_groups_are_exact_and_of_their_provider,
    a_claim_that_says_nothing_changes_nothing,
    what_does_not_exist_has_no_effect,
    a_role_by_groups_is_not_changed_by_hand,
    a_place_has_a_thousand_members,
    a_member_may_have_no_address,
    a_group_makes_operators,
    without_mappings_memberships_by_groups_end,
);

/// Groups, the organizations that they are for (or the deployment), roles and projects.
type Rows<'r> = &'r [(&'r str, &'r str, &'r str, &'r [&'r str])];

const NOT_A_MEMBER: &str = "you are not a member here";

fn given(rows: Rows<'_>) -> GroupSettings {
    let mapping = |(group, organization, role, projects): &(&str, &str, &str, &[&str])| {
        let organization = (!organization.is_empty()).then(|| organization.parse().unwrap());
        let projects = projects.iter().map(|id| id.parse().unwrap()).collect();
        GroupMapping::new((*group).to_owned(), organization, role.parse().unwrap(), projects).unwrap()
    };
    GroupSettings { claim: "groups".into(), mappings: rows.iter().map(mapping).collect() }
}

/// A server whose provider `sso` has these groups. The provider `other` has none.
async fn scene(backend: Backend, rows: Rows<'_>) -> Scene {
    let (sso, other) = (Provider::start().await, Provider::start().await);
    let mut first = settings("sso", &sso);
    first.groups = Some(given(rows));
    let providers = vec![first, settings("other", &other)];
    let options = Options {
        sign_in_settings: SignInSettings { providers, ..SignInSettings::default() },
        ..Options::default()
    };
    Scene { server: Server::start_with(backend, options).await, sso, other }
}

impl Scene {
    /// Somebody signs in who is in these groups.
    async fn sign_in(&self, subject: &str, groups: &[&str]) -> Answer {
        // Ten refusals in a minute would have to wait.
        self.server.advance(7).await;
        // The wanted page says as which of several members.
        let next = "next=%2Fconsole%2Forgs%2Fdefault%2Fkeys";
        let begun = begun(&self.browser().post_form("/console/sign-in/with/sso", next).await);
        self.answer(&begun, &json!({ "sub": subject, "name": format!("Person {subject}"), "groups": groups }))
            .await
    }

    async fn signs_in(&self, subject: &str, groups: &[&str]) -> String {
        let answer = self.sign_in(subject, groups).await;
        session(&answer).unwrap_or_else(|| panic!("{groups:?}: {} {}", answer.status, answer.text))
    }

    async fn rows(&self) -> Vec<String> {
        let select = "SELECT COALESCE(organization, '-') || ' ' || subject || ' ' || role || ' ' || source
                || CASE WHEN projects = '' THEN '' ELSE ' ' || projects END
                || CASE WHEN removed_at IS NULL THEN '' WHEN left_at IS NULL THEN ' removed' ELSE ' left' END
            FROM members WHERE subject IS NOT NULL ORDER BY 1";
        self.server.database.texts(select).await
    }

    async fn events(&self) -> Vec<Value> {
        let trail = self.server.admin().get("/v1/orgs/default/audit?action=member.*").await.done(200);
        let mut events = trail["data"].as_array().unwrap().clone();
        events.reverse();
        events
    }

    async fn path_of(&self, subject: &str) -> String {
        let select =
            format!("SELECT id FROM members WHERE subject = '{subject}' AND organization = 'default'");
        format!("/v1/orgs/default/members/{}", self.server.database.texts(&select).await[0])
    }

    async fn add_project(&self, organization: &str, project: &str) {
        let body = json!({ "id": project, "name": project });
        self.server.admin().post_json(&format!("/v1/orgs/{organization}/projects"), &body).await.done(201);
    }

    async fn add_organization(&self, id: &str) {
        self.server.admin().post_json("/v1/orgs", &json!({ "id": id, "name": id })).await.done(201);
    }
}

async fn groups_make_change_and_end_memberships(backend: Backend) {
    let rows: Rows<'_> = &[
        ("readers", "default", "auditor", &[]),
        ("web", "default", "developer", &["web", "default"]),
        ("docs", "default", "developer", &["docs"]),
        ("admins", "default", "admin", &[]),
        ("admins", "acme", "auditor", &[]),
    ];
    let scene = scene(backend, rows).await;
    scene.add_organization("acme").await;
    scene.add_project("default", "web").await;
    scene.add_project("default", "docs").await;
    refused(&scene.sign_in("1", &[]).await, NOT_A_MEMBER);
    refused(&scene.sign_in("1", &["staff"]).await, NOT_A_MEMBER);

    let cookie = scene.signs_in("1", &["readers"]).await;
    assert_eq!(scene.rows().await, ["default 1 auditor groups"]);
    let member = scene.server.admin().get(&scene.path_of("1").await).await.done(200);
    assert_eq!(
        (&member["source"], &member["name"], &member["email"], &member["status"]),
        (&json!("groups"), &json!("Person 1"), &json!("Ada@example.com"), &json!("active"))
    );
    assert_eq!(
        (&member["created_by"], &member["created_by_name"], &member["provider"]),
        (&json!("provider:sso"), &json!("SSO"), &json!("sso"))
    );
    let open = async |cookie: &str| {
        let browser = scene.server.client().with("cookie", cookie);
        browser.get("/console/orgs/default/usage").await.status
    };
    assert_eq!(open(&cookie).await, 200);

    scene.signs_in("1", &["readers", "web", "docs"]).await;
    assert_eq!(scene.rows().await, ["default 1 developer groups default docs web"]);
    assert_eq!(open(&cookie).await, 403, "the earlier session has the rights of the present role");
    let latest = scene.signs_in("1", &["docs", "admins"]).await;
    assert_eq!(scene.rows().await, ["acme 1 auditor groups", "default 1 admin groups"]);

    let path = scene.path_of("1").await;
    refused(&scene.sign_in("1", &[]).await, NOT_A_MEMBER);
    assert_eq!(scene.rows().await, ["acme 1 auditor groups left", "default 1 admin groups left"]);
    assert_eq!((open(&cookie).await, open(&latest).await), (303, 303), "sessions have ended");
    let mails = scene.server.database.texts("SELECT DISTINCT email || email_folded FROM members").await;
    assert_eq!(mails, [""]);

    let cookie = scene.signs_in("1", &["readers"]).await;
    assert_eq!(scene.rows().await, ["acme 1 auditor groups left", "default 1 auditor groups"]);
    assert_eq!(scene.path_of("1").await, path, "it is the same member");
    let generation = scene
        .server
        .database
        .number("SELECT generation FROM members WHERE role = 'auditor' AND removed_at IS NULL")
        .await;
    assert!(generation >= 1, "a restore must know that rights were taken away");

    let events = scene.events().await;
    let made: Vec<_> = events.iter().filter(|event| event["actor"] == "provider:sso").collect();
    let actions: Vec<_> = made.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["member.join", "member.change", "member.change", "member.leave", "member.join"]);
    for event in &made {
        assert_eq!((&event["actor_name"], &event["subject"]), (&json!("SSO"), &member["id"]), "{event}");
        assert!(!event["address"].is_null() && !event["request_id"].is_null(), "{event}");
    }
    assert_eq!(made[1]["after"]["role"], "developer");
    assert!(!format!("{events:?}").contains("example.com"), "{events:?}");
    let by_provider = scene.server.admin().get("/v1/orgs/default/audit?actor=provider:sso").await.done(200);
    assert_eq!(by_provider["data"].as_array().unwrap().len(), made.len());
    let page = scene.server.client().with("cookie", &cookie).get("/console/orgs/default/audit").await.text;
    assert!(page.contains("SSO") && page.contains("provider:sso"), "{page}");
}

async fn a_sign_in_that_changes_nothing_writes_nothing_more(backend: Backend) {
    let scene = scene(backend, &[("a", "default", "admin", &[]), ("b", "missing", "admin", &[])]).await;
    scene.signs_in("1", &["a", "b"]).await;
    let number =
        async || scene.server.database.number("SELECT value FROM sequences WHERE name = 'changes'").await;
    let before = number().await;
    scene.signs_in("1", &["b", "other", "a", "a"]).await;
    assert_eq!(number().await, before + 1, "the sign-in alone");
    let events = scene.events().await;
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["member.join", "member.sign_in", "member.sign_in"]);
}

async fn a_membership_by_invitation_stays_as_it_is(backend: Backend) {
    let scene = scene(backend, &[("owners", "default", "owner", &[]), ("a", "acme", "admin", &[])]).await;
    scene.add_organization("acme").await;
    let code = scene.invite("ada@example.com").await;
    let begun = begun(&scene.redeem(&code).await);
    let answer = scene.answer(&begun, &json!({ "groups": ["owners", "a"] })).await;
    assert!(session(&answer).is_some(), "{}", answer.text);
    assert_eq!(scene.rows().await, ["acme 1 admin groups", "default 1 admin invitation"]);
    for groups in [&["owners"][..], &[]] {
        scene.signs_in("1", groups).await;
        assert_eq!(scene.rows().await, ["acme 1 admin groups left", "default 1 admin invitation"]);
    }
    // Whoever is a member by a group needs no invitation.
    scene.signs_in("2", &["a"]).await;
    scene.signs_in("3", &["owners"]).await;
    let code = scene.invite("eve@example.com").await;
    let invited = self::begun(&scene.redeem(&code).await);
    let claims = json!({ "sub": "3", "email": "eve@example.com", "groups": ["owners"] });
    refused(&scene.answer(&invited, &claims).await, "You are a member here already");
}

async fn the_last_owner_stays_whatever_the_groups_say(backend: Backend) {
    let rows: Rows<'_> = &[("owners", "default", "owner", &[]), ("readers", "default", "auditor", &[])];
    let scene = scene(backend, rows).await;
    scene.signs_in("1", &["owners"]).await;
    for groups in [&["readers"][..], &[]] {
        let before = scene.events().await.len();
        let cookie = scene.signs_in("1", groups).await;
        assert_eq!(scene.rows().await, ["default 1 owner groups"], "{groups:?}");
        let browser = scene.server.client().with("cookie", &cookie);
        assert_eq!(browser.get("/console/orgs/default/members").await.status, 200);
        assert_eq!(scene.events().await.len(), before + 1, "only the sign-in");
    }
    scene.signs_in("2", &["owners"]).await;
    refused(&scene.sign_in("1", &[]).await, NOT_A_MEMBER);
    assert_eq!(scene.rows().await, ["default 1 owner groups left", "default 2 owner groups"]);
    scene.signs_in("2", &["readers"]).await;
    assert_eq!(scene.rows().await[1], "default 2 owner groups", "now this is the last one");
    scene.signs_in("1", &["owners"]).await;
    scene.signs_in("2", &["readers"]).await;
    assert_eq!(scene.rows().await, ["default 1 owner groups", "default 2 auditor groups"]);
}

async fn whom_somebody_removed_no_group_brings_back(backend: Backend) {
    let scene = scene(backend, &[("a", "default", "admin", &[]), ("a", "acme", "auditor", &[])]).await;
    let removed = "You were removed from here";
    scene.signs_in("1", &["a"]).await;
    assert_eq!(scene.server.admin().delete(&scene.path_of("1").await).await.status, 204);
    for groups in [&["a"][..], &["a", "b"]] {
        refused(&scene.sign_in("1", groups).await, removed);
    }
    // Leaving the group and coming back to it does not help.
    refused(&scene.sign_in("1", &[]).await, NOT_A_MEMBER);
    refused(&scene.sign_in("1", &["a"]).await, removed);
    assert_eq!(scene.rows().await, ["default 1 admin groups removed"]);
    // Another organization has not removed them.
    scene.add_organization("acme").await;
    scene.signs_in("1", &["a"]).await;
    assert_eq!(scene.rows().await, ["acme 1 auditor groups", "default 1 admin groups removed"]);

    let code = scene.invite("ada@example.com").await;
    let begun = begun(&scene.redeem(&code).await);
    assert!(session(&scene.answer(&begun, &json!({ "groups": ["a"] })).await).is_some());
    assert_eq!(scene.rows().await[1..], ["default 1 admin groups removed", "default 1 admin invitation"]);

    // Whoever left the groups by themselves, and was then removed as an invited member, stays out, too.
    scene.signs_in("2", &["a"]).await;
    scene.sign_in("2", &[]).await;
    scene
        .server
        .database
        .execute("UPDATE members SET left_at = NULL WHERE subject = '2' AND organization = 'default'")
        .await;
    scene.signs_in("2", &["a"]).await;
    assert!(scene.rows().await.contains(&"default 2 admin groups removed".to_owned()));
}

async fn names_of_groups_are_exact_and_of_their_provider(backend: Backend) {
    let scene = scene(backend, &[("Admins", "default", "admin", &[])]).await;
    for group in ["admins", "ADMINS", "Admins ", "/Admins", "Admin"] {
        refused(&scene.sign_in("1", &[group]).await, NOT_A_MEMBER);
    }
    scene.server.advance(60).await;
    scene.signs_in("1", &["Admins"]).await;
    // The other provider has people and groups with the same names.
    for groups in [json!(["Admins"]), json!([])] {
        scene.server.advance(7).await;
        let begun = scene.begin("other").await;
        let token = scene.other.token(&begun.nonce, scene.now(), &json!({ "groups": groups }));
        scene.other.says(token).await;
        let browser = scene.server.client().with("cookie", &begun.cookie);
        let path = format!("{}?code=c&state={}&iss={}", super::CALLBACK, begun.state, scene.other.url);
        refused(&browser.get(&path).await, NOT_A_MEMBER);
    }
    assert_eq!(scene.rows().await, ["default 1 admin groups"]);
}

async fn a_claim_that_says_nothing_changes_nothing(backend: Backend) {
    let scene = scene(backend, &[("a", "default", "admin", &[])]).await;
    scene.signs_in("1", &["a"]).await;
    let left_out = "You are in so many groups";
    let form = "in a form that is not accepted here";
    for (claims, said) in [
        (
            json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://x" } } }),
            left_out,
        ),
        (json!({ "hasgroups": true }), left_out),
        (json!({ "groups": { "a": true } }), form),
        (json!({ "groups": ["a", 7] }), form),
        (json!({ "groups": vec!["a"; 1_001] }), form),
        (json!({ "groups": ["a".repeat(257)] }), form),
    ] {
        scene.server.advance(7).await;
        refused(&scene.answer(&scene.begin("sso").await, &claims).await, said);
        assert_eq!(scene.rows().await, ["default 1 admin groups"], "{claims}");
    }
    // An invitation waits until the provider says it.
    let code = scene.invite("bob@example.com").await;
    let invited = begun(&scene.redeem(&code).await);
    let claims = json!({ "sub": "2", "email": "bob@example.com", "groups": 1 });
    refused(&scene.answer(&invited, &claims).await, form);
    let invited = begun(&scene.redeem(&code).await);
    let claims = json!({ "sub": "2", "email": "bob@example.com" });
    assert!(session(&scene.answer(&invited, &claims).await).is_some());
    // One string is one group, and no claim is no group.
    scene.server.advance(60).await;
    let one = scene.answer(&scene.begin("sso").await, &json!({ "groups": "a" })).await;
    assert!(session(&one).is_some(), "{}", one.text);
    refused(&scene.answer(&scene.begin("sso").await, &json!({})).await, NOT_A_MEMBER);
}

async fn what_does_not_exist_has_no_effect(backend: Backend) {
    let rows: Rows<'_> = &[
        ("a", "acme", "admin", &[]),
        ("web", "default", "developer", &["web", "default"]),
        ("later", "default", "developer", &["later"]),
    ];
    let scene = scene(backend, rows).await;
    refused(&scene.sign_in("1", &["a", "later"]).await, NOT_A_MEMBER);
    scene.signs_in("1", &["web", "later"]).await;
    assert_eq!(scene.rows().await, ["default 1 developer groups default"]);
    scene.add_project("default", "later").await;
    scene.add_organization("acme").await;
    scene.signs_in("1", &["a", "web", "later"]).await;
    assert_eq!(scene.rows().await, ["acme 1 admin groups", "default 1 developer groups default later"]);
    let groups = scene.server.node.sign_in.providers()[0].settings.groups.clone().unwrap();
    let existing = scene.server.node.records.store.existing_places(&groups.places()).await.unwrap();
    assert_eq!(
        groups.without_effect(&existing),
        ["the group \"web\" is for the project default/web, which does not exist"]
    );
    assert_eq!(scene.server.admin().delete("/v1/orgs/acme").await.status, 204);
    scene.signs_in("1", &["a", "web"]).await;
    assert!(scene.rows().await[0].starts_with("acme 1 admin groups removed"), "an id is never used again");
}

async fn a_role_by_groups_is_not_changed_by_hand(backend: Backend) {
    let scene = scene(backend, &[("a", "default", "admin", &[]), ("o", "default", "owner", &[])]).await;
    scene.signs_in("1", &["a"]).await;
    let (admin, path) = (scene.server.admin(), scene.path_of("1").await);
    for change in [json!({ "role": "auditor" }), json!({ "role": "developer", "projects": ["default"] })] {
        admin.patch(&path, &change).await.refused(409, "role_from_groups");
    }
    let renamed = admin.patch(&path, &json!({ "name": "Ada", "role": "admin" })).await.done(200);
    assert_eq!((&renamed["name"], &renamed["role"]), (&json!("Ada"), &json!("admin")));
    scene.signs_in("1", &["a"]).await;
    assert_eq!(admin.get(&path).await.done(200)["name"], "Ada");
    let cookie = scene.signs_in("2", &["o"]).await;
    let browser = scene.server.client().with("cookie", &cookie);
    let page = browser.get(&path.replace("/v1", "/console")).await.text;
    assert!(page.contains("a group at the provider") && !page.contains("<select id=\"role\""), "{page}");
    let list = browser.get("/console/orgs/default/members").await.text;
    assert!(list.contains("by group"), "{list}");
    assert_eq!(admin.delete(&path).await.status, 204);
}

async fn a_place_has_a_thousand_members(backend: Backend) {
    let scene = scene(backend, &[("a", "default", "admin", &[])]).await;
    scene
        .server
        .database
        .execute(
            "INSERT INTO members (id, created_seq, organization, provider, email, email_folded, name, role, projects,
                 generation, source, created_at, created_by)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
             SELECT 'usr_' || i, 1000000 + i, 'default', 'sso', '', '', 'x', 'auditor', '', 0, 'invitation', 1, 'x' FROM n",
        )
        .await;
    scene.signs_in("1", &["a"]).await;
    let full = "There is no room for another member here";
    refused(&scene.sign_in("2", &["a"]).await, full);
    assert_eq!(scene.rows().await, ["default 1 admin groups"]);
    scene.signs_in("1", &["a"]).await;
    refused(&scene.sign_in("1", &[]).await, NOT_A_MEMBER);
    scene.signs_in("2", &["a"]).await;
    refused(&scene.sign_in("1", &["a"]).await, full);
}

async fn a_member_may_have_no_address(backend: Backend) {
    let scene = scene(backend, &[("a", "default", "owner", &[])]).await;
    let claims = json!({ "sub": "auth0|77", "email_verified": "true", "groups": ["a"] });
    let answer = scene.answer(&scene.begin("sso").await, &claims).await;
    let cookie = session(&answer).expect("a session");
    let list = scene.server.admin().get("/v1/orgs/default/members").await.done(200);
    assert_eq!((&list["data"][0]["email"], &list["data"][0]["name"]), (&json!(""), &json!("auth0|77")));
    let browser = scene.server.client().with("cookie", &cookie);
    let path = format!("/console/orgs/default/members/{}", list["data"][0]["id"].as_str().unwrap());
    for page in ["/console/orgs/default/members", &path] {
        let page = browser.get(page).await;
        assert!(page.status == 200 && page.text.contains("Not known"), "{} {}", page.status, page.text);
    }
    // Two without an address are not the same person.
    let claims = json!({ "sub": "2", "email": null, "groups": ["a"] });
    assert!(session(&scene.answer(&scene.begin("sso").await, &claims).await).is_some());
    let invited = json!({ "email": "ada@example.com", "role": "admin", "provider": "sso" });
    scene.server.admin().post_json("/v1/orgs/default/members", &invited).await.done(201);
}

async fn a_group_makes_operators(backend: Backend) {
    let scene = scene(backend, &[("ops", "", "operator", &[])]).await;
    let cookie = scene.signs_in("1", &["ops"]).await;
    assert_eq!(scene.rows().await, ["- 1 operator groups"]);
    let browser = scene.server.client().with("cookie", &cookie);
    assert_eq!(browser.get("/console/signing-keys").await.status, 200);
    refused(&scene.sign_in("1", &[]).await, NOT_A_MEMBER);
    assert_eq!(browser.get("/console/signing-keys").await.status, 303);
    assert_eq!(scene.rows().await, ["- 1 operator groups left"]);
    let trail = scene.server.admin().get("/v1/audit?action=member.leave").await.done(200);
    assert_eq!(trail["data"][0]["actor"], "provider:sso");
}

async fn without_mappings_memberships_by_groups_end(backend: Backend) {
    let scene = scene(backend, &[("a", "default", "admin", &[])]).await;
    scene.signs_in("1", &["a"]).await;
    let issuer = &scene.other.url;
    let moved = format!("UPDATE members SET provider = 'other', issuer = '{issuer}'");
    scene.server.database.execute(&moved).await;
    let begun = scene.begin("other").await;
    scene.other.says(scene.other.token(&begun.nonce, scene.now(), &json!({ "groups": ["a"] }))).await;
    let browser = scene.server.client().with("cookie", &begun.cookie);
    let path = format!("{}?code=c&state={}&iss={issuer}", super::CALLBACK, begun.state);
    refused(&browser.get(&path).await, NOT_A_MEMBER);
    assert_eq!(scene.rows().await, ["default 1 admin groups left"]);
}
