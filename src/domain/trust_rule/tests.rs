use serde_json::json;

use super::*;

const OWN: &str = "https://auth.example.com";

fn rule(rule: serde_json::Value) -> TrustRule {
    serde_json::from_value(rule).unwrap()
}

/// The fault of a rule for the issuer `x` with these members.
fn fault(members: &str) -> RuleFault {
    let draft: Draft = serde_json::from_str(&format!(r#"{{"issuer":"x",{members}}}"#)).unwrap();
    TrustRule::try_from(draft).unwrap_err()
}

fn text(value: &'static str) -> ClaimValue<'static> {
    ClaimValue::Text(value.into())
}

fn presented(claims: Vec<(&'static str, ClaimValue<'static>)>) -> PresentedClaims<'static> {
    let all = claims.into_iter().map(|(name, value)| (name.into(), value)).collect();
    PresentedClaims { audience: vec![OWN.into()], all: ClaimObject(all) }
}

fn platform(issuer: &str) -> Platform {
    Platform::of(&issuer.parse().unwrap())
}

#[test]
fn a_rule_reads_back_as_it_was_written() {
    for text in [
        r#"{"issuer":"gh","subject":"repo:acme/web:*","claims":{}}"#,
        r#"{"issuer":"k8s","audience":"https://x.example","claims":{"/a~1b/c~0d":"1","/kubernetes.io/namespace":"web"}}"#,
    ] {
        let rule: TrustRule = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&rule).unwrap(), text);
    }
}

