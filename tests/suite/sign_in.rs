//! Members sign in at an OpenID provider: the provider's answers, good and hostile.

mod closed_to_keys;
mod groups;
mod hostile;
mod memberships;
mod neighbours;
mod provider;
mod refusals;
mod rules;
mod step_up;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::base::entropy::Entropy;
use claviger::domain::address::AddressPolicy;
use claviger::domain::audit::{Actor, AuditEvent, Who};
use claviger::domain::key::Creator;
use claviger::domain::member::{Member, MemberSource, Role};
use claviger::domain::person::MemberId;
use claviger::node::{ClientCredential, ConsoleKeys, ProviderSettings, SignInSettings};
use claviger::store::ChangeKind;
use claviger::use_cases::sign_in::invitation_digest;
use serde_json::{Value, json};

use self::provider::Provider;
use crate::support::{Answer, Backend, Client, Options, Server, on_both};

on_both!(
    an_invited_person_signs_in_and_is_known_by_iss_and_sub_from_then_on,
    answers_that_are_not_the_providers_open_nothing,
    an_answer_counts_once_and_in_its_own_browser,
    an_answer_of_another_provider_is_refused,
    an_invitation_is_for_one_verified_address_and_one_time,
    a_sign_in_gives_a_new_session_and_ends_the_earlier_one,
    whoever_guesses_waits_and_nobody_else,
);

const CALLBACK: &str = "/console/sign-in/callback";

struct Scene {
    server: Server,
    sso: Provider,
    other: Provider,
}

/// An attempt that a browser began.
struct Begun {
    cookie: String,
    state: String,
    nonce: String,
    url: String,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        Self::with_keys(backend, ConsoleKeys::Allowed).await
    }

    async fn with_keys(backend: Backend, console_keys: ConsoleKeys) -> Self {
        let sign_in_settings = SignInSettings { console_keys, ..SignInSettings::default() };
        Self::set_with(backend, Options { sign_in_settings, ..Options::default() }, |_| ()).await
    }

    /// With these options, and what `change` makes of the settings for the first provider.
    async fn set_with(
        backend: Backend,
        options: Options,
        change: impl FnOnce(&mut ProviderSettings),
    ) -> Self {
        let (sso, other) = (Provider::start().await, Provider::start().await);
        let mut providers = vec![settings("sso", &sso), settings("other", &other)];
        change(&mut providers[0]);
        let sign_in_settings = SignInSettings { providers, ..options.sign_in_settings };
        let options = Options { sign_in_settings, ..options };
        Self { server: Server::start_with(backend, options).await, sso, other }
    }

    /// This machine is a proxy, which says at which address somebody is.
    async fn behind_a_proxy(backend: Backend, options: Options) -> Self {
        let proxies = "127.0.0.0/8".parse().unwrap();
        let addresses = AddressPolicy { proxies, ..AddressPolicy::default() };
        Self::set_with(backend, Options { addresses, ..options }, |_| ()).await
    }

    fn now(&self) -> i64 {
        self.server.clock.now().unix()
    }

    fn browser(&self) -> Client {
        self.server.client().with("origin", &format!("http://{}", self.server.address()))
    }

    /// Invites somebody to the organization `default`. Returns the code.
    async fn invite(&self, email: &str) -> String {
        let code = BASE64URL.encode(Entropy::system().bytes::<32>().unwrap());
        let now = self.server.clock.now();
        let member = Member {
            id: MemberId::generate(&Entropy::system()).unwrap(),
            organization: Some("default".parse().unwrap()),
            provider: "sso".into(),
            identity: None,
            email: email.into(),
            name: "Invited".into(),
            role: Role::Admin,
            projects: Vec::new(),
            generation: 0,
            source: MemberSource::Invitation,
            created_at: now,
            created_by: Creator::default(),
            last_seen_at: None,
            removed_at: None,
            invitation_expires_at: Some(now.plus(Member::INVITATION_SECONDS)),
        };
        let records = &self.server.node.records;
        let mut write = records.store.write(now, &Actor::server(Who::Operator)).await.unwrap();
        write.insert_member(&member, invitation_digest(&code).as_deref()).await.unwrap();
        let event = AuditEvent {
            action: "member.invite",
            organization: member.organization.clone(),
            key: None,
            subject: member.id.to_string(),
            before: None,
            after: None,
        };
        write.record(ChangeKind::Member, event).await.unwrap();
        records.commit(write).await.unwrap();
        code
    }

    async fn begin(&self, provider: &str) -> Begun {
        begun(&self.browser().post_form(&format!("/console/sign-in/with/{provider}"), "next=").await)
    }

    async fn redeem(&self, code: &str) -> Answer {
        self.browser().post_form("/console/invitation", &format!("code={code}")).await
    }

    /// The provider answers with an ID token that has these claims, too.
    async fn answer(&self, begun: &Begun, claims: &Value) -> Answer {
        self.sso.says(self.sso.token(&begun.nonce, self.now(), claims)).await;
        self.call_back(begun).await
    }

    async fn call_back(&self, begun: &Begun) -> Answer {
        let browser = self.server.client().with("cookie", &begun.cookie);
        browser.get(&format!("{CALLBACK}?code=c&state={}&iss={}", begun.state, self.sso.url)).await
    }

    /// Somebody who is a member from now on.
    async fn member(&self, email: &str, claims: &Value) {
        let code = self.invite(email).await;
        let answer = self.answer(&begun(&self.redeem(&code).await), claims).await;
        assert!(session(&answer).is_some(), "{} {}", answer.status, answer.text);
    }
}

