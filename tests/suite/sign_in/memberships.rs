//! Somebody who is a member of several places chooses one after the sign-in, and another one later.

use claviger::node::ConsoleKeys;
use serde_json::json;

use super::{Begun, Scene, begun, session};
use crate::support::{Answer, Backend, Client, on_both};

on_both!(
    somebody_with_several_memberships_chooses,
    the_wanted_page_decides,
    a_choice_counts_once_and_in_its_own_browser,
    a_membership_that_ended_cannot_be_chosen,
    a_member_of_several_organizations_switches,
);

const CHOOSE: &str = "/console/sign-in/choose";

/// The page that asks, as a browser keeps it.
struct Asked {
    cookie: String,
    choice: String,
    text: String,
}

impl Scene {
    /// The same person in `default`, in `acme` and in the deployment, or in the first ones of them.
    async fn with_memberships(backend: Backend, count: usize) -> Self {
        let scene = Self::with_keys(backend, ConsoleKeys::Allowed).await;
        let admin = scene.server.admin();
        admin.post_json("/v1/orgs", &json!({ "id": "acme", "name": "Acme <Inc>" })).await.done(201);
        let places = [
            ("/v1/orgs/default/members", "auditor"),
            ("/v1/orgs/acme/members", "owner"),
            ("/v1/members", "operator"),
        ];
        for (list, role) in &places[..count] {
            let body = json!({ "email": "ada@example.com", "role": role, "provider": "sso" });
            let invited = admin.post_json(list, &body).await.done(201);
            let code = invited["invitation_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
            let answer = scene.answer(&begun(&scene.redeem(&code).await), &json!({})).await;
            assert!(session(&answer).is_some(), "{}", answer.text);
        }
        scene
    }

    async fn begin_for(&self, browser: &Client, next: &str) -> Begun {
        begun(&browser.post_form("/console/sign-in/with/sso", &format!("next={next}")).await)
    }

    async fn asked(&self) -> Asked {
        asked(&self.answer(&self.begin("sso").await, &json!({})).await)
    }

    async fn choose(&self, asked: &Asked, member: &str) -> Answer {
        let browser = self.browser().with("cookie", &asked.cookie);
        browser.post_form(CHOOSE, &format!("choice={}&member={member}", asked.choice)).await
    }
}

/// What the answer asks. There is no session yet.
#[track_caller]
fn asked(answer: &Answer) -> Asked {
    assert_eq!((answer.status, session(answer)), (200, None), "{}", answer.text);
    assert!(answer.text.contains("Choose an organization"), "{}", answer.text);
    let set = answer.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
    let kept = set.into_iter().find(|set| set.starts_with("claviger-choice=")).expect("a choice");
    assert!(kept.contains("HttpOnly; SameSite=Strict"), "{kept}");
    Asked {
        cookie: kept.split(';').next().unwrap().to_owned(),
        choice: hidden(&answer.text, "choice"),
        text: answer.text.clone(),
    }
}

impl Asked {
    /// The member of the button with this text.
    #[track_caller]
    fn member(&self, button: &str) -> String {
        let (before, _) = self.text.split_once(button).unwrap_or_else(|| panic!("{button}: {}", self.text));
        let (_, form) = before.rsplit_once("<form").expect("a form");
        hidden(form, "member")
    }
}

#[track_caller]
fn hidden(page: &str, name: &str) -> String {
    let field = format!(r#"<input type="hidden" name="{name}" value=""#);
    let (_, rest) = page.split_once(&field).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[track_caller]
fn refused(answer: &Answer, said: &str) {
    assert_eq!((answer.status, session(answer)), (401, None), "{}", answer.text);
    assert!(answer.text.contains(said), "{said}: {}", answer.text);
}

const ACME: &str = "<bdi>Acme &#60;Inc&#62;</bdi> (owner)";

async fn somebody_with_several_memberships_chooses(backend: Backend) {
    let scene = Scene::with_memberships(backend, 3).await;
    for (button, may, may_not) in [
        (ACME, "/console/orgs/acme/members", "/console/orgs/default/keys"),
        ("(auditor)", "/console/orgs/default/members", "/console/orgs/acme/keys"),
        ("The deployment (operator)", "/console/members", ""),
    ] {
        let asked = scene.asked().await;
        let answer = scene.choose(&asked, &asked.member(button)).await;
        let cookie = session(&answer).unwrap_or_else(|| panic!("{}", answer.text));
        let browser = scene.server.client().with("cookie", &cookie);
        assert_eq!(browser.get(may).await.status, 200, "{button}");
        if !may_not.is_empty() {
            assert_eq!(browser.get(may_not).await.status, 404, "{button}");
        }
    }
}

async fn the_wanted_page_decides(backend: Backend) {
    let scene = Scene::with_memberships(backend, 3).await;
    for next in ["/console/orgs/acme/usage", "/console/orgs/acme", "/console/signing-keys", "/console/orgs"] {
        let next = next.replace('/', "%2F");
        let answer = scene.answer(&scene.begin_for(&scene.browser(), &next).await, &json!({})).await;
        let cookie = session(&answer).unwrap_or_else(|| panic!("{next}: {}", answer.text));
        let browser = scene.server.client().with("cookie", &cookie);
        assert_eq!(browser.get(&next.replace("%2F", "/")).await.status, 200, "{next}");
    }
    let elsewhere = scene.begin_for(&scene.browser(), "%2Fconsole%2Forgs%2Fnobody%2Fkeys").await;
    asked(&scene.answer(&elsewhere, &json!({})).await);
    let alone = Scene::with_memberships(backend, 1).await;
    assert!(session(&alone.answer(&alone.begin("sso").await, &json!({})).await).is_some());
}

async fn a_choice_counts_once_and_in_its_own_browser(backend: Backend) {
    let scene = Scene::with_memberships(backend, 2).await;
    let ended = "This choice has ended, or you signed in with another browser";
    let (mine, theirs) = (scene.asked().await, scene.asked().await);
    let member = mine.member(ACME);
    // Somebody gives a victim's browser the choice of their own, and the other way round.
    let body = format!("choice={}&member={member}", mine.choice);
    refused(&scene.browser().post_form(CHOOSE, &body).await, ended);
    let crossed = Asked { choice: theirs.choice.clone(), ..mine };
    refused(&scene.choose(&crossed, &member).await, ended);
    let foreign = scene.server.client().with("origin", "https://elsewhere.example");
    assert_eq!(foreign.with("cookie", &theirs.cookie).post_form(CHOOSE, &body).await.status, 403);
    // A sealed attempt is no sealed choice.
    let begun = scene.begin("sso").await;
    let sealed = begun.cookie.replacen("claviger-signin=", "claviger-choice=", 1);
    let attempt = Asked { cookie: sealed, choice: begun.state, text: String::new() };
    refused(&scene.choose(&attempt, &member).await, ended);

    assert!(session(&scene.choose(&theirs, &member).await).is_some());
    refused(&scene.choose(&theirs, &member).await, ended);
    let late = scene.asked().await;
    scene.server.clock.advance(300);
    refused(&scene.choose(&late, &member).await, ended);
}

async fn a_membership_that_ended_cannot_be_chosen(backend: Backend) {
    let scene = Scene::with_memberships(backend, 2).await;
    let body = json!({ "email": "bob@example.com", "role": "owner", "provider": "sso" });
    let bob = scene.server.admin().post_json("/v1/orgs/acme/members", &body).await.done(201);
    let code = bob["invitation_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let claims = json!({ "sub": "bob", "email": "bob@example.com" });
    assert!(session(&scene.answer(&begun(&scene.redeem(&code).await), &claims).await).is_some());
    let not_a_member = "you are not a member here";
    refused(&scene.choose(&scene.asked().await, bob["id"].as_str().unwrap()).await, not_a_member);
    refused(&scene.choose(&scene.asked().await, "").await, not_a_member);

    let asked = scene.asked().await;
    let member = asked.member(ACME);
    let path = format!("/v1/orgs/acme/members/{member}");
    assert_eq!(scene.server.admin().delete(&path).await.status, 204);
    refused(&scene.choose(&asked, &member).await, not_a_member);
}

async fn a_member_of_several_organizations_switches(backend: Backend) {
    let scene = Scene::with_memberships(backend, 2).await;
    let asked_first = scene.asked().await;
    let first = session(&scene.choose(&asked_first, &asked_first.member(ACME)).await).unwrap();
    let browser = scene.browser().with("cookie", &first);
    let page = browser.get("/console/orgs/acme/keys").await.text;
    assert!(
        page.contains("Switch organization") && page.contains("action=\"/console/sign-in/with/sso\""),
        "{page}"
    );
    let begun = scene.begin_for(&browser, "").await;
    assert!(!begun.url.contains("prompt"), "the provider need not ask again: {}", begun.url);
    let asked = asked(&scene.answer(&begun, &json!({})).await);
    let status =
        async |cookie: &str, path: &str| scene.server.client().with("cookie", cookie).get(path).await.status;
    assert_eq!(status(&first, "/console/orgs/acme/keys").await, 200, "nothing has changed until the choice");
    let second = session(&scene.choose(&asked, &asked.member("(auditor)")).await).unwrap();
    assert_eq!(status(&first, "/console/orgs/acme/keys").await, 303, "the earlier session has ended");
    assert_eq!(status(&second, "/console/orgs/default/keys").await, 200);

    let alone = Scene::with_memberships(backend, 1).await;
    let cookie = session(&alone.answer(&alone.begin("sso").await, &json!({})).await).unwrap();
    let page = alone.server.client().with("cookie", &cookie).get("/console/orgs/default/keys").await.text;
    assert!(!page.contains("Switch organization"), "{page}");
}
