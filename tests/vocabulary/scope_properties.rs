//! What holds for every scope.

use claviger::domain::scope::{Resource, Scope, Scopes, Verb};
use proptest::prelude::*;

/// Segments from a few literals, so that two filters often have to do with each other.
fn filter() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "claviger", "key_1", "A"]).prop_map(str::to_owned),
        2 => Just("*".to_owned()),
        1 => "[A-Za-z0-9._~:@=+,-]{1,8}".prop_filter("dot segments", |text| text != "." && text != ".."),
    ];
    (prop::collection::vec(segment, 0..6), any::<bool>()).prop_map(|(mut segments, rest)| {
        if rest || segments.is_empty() {
            segments.push("**".to_owned());
        }
        segments.join("/")
    })
}

fn any_scope() -> impl Strategy<Value = Scope> {
    (prop::sample::select(vec!["*", "admin", "read", "write"]), filter())
        .prop_map(|(action, filter)| parsed(&format!("{action}:{filter}")))
}

fn parsed(text: &str) -> Scope {
    text.parse().unwrap()
}

/// A scope that covers the given one, made by letting go of some of its segments.
fn wider(narrow: &Scope, choices: &[u8]) -> Scope {
    let mut segments = Vec::new();
    for (index, segment) in narrow.filter().as_str().split('/').enumerate() {
        let reserved = index == 0 && segment == "claviger";
        match choices.get(index).copied().unwrap_or_default() % 4 {
            0 if !reserved => {
                segments.push("**");
                break;
            }
            1 if !reserved && segment != "**" => segments.push("*"),
            _ => segments.push(segment),
        }
    }
    let any_action = choices.last().is_some_and(|choice| choice % 2 == 0);
    let action = if any_action { "*" } else { narrow.action().as_str() };
    parsed(&format!("{action}:{}", segments.join("/")))
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn text_and_json_say_the_same_and_are_canonical(scope in any_scope()) {
        let text = scope.to_string();
        prop_assert_eq!(&text.parse::<Scope>().unwrap(), &scope);
        let json = serde_json::to_string(&scope).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Scope>(&json).unwrap(), &scope);
        prop_assert!(text.contains(':') && !text.ends_with(":**"));
    }

    #[test]
    fn order_is_the_byte_order_of_the_texts(a in any_scope(), b in any_scope()) {
        prop_assert_eq!(a.cmp(&b), a.to_string().as_bytes().cmp(b.to_string().as_bytes()));
        prop_assert_eq!(a == b, a.to_string() == b.to_string());
    }

    #[test]
    fn covers_is_a_partial_order(a in any_scope(), one in choices(), two in choices(), other in any_scope()) {
        prop_assert!(a.covers(&a));
        let b = wider(&a, &one);
        let c = wider(&b, &two);
        prop_assert!(b.covers(&a) && c.covers(&b) && c.covers(&a), "{} {} {}", a, b, c);
        for (x, y) in [(&a, &b), (&b, &c), (&a, &other), (&b, &other)] {
            prop_assert!(x == y || !(x.covers(y) && y.covers(x)), "{} {}", x, y);
        }
        if other.covers(&c) {
            prop_assert!(other.covers(&a));
        }
    }

    #[test]
    fn who_covers_permits_whatever_the_covered_permits(
        narrow in any_scope(),
        choices in choices(),
        path in prop::collection::vec(prop::sample::select(vec!["a", "b", "claviger", "z"]), 1..7),
        verb in prop::sample::select(vec![Verb::Admin, Verb::Read, Verb::Write]),
    ) {
        let wide = wider(&narrow, &choices);
        let resource: Resource = path.join("/").parse().unwrap();
        prop_assert!(wide.matches(verb, &resource) || !narrow.matches(verb, &resource));
        if wide.matches(verb, &resource) {
            prop_assert_eq!(wide.is_reserved(), resource.is_reserved());
        }
    }

    #[test]
    fn lists_are_sorted_without_duplicates_and_never_merged(
        scopes in prop::collection::vec(any_scope(), 1..12),
    ) {
        let list: Scopes = scopes.iter().cloned().chain(scopes.iter().cloned()).collect();
        let mut texts: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        texts.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        texts.dedup();
        prop_assert_eq!(list.to_string(), texts.join(" "));
        prop_assert_eq!(Scopes::parse_list(&texts.join(" ")).unwrap(), list.clone());
        let (reserved, others) = list.partition_reserved();
        prop_assert!(reserved.iter().all(Scope::is_reserved) && !others.iter().any(Scope::is_reserved));
        prop_assert_eq!(reserved.into_iter().chain(others).collect::<Scopes>(), list);
    }

    #[test]
    fn no_text_at_all_makes_the_parsers_panic(text in any::<String>(), near in "(read|\\*)?:?[a*/.: é]{0,20}") {
        for text in [&text, &near] {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
            }
            if let Ok(list) = Scopes::parse_list(text) {
                prop_assert_eq!(Scopes::parse_list(&list.to_string()).unwrap(), list);
            }
            if let Ok(resource) = text.parse::<Resource>() {
                prop_assert_eq!(resource.as_str(), text.as_str());
            }
        }
    }
}