#[test]
fn each_fault_of_a_rule_has_its_text() {
    let many: Vec<String> = (0..=TrustRule::MAX_CLAIMS).map(|at| format!(r#""/c{at}":"1""#)).collect();
    let long = "a".repeat(TrustRule::MAX_VALUE + 1);
    let faults = [
        fault(r#""claims":{}"#),
        fault(r#""audience":"","subject":"a""#),
        fault(&format!(r#""subject":"{long}""#)),
        fault(r#""subject":"repo:acme*""#),
        fault(&format!(r#""claims":{{{}}}"#, many.join(","))),
        fault(r#""claims":{"repository_id":"1"}"#),
        fault(r#""claims":{"/repository_id":"a\u0000b"}"#),
        fault(r#""claims":{"/a":"1","/a":"2"}"#),
        fault(r#""claims":{"/sub":"a"}"#),
        fault(r#""claims":{"/exp":"1"}"#),
        rule(json!({"issuer": "x", "subject": "a"})).check_for(Platform::GithubActions).unwrap_err(),
        Preset::named("entra").unwrap().fill("x".parse().unwrap(), None, None, Vec::new()).unwrap_err(),
        RuleFault::PresetUnknown("colour".into()),
    ];
    let faults = crate::base::every_variant::with_every_variant(include_str!("fault.rs"), faults);
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn pointers_follow_rfc_6901_and_lead_into_objects() {
    for bad in ["", "a", "/", "//a", "/a/", "/a~", "/a~2", "/~", "/a\u{7}"] {
        assert!(bad.parse::<Pointer>().is_err(), "{bad:?}");
    }
    let inner = ClaimObject(vec![("b/c~d".into(), text("x"))]);
    let claims = ClaimObject(vec![("a".into(), ClaimValue::Object(inner)), ("l".into(), ClaimValue::Other)]);
    let find = |pointer: &str| pointer.parse::<Pointer>().unwrap().find(&claims).cloned();
    assert_eq!(find("/a/b~1c~0d"), Some(text("x")));
    for absent in ["/a/b", "/a/b~1c~0d/e", "/l/0", "/x", "/a~1b~1c~0d"] {
        assert_eq!(find(absent), None, "{absent}");
    }
}

#[test]
fn a_star_in_a_subject_ends_no_name_half_way() {
    let pattern = |text: &str| text.parse::<SubjectPattern>();
    for bad in ["", "*", "a*", "repo:acme/we*", "repo:*:main", "**", "a:**", "a\nb"] {
        assert!(pattern(bad).is_err(), "{bad:?}");
    }
    let web = pattern("repo:acme/web:*").unwrap();
    assert!(web.matches("repo:acme/web:ref:refs/heads/main"));
    for other in
        ["repo:acme/web:", "repo:acme/web", "repo:acme/web2:x", "Repo:acme/web:x", " repo:acme/web:x"]
    {
        assert!(!web.matches(other), "{other:?}");
    }
    let exact = pattern("repo:acme/web").unwrap();
    assert!(exact.matches("repo:acme/web") && !exact.matches("repo:acme/web:") && exact.is_exact());
}

#[test]
fn shared_issuers_need_what_nobody_else_can_register_again() {
    let github = "https://token.actions.githubusercontent.com";
    let entra = "https://login.microsoftonline.com/t/v2.0";
    for (issuer, members, is_enough) in [
        (github, json!({"subject": "repo:acme/web:*"}), false),
        (github, json!({"claims": {"/repository": "acme/web"}}), false),
        (github, json!({"claims": {"/a/repository_id": "1"}}), false),
        (github, json!({"claims": {"/repository_id": "1"}}), true),
        (github, json!({"claims": {"/repository_owner_id": "1"}}), true),
        ("https://token.actions.githubusercontent.com/acme", json!({"subject": "a"}), false),
        ("https://token.actions.acme.ghe.com", json!({"subject": "a"}), false),
        ("https://git.acme.example/_services/token", json!({"subject": "a"}), false),
        ("https://TOKEN.actions.githubusercontent.com", json!({"subject": "a"}), false),
        ("https://gitlab.com", json!({"claims": {"/project_path": "acme/web"}}), false),
        ("https://gitlab.com", json!({"claims": {"/namespace_id": "1"}}), true),
        ("https://gitlab.acme.example", json!({"claims": {"/project_path": "acme/web"}}), true),
        ("https://accounts.google.com", json!({"claims": {"/email": "a@example.com"}}), false),
        ("https://accounts.google.com", json!({"subject": "1"}), true),
        ("https://accounts.google.com", json!({"subject": "1:*"}), false),
        (entra, json!({"claims": {"/oid": "1"}}), false),
        (entra, json!({"claims": {"/oid": "1", "/tid": "t"}}), true),
        ("https://sts.windows.net/t/", json!({"subject": "1"}), false),
        ("https://k8s.acme.example", json!({"subject": "system:serviceaccount:web:api"}), true),
    ] {
        let mut whole = members.clone();
        whole["issuer"] = json!("x");
        let rule = rule(whole);
        assert_eq!(rule.check_for(platform(issuer)).is_ok(), is_enough, "{issuer} {members}");
        let judged = rule.judge(&presented(Vec::new()), OWN, platform(issuer));
        assert_eq!(
            judged == Err(Mismatch::Pins),
            !is_enough,
            "a stored rule is no weaker: {issuer} {members}"
        );
    }
}

#[test]
fn all_of_a_rule_has_to_match() {
    let rule = rule(json!({
        "issuer": "x", "subject": "repo:acme/web:*",
        "claims": {"/number": "7", "/flag": "true", "/k/uid": "u"},
    }));
    let nested = |uid| ClaimValue::Object(ClaimObject(vec![("uid".into(), text(uid))]));
    let good = vec![
        ("sub", text("repo:acme/web:x")),
        ("number", ClaimValue::Integer(7)),
        ("flag", ClaimValue::Boolean(true)),
        ("k", nested("u")),
    ];
    let judge = |claims| rule.judge(&presented(claims), OWN, Platform::Unshared);
    assert_eq!(judge(good.clone()), Ok(()));
    let claim = |pointer: &str| Err(Mismatch::Claim(pointer.parse().unwrap()));
    for (at, other, expected) in [
        (0, ("sub", text("repo:acme/web")), Err(Mismatch::Subject)),
        (0, ("sub", ClaimValue::Other), Err(Mismatch::Subject)),
        (0, ("Sub", text("repo:acme/web:x")), Err(Mismatch::Subject)),
        (1, ("number", text("7")), Ok(())),
        (1, ("number", text("07")), claim("/number")),
        (1, ("number", ClaimValue::Integer(70)), claim("/number")),
        (1, ("number", ClaimValue::Other), claim("/number")),
        (2, ("flag", ClaimValue::Boolean(false)), claim("/flag")),
        (2, ("flag", text("True")), claim("/flag")),
        (2, ("flag", ClaimValue::Integer(1)), claim("/flag")),
        (3, ("k", nested("u ")), claim("/k/uid")),
        (3, ("k", text("u")), claim("/k/uid")),
        (3, ("k", ClaimValue::Other), claim("/k/uid")),
    ] {
        let mut claims = good.clone();
        claims[at] = other.clone();
        assert_eq!(judge(claims), expected, "{other:?}");
    }
}

#[test]
fn the_audience_is_exactly_one_value() {
    let own = rule(json!({"issuer": "x", "subject": "a"}));
    let other = rule(json!({"issuer": "x", "subject": "a", "audience": "https://x.example"}));
    let judge = |rule: &TrustRule, audience: &[&'static str]| {
        let audience = audience.iter().map(|&one| one.into()).collect();
        let presented = PresentedClaims { audience, ..presented(vec![("sub", text("a"))]) };
        rule.judge(&presented, OWN, Platform::Unshared)
    };
    assert_eq!(judge(&own, &[OWN]), Ok(()));
    assert_eq!(judge(&other, &["https://x.example"]), Ok(()));
    for (rule, audience) in [
        (&own, &[][..]),
        (&own, &["https://auth.example.com/"]),
        (&own, &[OWN, "https://x.example"]),
        (&own, &[OWN, OWN]),
        (&other, &[OWN]),
    ] {
        assert_eq!(judge(rule, audience), Err(Mismatch::Audience), "{audience:?}");
    }
}

#[test]
fn events_that_others_cause_have_to_be_named() {
    let github = Platform::GithubActions;
    let open = rule(json!({"issuer": "x", "claims": {"/repository_id": "1"}}));
    let named = rule(json!({
        "issuer": "x", "claims": {"/repository_id": "1", "/event_name": "pull_request_target"},
    }));
    let from = |event| presented(vec![("repository_id", text("1")), ("event_name", text(event))]);
    assert_eq!(open.judge(&from("push"), OWN, github), Ok(()));
    for event in ["pull_request_target", "workflow_run"] {
        assert_eq!(open.judge(&from(event), OWN, github), Err(Mismatch::Event), "{event}");
    }
    assert_eq!(named.judge(&from("pull_request_target"), OWN, github), Ok(()));
    assert!(named.judge(&from("workflow_run"), OWN, github).is_err());
    assert_eq!(open.judge(&from("workflow_run"), OWN, Platform::Unshared), Ok(()));
}

#[test]
fn what_was_compared_is_shown_short_and_printable() {
    let rule = rule(json!({"issuer": "x", "subject": "a", "claims": {"/b": "1", "/c": "1"}}));
    let long = "x".repeat(200);
    let all = vec![("sub".into(), text("a\u{1b}[2J")), ("b".into(), ClaimValue::Text(long.into()))];
    let presented = PresentedClaims { audience: vec!["one".into(), "two".into()], all: ClaimObject(all) };
    let shown: Vec<_> =
        rule.compared(&presented).into_iter().map(|compared| (compared.claim, compared.presented)).collect();
    let claim = |name: &str, text: Option<&str>| (name.to_owned(), text.map(str::to_owned));
    assert_eq!(
        shown,
        [
            claim("aud", Some("one two")),
            claim("sub", Some("a\u{fffd}[2J")),
            claim("/b", Some(&format!("{}…", "x".repeat(128)))),
            claim("/c", None),
        ]
    );
}

#[test]
fn a_filled_preset_is_enough_for_its_platform() {
    for preset in Preset::ALL {
        let values: Vec<_> = preset.pins.iter().map(|pin| (pin.name.to_owned(), "1".to_owned())).collect();
        let filled = preset.fill("x".parse().unwrap(), None, None, values).unwrap();
        let issuer = preset.issuer.unwrap_or("https://login.microsoftonline.com/t/v2.0");
        if preset.name != "kubernetes" {
            assert_eq!(filled.check_for(platform(issuer)), Ok(()), "{}", preset.name);
        }
        let unknown = preset.fill("x".parse().unwrap(), None, None, vec![("colour".into(), "1".into())]);
        assert!(unknown.is_err());
    }
}

#[test]
fn a_subject_narrows_a_preset() {
    let fill = |name: &str, subject: &str, values: &[(&str, &str)]| {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Preset::named(name).unwrap().fill("x".parse().unwrap(), None, Some(subject.to_owned()), values)
    };
    let github = fill("github", "repo:acme/web:*", &[("repository_id", "1")]).unwrap();
    assert_eq!(
        github,
        rule(json!({"issuer": "x", "subject": "repo:acme/web:*", "claims": {"/repository_id": "1"}}))
    );
    assert_eq!(fill("google", "1", &[]).unwrap(), rule(json!({"issuer": "x", "subject": "1"})));
    assert_eq!(fill("github", "repo:acme/web:*", &[]), Err(RuleFault::PresetNeeds("repository_id")));
}

#[test]
fn an_issuer_that_many_share_has_a_preset() {
    for preset in Preset::ALL {
        let url = match (preset.name, preset.issuer) {
            (_, Some(url)) => url,
            ("entra", None) => "https://login.microsoftonline.com/t/v2.0",
            _ => continue,
        };
        assert_eq!(Preset::of(platform(url)), Some(preset));
    }
    assert_eq!(Preset::of(platform("https://cluster.example")), None);
}