fn settings(name: &str, provider: &Provider) -> ProviderSettings {
    ProviderSettings {
        name: name.into(),
        label: name.to_uppercase(),
        issuer: provider.url.parse().unwrap(),
        client_id: "console".into(),
        credential: ClientCredential::Secret("hidden".to_owned().into()),
        scopes: vec!["openid".into(), "email".into()],
        email_verified_claim: "email_verified".into(),
        allowed_domains: Vec::new(),
        allowed_tenants: Vec::new(),
        groups: None,
    }
}

/// What a page that leads to a provider by itself began.
#[track_caller]
fn begun(answer: &Answer) -> Begun {
    assert_eq!(answer.status, 200, "{}", answer.text);
    begun_at(answer, "0; url=")
}

/// What a page began that has the address at the provider behind `mark`.
#[track_caller]
fn begun_at(answer: &Answer, mark: &str) -> Begun {
    let url = answer.text.split_once(mark).expect("a page that leads on").1.split('"').next().unwrap();
    let url = url.replace("&#38;", "&").replace("&amp;", "&");
    let parameter = |name: &str| {
        let pairs = url.split_once('?').expect("a query").1.split('&');
        let found = pairs.filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("no {name} in {url}")).1.to_owned()
    };
    assert_eq!(
        (parameter("response_type"), parameter("code_challenge_method")),
        ("code".into(), "S256".into())
    );
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("claviger-signin=") && cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let (state, nonce) = (parameter("state"), parameter("nonce"));
    Begun { cookie: cookie.split(';').next().unwrap().to_owned(), state, nonce, url }
}

/// The cookie of the session that an answer opened.
fn session(answer: &Answer) -> Option<String> {
    let set = answer.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
    let mut own = set.filter(|set| set.starts_with("claviger=") && !set.starts_with("claviger=;"));
    own.next().map(|set| {
        assert!(set.contains("HttpOnly; SameSite=Strict"), "{set}");
        set.split(';').next().unwrap().to_owned()
    })
}

#[track_caller]
fn refused(answer: &Answer, said: &str) {
    assert_eq!((answer.status, session(answer)), (401, None), "{}", answer.text);
    assert!(answer.text.contains(said), "{said}: {}", answer.text);
    let set = answer.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
    assert!(set.into_iter().any(|set| set.starts_with("claviger-signin=;")), "the attempt is over");
}

async fn an_invited_person_signs_in_and_is_known_by_iss_and_sub_from_then_on(backend: Backend) {
    let scene = Scene::set(backend).await;
    let page = scene.server.client().get("/console/sign-in").await.text;
    assert!(page.contains("Continue with SSO") && page.contains("API key"), "{page}");

    let stranger = scene.answer(&scene.begin("sso").await, &json!({})).await;
    refused(&stranger, "you are not a member here");

    let code = scene.invite("ada@Example.com").await;
    let begun = begun(&scene.redeem(&code).await);
    assert!(!begun.url.contains(&code));
    let answer = scene.answer(&begun, &json!({ "name": "Ada" })).await;
    let cookie = session(&answer).expect("a session");
    let request = scene.sso.last().await;
    assert!(request.contains("code_verifier=") && request.to_lowercase().contains("authorization: basic "));
    assert!(!answer.text.contains("hidden"));
    let keys = scene.server.client().with("cookie", &cookie).get("/console/orgs/default/keys").await;
    assert_eq!(keys.status, 200, "{}", keys.text);
    assert!(keys.text.contains("Ada"));

    // The address now belongs to somebody else, and hers is another one.
    let colleague = json!({ "sub": "2", "email": "ada@example.com" });
    refused(&scene.answer(&scene.begin("sso").await, &colleague).await, "you are not a member here");
    let renamed = json!({ "email": "someone.else@example.com", "email_verified": false });
    assert!(session(&scene.answer(&scene.begin("sso").await, &renamed).await).is_some());

    let trail = scene.server.admin().get("/v1/orgs/default/audit?action=member.*").await.text;
    assert!(trail.contains("member.accept") && trail.contains("member.sign_in"), "{trail}");
    assert!(!trail.contains("example.com"), "{trail}");
}

