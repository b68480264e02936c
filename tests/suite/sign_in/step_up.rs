//! Members sign in again before dangerous acts at the console: what is refused until then, and which answers of the provider
//! are believed.

use serde_json::{Value, json};

use super::{Begun, CALLBACK, Scene, begun_at, session};
use crate::support::{Answer, Backend, on_both};

on_both!(
    dangerous_acts_wait_for_a_sign_in_and_pass_after_it,
    only_the_same_person_just_now_is_confirmed,
    an_answer_confirms_once_and_its_own_session_alone,
    whoever_is_removed_is_not_confirmed,
    a_role_that_was_lost_meanwhile_does_nothing,
    a_form_appears_again_unless_it_is_too_long,
    one_key_is_revoked_at_once_and_several_after_a_sign_in,
    the_session_of_a_key_is_not_asked,
);

const MEMBERS: &str = "/console/orgs/default/members";

/// Somebody who has signed in, in a browser of their own.
struct Person<'s> {
    scene: &'s Scene,
    subject: &'static str,
    cookie: String,
}

impl<'s> Person<'s> {
    /// A member of `default` or, as an operator, of the deployment. The provider has not said when they signed in.
    async fn new(scene: &'s Scene, subject: &'static str, role: &str) -> Self {
        let list = if role == "operator" { "/v1/members" } else { "/v1/orgs/default/members" };
        let email = format!("{subject}@example.com");
        let body = json!({ "email": email, "role": role, "provider": "sso" });
        let invited = scene.server.admin().post_json(list, &body).await.done(201);
        let code = invited["invitation_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        let begun = super::begun(&scene.redeem(&code).await);
        let answer = scene.answer(&begun, &json!({ "sub": subject, "email": email })).await;
        let cookie = session(&answer).expect("a session");
        Self { scene, subject, cookie }
    }

    /// Another browser of the same person.
    async fn elsewhere(&self) -> Self {
        let answer = self.scene.answer(&self.scene.begin("sso").await, &json!({ "sub": self.subject })).await;
        Self { cookie: session(&answer).expect("a session"), ..*self }
    }

    async fn get(&self, path: &str) -> Answer {
        self.scene.server.client().with("cookie", &self.cookie).get(path).await
    }

    /// Sends a form from a page of the person's own.
    async fn post(&self, path: &str, fields: &str) -> Answer {
        let page = self.get("/console/sessions").await.text;
        let token = hidden(&page, "token");
        let browser = self.scene.browser().with("cookie", &self.cookie);
        browser.post_form(path, &format!("token={token}&{fields}")).await
    }

    /// Begins a dangerous act, which is refused until the provider has answered.
    async fn asked(&self, path: &str, fields: &str) -> Begun {
        asked(&self.post(path, fields).await)
    }

    /// The provider's answer about this person, with these claims too.
    async fn answered(&self, begun: &Begun, claims: &Value) -> Answer {
        let mut all = json!({ "sub": self.subject, "auth_time": self.scene.now() });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        self.scene.answer(begun, &all).await
    }

    /// Whether dangerous acts wait for a sign-in.
    async fn is_asked(&self) -> bool {
        let answer = self.post(MEMBERS, "email=nobody").await;
        match answer.status {
            401 => answer.text.contains("Confirm that it is you"),
            status => {
                assert_eq!(status, 400, "{}", answer.text);
                false
            }
        }
    }
}

/// What the page began that asks somebody to sign in again.
#[track_caller]
fn asked(answer: &Answer) -> Begun {
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert!(answer.text.contains("Confirm that it is you"), "{}", answer.text);
    begun_at(answer, "<a role=\"button\" href=\"")
}

#[track_caller]
fn not_confirmed(answer: &Answer, said: &str) {
    assert_eq!((answer.status, session(answer)), (401, None), "{}", answer.text);
    assert!(answer.text.contains(said), "{said}: {}", answer.text);
    let set = answer.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
    assert!(set.into_iter().any(|set| set.starts_with("claviger-signin=;")), "the attempt is over");
}

#[track_caller]
fn hidden(page: &str, name: &str) -> String {
    let field = format!(r#"<input type="hidden" name="{name}" value=""#);
    let (_, rest) = page.split_once(&field).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

async fn state(scene: &Scene) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/v1/orgs/default/members", "/v1/members", "/v1/signing-keys"] {
        let mut page = scene.server.admin().get(path).await.done(200);
        // Whoever is seen in the console changes nothing else.
        for one in page["data"].as_array_mut().unwrap() {
            one.as_object_mut().unwrap().remove("last_seen_at");
        }
        all.push(page);
    }
    all
}

async fn invited(scene: &Scene, list: &str, email: &str, role: &str) -> String {
    let body = json!({ "email": email, "role": role, "provider": "sso" });
    scene.server.admin().post_json(list, &body).await.done(201)["id"].as_str().unwrap().to_owned()
}

async fn dangerous_acts_wait_for_a_sign_in_and_pass_after_it(backend: Backend) {
    let scene = Scene::set(backend).await;
    let keys = scene.server.admin().get("/v1/signing-keys").await.done(200);
    let kid = keys["data"][0]["kid"].as_str().unwrap().to_owned();
    let of_default = invited(&scene, "/v1/orgs/default/members", "x@example.com", "admin").await;
    let of_deployment = invited(&scene, "/v1/members", "y@example.com", "operator").await;
    let there = "/console/members";
    let owner = Person::new(&scene, "owner", "owner").await;
    let operator = Person::new(&scene, "operator", "operator").await;
    let of_owner = [
        (MEMBERS.to_owned(), "email=z%40example.com&role=auditor&provider=sso".to_owned(), 200),
        (format!("{MEMBERS}/{of_default}"), "name=Changed&role=auditor".to_owned(), 303),
        (format!("{MEMBERS}/{of_default}/invitation"), String::new(), 200),
        (format!("{MEMBERS}/{of_default}/remove"), String::new(), 303),
    ];
    let of_operator = [
        (there.to_owned(), "email=z%40example.com&role=operator&provider=sso".to_owned(), 200),
        (format!("{there}/{of_deployment}"), "name=Changed&role=operator".to_owned(), 303),
        (format!("{there}/{of_deployment}/invitation"), String::new(), 200),
        (format!("{there}/{of_deployment}/remove"), String::new(), 303),
        ("/console/signing-keys".to_owned(), String::new(), 303),
        (format!("/console/signing-keys/{kid}/withdraw"), format!("kid={kid}&understood=yes"), 303),
    ];
    for (mut person, acts) in [(owner, &of_owner[..]), (operator, &of_operator[..])] {
        let before = state(&scene).await;
        for (path, fields, _) in acts {
            let begun = person.asked(path, fields).await;
            let claims = "claims=%7B%22id_token%22%3A%7B%22auth_time%22%3A%7B%22essential%22%3Atrue%7D%7D%7D";
            for parameter in ["prompt=login", "max_age=0", claims] {
                assert!(begun.url.contains(parameter), "{}", begun.url);
            }
        }
        let (path, fields, _) = &acts[0];
        let answer = person.answered(&person.asked(path, fields).await, &json!({})).await;
        let cookie = session(&answer).expect("a session");
        assert_ne!(cookie, person.cookie);
        assert_eq!(person.get("/console/sessions").await.status, 303, "the earlier session has ended");
        person.cookie = cookie;
        assert_eq!(state(&scene).await, before, "nothing is done until the person submits the form again");
        for (path, fields, status) in acts {
            let done = person.post(path, fields).await;
            assert_eq!(done.status, *status, "{path}: {}", done.text);
        }
        assert_ne!(state(&scene).await, before);
    }
    let trail = scene.server.admin().get("/v1/orgs/default/audit?action=member.confirm").await.done(200);
    assert_eq!(trail["data"].as_array().unwrap().len(), 1, "{trail}");
}

async fn only_the_same_person_just_now_is_confirmed(backend: Backend) {
    let scene = Scene::set(backend).await;
    let mut person = Person::new(&scene, "owner", "owner").await;
    let (other_account, no_time) = ("another account", "does not say when you signed in");
    let (other_time, not_believed) = ("at another time than just now", "was not accepted");
    let now = scene.now();
    for (claims, said) in [
        (json!({ "sub": "somebody" }), other_account),
        (json!({ "iss": "https://elsewhere.example" }), not_believed),
        (json!({ "nonce": "another" }), not_believed),
        (json!({ "auth_time": null }), no_time),
        (json!({ "auth_time": "now" }), not_believed),
        (json!({ "auth_time": 0 }), other_time),
        (json!({ "auth_time": now - 31 }), other_time),
        (json!({ "auth_time": now + 31 }), other_time),
        (json!({ "auth_time": now + 1_000_000 }), other_time),
    ] {
        let begun = person.asked(MEMBERS, "email=x%40example.com").await;
        let answer = person.answered(&begun, &claims).await;
        not_confirmed(&answer, said);
        assert!(answer.text.contains(&format!("href=\"{MEMBERS}\"")), "{}", answer.text);
        assert_eq!(person.get(MEMBERS).await.status, 200, "the session goes on");
        assert!(person.is_asked().await, "{claims}");
    }
    // The attempt took a while, and the person had signed in before it began.
    let begun = person.asked(MEMBERS, "").await;
    let began = scene.now();
    scene.server.clock.advance(300);
    let answer = person.answered(&begun, &json!({ "auth_time": began - 31 })).await;
    not_confirmed(&answer, other_time);

    // Somebody else's provider, which has the same `sub`, and the person who turns back.
    let begun = person.asked(MEMBERS, "").await;
    let browser = scene.server.client().with("cookie", &begun.cookie);
    let path = format!("{CALLBACK}?code=c&state={}&iss={}", begun.state, scene.other.url);
    not_confirmed(&browser.get(&path).await, not_believed);
    let begun = person.asked(MEMBERS, "").await;
    let browser = scene.server.client().with("cookie", &begun.cookie);
    let path = format!("{CALLBACK}?error=access_denied&state={}&iss={}", begun.state, scene.sso.url);
    not_confirmed(&browser.get(&path).await, "was cancelled");
    assert!(person.is_asked().await);

    for skew in [-30, 30] {
        let begun = person.asked(MEMBERS, "").await;
        let at = scene.now() + skew;
        let answer = person.answered(&begun, &json!({ "auth_time": at })).await;
        person.cookie = session(&answer).unwrap_or_else(|| panic!("{}", answer.text));
        // A clock that is ahead gives nobody more time.
        let left = 600 + skew.min(0);
        scene.server.clock.advance(left);
        assert!(!person.is_asked().await);
        scene.server.clock.advance(1);
        assert!(person.is_asked().await);
    }

    // A sign-in counts by the time that the provider says, and one far ahead for nothing.
    for (claims, is_asked) in [
        (json!({ "sub": "owner", "auth_time": scene.now() - 600 }), false),
        (json!({ "sub": "owner", "auth_time": scene.now() - 601 }), true),
        (json!({ "sub": "owner", "auth_time": scene.now() + 31 }), true),
    ] {
        let answer = scene.answer(&scene.begin("sso").await, &claims).await;
        person.cookie = session(&answer).expect("a session");
        assert_eq!(person.is_asked().await, is_asked, "{claims}");
    }
}

async fn an_answer_confirms_once_and_its_own_session_alone(backend: Backend) {
    let scene = Scene::set(backend).await;
    let mut person = Person::new(&scene, "owner", "owner").await;
    let elsewhere = person.elsewhere().await;
    let begun = person.asked(MEMBERS, "").await;
    let answer = person.answered(&begun, &json!({})).await;
    person.cookie = session(&answer).expect("a session");
    not_confirmed_or_refused(&person.answered(&begun, &json!({})).await, "has ended, or it began in another");
    assert!(!person.is_asked().await);
    assert!(elsewhere.is_asked().await, "another session of the same person is as it was");

    // The session in which somebody began has ended since: they signed out, or somebody ended it.
    let begun = elsewhere.asked(MEMBERS, "").await;
    assert_eq!(elsewhere.post("/console/sign-out", "").await.status, 303);
    not_confirmed(&elsewhere.answered(&begun, &json!({})).await, "has ended. Sign in again");
    let idle = person.elsewhere().await;
    let begun = idle.asked(MEMBERS, "").await;
    scene.server.database.execute("UPDATE console_sessions SET last_seen_at = last_seen_at - 1800").await;
    not_confirmed(&idle.answered(&begun, &json!({})).await, "has ended. Sign in again");

    // Two attempts of one session: the second one finds it replaced.
    let person = person.elsewhere().await;
    let (first, second) = (person.asked(MEMBERS, "").await, person.asked(MEMBERS, "").await);
    assert!(session(&person.answered(&first, &json!({})).await).is_some());
    not_confirmed(&person.answered(&second, &json!({})).await, "has ended. Sign in again");
    // The answer to the one in the browser with the other.
    let person = person.elsewhere().await;
    let (first, second) = (person.asked(MEMBERS, "").await, person.asked(MEMBERS, "").await);
    let crossed = Begun { state: second.state.clone(), ..first };
    not_confirmed_or_refused(
        &person.answered(&crossed, &json!({})).await,
        "has ended, or it began in another",
    );
    assert!(person.is_asked().await);
}

/// A page that says why, and no session.
#[track_caller]
fn not_confirmed_or_refused(answer: &Answer, said: &str) {
    not_confirmed(answer, said);
    assert!(answer.text.contains("not signed in"), "{}", answer.text);
}

async fn whoever_is_removed_is_not_confirmed(backend: Backend) {
    let scene = Scene::set(backend).await;
    let person = Person::new(&scene, "owner", "owner").await;
    let _stays = Person::new(&scene, "another", "owner").await;
    let begun = person.asked(MEMBERS, "").await;
    let list = scene.server.admin().get("/v1/orgs/default/members").await.done(200);
    let own =
        list["data"].as_array().unwrap().iter().find(|one| one["email"] == "owner@example.com").unwrap();
    let path = format!("/v1/orgs/default/members/{}", own["id"].as_str().unwrap());
    assert_eq!(scene.server.admin().delete(&path).await.status, 204);
    not_confirmed(&person.answered(&begun, &json!({})).await, "has ended. Sign in again");
    assert_eq!(person.get(MEMBERS).await.status, 303);
}

async fn a_role_that_was_lost_meanwhile_does_nothing(backend: Backend) {
    let scene = Scene::set(backend).await;
    let mut person = Person::new(&scene, "owner", "owner").await;
    let _stays = Person::new(&scene, "another", "owner").await;
    let begun = person.asked(MEMBERS, "email=x%40example.com&role=owner&provider=sso").await;
    let list = scene.server.admin().get("/v1/orgs/default/members").await.done(200);
    let own =
        list["data"].as_array().unwrap().iter().find(|one| one["email"] == "owner@example.com").unwrap();
    let path = format!("/v1/orgs/default/members/{}", own["id"].as_str().unwrap());
    scene.server.admin().patch(&path, &json!({ "role": "auditor" })).await.done(200);
    let before = state(&scene).await;
    let answer = person.answered(&begun, &json!({})).await;
    person.cookie = session(&answer).expect("a session");
    let refused = person.post(MEMBERS, "email=x%40example.com&role=owner&provider=sso").await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(state(&scene).await, before);
}

async fn a_form_appears_again_unless_it_is_too_long(backend: Backend) {
    let scene = Scene::set(backend).await;
    let mut person = Person::new(&scene, "owner", "owner").await;
    let typed = "email=x%40example.com&name=%22X%22&role=developer&projects=default&provider=other";
    let answer = person.answered(&person.asked(MEMBERS, typed).await, &json!({})).await;
    person.cookie = session(&answer).expect("a session");
    assert!(answer.text.contains(&format!("action=\"{MEMBERS}\"")), "{}", answer.text);
    for (name, value) in [("email", "x@example.com"), ("role", "developer"), ("projects", "default")] {
        assert_eq!(hidden(&answer.text, name), value);
    }
    let resumed = person.post(MEMBERS, &format!("resume=yes&{typed}")).await;
    assert_eq!(resumed.status, 200, "{}", resumed.text);
    assert!(resumed.text.contains("value=\"x@example.com\""), "{}", resumed.text);
    assert!(!resumed.text.contains("invitation#"));

    // What is ticked on the page that removes somebody stays ticked.
    let id = invited(&scene, "/v1/orgs/default/members", "y@example.com", "admin").await;
    let (key, _) = scene.server.key(&["read:*"]).await;
    let sql = format!("UPDATE api_keys SET created_by = '{id}' WHERE id = '{key}'");
    scene.server.database.execute(&sql).await;
    let removal = format!("{MEMBERS}/{id}/remove");
    let shown = person.post(&removal, &format!("resume=yes&revoke=default%2F{key}")).await;
    assert!(shown.text.contains(&format!("value=\"default/{key}\" checked")), "{}", shown.text);
    let plain = person.get(&removal).await.text;
    assert!(plain.contains(&format!("value=\"default/{key}\"")) && !plain.contains(" checked"), "{plain}");

    scene.server.clock.advance(601);
    let long = format!("email=x%40example.com&role=developer&projects={}", "a+".repeat(1_500));
    let page = person.post(MEMBERS, &long).await;
    assert!(page.text.contains("too long to be kept"), "{}", page.text);
    let answer = person.answered(&asked(&page), &json!({})).await;
    assert!(
        session(&answer).is_some() && answer.text.contains(&format!("0; url={MEMBERS}\"")),
        "{}",
        answer.text
    );
}

async fn one_key_is_revoked_at_once_and_several_after_a_sign_in(backend: Backend) {
    const ACT: &str = "/console/orgs/default/keys/selected/act";
    let scene = Scene::set(backend).await;
    let mut person = Person::new(&scene, "owner", "owner").await;
    let (a, b) = (scene.server.key(&["read:*"]).await.0, scene.server.key(&["read:*"]).await.0);
    let revoked = async || {
        let listed = scene.server.admin().get("/v1/orgs/default/keys?status=revoked").await.done(200);
        listed["data"].as_array().unwrap().len()
    };

    let both = format!("act=revoke&which=ticked&key={a}&key={b}&number=2&version=*");
    let begun = person.asked(ACT, &both).await;
    assert_eq!(revoked().await, 0);
    let disable = person.post(ACT, &both.replace("act=revoke", "act=disable")).await;
    assert_eq!(disable.status, 200, "what can be undone asks nobody: {}", disable.text);
    // A wrong number revokes nothing, whatever it says.
    let wrong = person.post(ACT, &both.replace("number=2", "number=1")).await;
    assert_ne!(wrong.status, 200, "{}", wrong.text);
    assert_eq!(revoked().await, 0);

    let answer = person.answered(&begun, &json!({})).await;
    person.cookie = session(&answer).expect("a session");
    assert!(answer.text.contains(&format!("value=\"{b}\"")), "the selection is kept: {}", answer.text);
    assert_eq!(revoked().await, 0, "nothing is done until the person submits the form again");
    assert_eq!(person.post(ACT, &both).await.status, 200);
    assert_eq!(revoked().await, 2);

    scene.server.advance(601).await;
    let one = scene.server.key(&["read:*"]).await.0;
    let done = person.post(ACT, &format!("act=revoke&key={one}&number=1&version=*")).await;
    assert_eq!((done.status, revoked().await), (200, 3), "{}", done.text);
}

async fn the_session_of_a_key_is_not_asked(backend: Backend) {
    let scene = Scene::set(backend).await;
    let key = &scene.server.admin_key;
    let opened = scene.browser().post_form("/console/sign-in", &format!("key={key}")).await;
    let person = Person { scene: &scene, subject: "", cookie: session(&opened).expect("a session") };
    let done = person.post(MEMBERS, "email=x%40example.com&role=owner&provider=sso").await;
    assert_eq!(done.status, 200, "{}", done.text);
}