async fn answers_that_are_not_the_providers_open_nothing(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.member("ada@example.com", &json!({})).await;
    let now = scene.now();
    let not_believed = "was not accepted";
    for claims in [
        json!({ "iat": now + 31 }),
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "iss": "https://elsewhere.example" }),
        json!({ "aud": "another" }),
        json!({ "aud": ["console", "another"] }),
        json!({ "azp": "another" }),
        json!({ "exp": now }),
        json!({ "iat": now - 601 }),
    ] {
        refused(&scene.answer(&scene.begin("sso").await, &claims).await, not_believed);
        // Ten wrong answers in a minute would have to wait.
        scene.server.clock.advance(7);
    }
    let now = scene.now();
    let foreign = Provider::start().await;
    let begun = scene.begin("sso").await;
    let claims = scene.sso.claims(&begun.nonce, now, &json!({}));
    let unsigned =
        format!("{}.{}.", BASE64URL.encode(r#"{"alg":"none"}"#), BASE64URL.encode(claims.to_string()));
    let kid = scene.sso.holder.kid();
    for token in [
        unsigned,
        scene.sso.holder.sign(&json!({ "alg": "HS256", "kid": kid }), &claims),
        foreign.holder.sign(&json!({ "alg": "ES256", "kid": kid }), &claims),
        scene.sso.holder.sign(&json!({ "alg": "ES256", "kid": kid, "typ": "at+jwt" }), &claims),
    ] {
        let begun = scene.begin("sso").await;
        scene.sso.says(token).await;
        refused(&scene.call_back(&begun).await, not_believed);
        scene.server.clock.advance(7);
    }
    // The clocks may differ a little.
    let now = scene.now();
    let ahead = json!({ "iat": now + 30, "exp": now + 300 });
    assert!(session(&scene.answer(&scene.begin("sso").await, &ahead).await).is_some());
}

async fn an_answer_counts_once_and_in_its_own_browser(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.member("ada@example.com", &json!({})).await;
    let (first, second) = (scene.begin("sso").await, scene.begin("sso").await);
    let ended = "has ended, or it began in another browser";
    let asked = scene.sso.asked().await;
    // Somebody gives a victim's browser the answer to an attempt of their own.
    let crossed = Begun { state: second.state.clone(), ..begun_again(&first) };
    refused(&scene.answer(&crossed, &json!({})).await, ended);
    let away = scene.server.client().get(&format!("{CALLBACK}?code=c&state={}", first.state)).await;
    refused(&away, ended);
    assert_eq!(scene.sso.asked().await, asked, "nobody asks a provider for them");

    assert!(session(&scene.answer(&first, &json!({})).await).is_some());
    refused(&scene.answer(&first, &json!({})).await, ended);
    scene.server.clock.advance(601);
    refused(&scene.answer(&second, &json!({})).await, ended);
}

fn begun_again(begun: &Begun) -> Begun {
    let Begun { cookie, state, nonce, url } = begun;
    Begun { cookie: cookie.clone(), state: state.clone(), nonce: nonce.clone(), url: url.clone() }
}

async fn an_answer_of_another_provider_is_refused(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.member("ada@example.com", &json!({})).await;
    let not_believed = "was not accepted";
    let asked = scene.sso.asked().await;
    for issuer in [format!("&iss={}", scene.other.url), String::new()] {
        let begun = scene.begin("sso").await;
        let browser = scene.server.client().with("cookie", &begun.cookie);
        let answer = browser.get(&format!("{CALLBACK}?code=c&state={}{issuer}", begun.state)).await;
        refused(&answer, not_believed);
    }
    assert_eq!((scene.sso.asked().await, scene.other.asked().await), (asked, 0), "no code is sent anywhere");
    // The other provider has its own people, also with the same `sub`.
    let begun = scene.begin("other").await;
    scene.other.says(scene.other.token(&begun.nonce, scene.now(), &json!({}))).await;
    let browser = scene.server.client().with("cookie", &begun.cookie);
    let path = format!("{CALLBACK}?code=c&state={}&iss={}", begun.state, scene.other.url);
    refused(&browser.get(&path).await, "you are not a member here");
}

async fn an_invitation_is_for_one_verified_address_and_one_time(backend: Backend) {
    let scene = Scene::set(backend).await;
    let code = scene.invite("ada@example.com").await;
    for (claims, said) in [
        (json!({ "email_verified": false }), "is verified"),
        (json!({ "email_verified": "true" }), "is verified"),
        (json!({ "email_verified": null }), "is verified"),
        (json!({ "email": "eve@example.com" }), "another e-mail address"),
        (json!({ "email": null }), "is verified"),
    ] {
        refused(&scene.answer(&begun(&scene.redeem(&code).await), &claims).await, said);
    }
    // Two browsers hold the invitation, and the first one that answers has it.
    let (mine, theirs) = (begun(&scene.redeem(&code).await), begun(&scene.redeem(&code).await));
    assert!(session(&scene.answer(&mine, &json!({})).await).is_some());
    refused(&scene.answer(&theirs, &json!({ "sub": "2" })).await, "This invitation is not valid");
    let again = scene.redeem(&code).await;
    assert_eq!(again.status, 401);
    assert!(
        again.text.contains("This invitation is not valid") && !again.text.contains("ada@"),
        "{}",
        again.text
    );

    let late = scene.invite("bob@example.com").await;
    let begun = begun(&scene.redeem(&late).await);
    scene.server.clock.advance(Member::INVITATION_SECONDS);
    assert_eq!(scene.redeem(&late).await.status, 401);
    drop(begun);
}

async fn a_sign_in_gives_a_new_session_and_ends_the_earlier_one(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.member("ada@example.com", &json!({})).await;
    let first = session(&scene.answer(&scene.begin("sso").await, &json!({})).await).unwrap();
    let browser = scene.browser().with("cookie", &first);
    let begun = begun(
        &browser.post_form("/console/sign-in/with/sso", "next=%2Fconsole%2Forgs%2Fdefault%2Fusage").await,
    );
    let answer = scene.answer(&begun, &json!({})).await;
    let second = session(&answer).unwrap();
    assert!(answer.text.contains("/console/orgs/default/usage"), "{}", answer.text);
    assert_ne!(first, second);
    let status = async |cookie: &str| {
        scene.server.client().with("cookie", cookie).get("/console/orgs/default/keys").await.status
    };
    assert_eq!((status(&first).await, status(&second).await), (303, 200));
    for hostile in ["https%3A%2F%2Felsewhere.example", "%2F%2Felsewhere.example"] {
        let page = scene.browser().post_form("/console/sign-in/with/sso", &format!("next={hostile}")).await;
        let answer = scene.answer(&self::begun(&page), &json!({})).await;
        assert!(!answer.text.contains("elsewhere"), "{}", answer.text);
    }
    let without = scene.server.client().post_form("/console/sign-in/with/sso", "next=").await;
    assert_eq!(without.status, 403, "only our own pages begin an attempt");
}

async fn whoever_guesses_waits_and_nobody_else(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.member("ada@example.com", &json!({})).await;
    let code = scene.invite("bob@example.com").await;
    // Any page can have a browser send these, which guess nothing.
    for _ in 0..20 {
        let stray = scene.server.client().get(&format!("{CALLBACK}?code=c&state=s")).await;
        assert_eq!(stray.status, 401);
    }
    for guess in 0..10 {
        let answer = match guess % 2 {
            0 => scene.redeem(&BASE64URL.encode([guess; 32])).await,
            _ => scene.call_back(&scene.begin("sso").await).await,
        };
        assert_eq!(answer.status, 401);
    }
    assert_eq!(scene.redeem(&code).await.status, 429);
    assert_eq!(scene.call_back(&scene.begin("sso").await).await.status, 429);
    assert_eq!(scene.server.admin().get("/v1/orgs/default/keys").await.status, 200);
    scene.server.clock.advance(60);
    assert_eq!(scene.redeem(&code).await.status, 200);
}
