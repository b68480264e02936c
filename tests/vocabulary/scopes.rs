//! Scopes: the vectors, and what they cannot say.

use claviger::domain::scope::{Filter, FilterError, Preset, Resource, Scope, ScopeError, Scopes, Verb};
use serde::Deserialize;
use serde_json::Value;

use crate::vectors::Vectors;

fn scope(text: &str) -> Scope {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn every_vector_of_scopes_holds() {
    let mut vectors = Vectors::read(include_str!("../vectors/scopes.json"));
    vectors.take("accepted").iter().for_each(accepted);
    vectors.take("refused").iter().for_each(refused);
    vectors.take("json").iter().for_each(json);
    vectors.take("resources").iter().for_each(resource);
    vectors.take("covers").iter().for_each(covers);
    vectors.take("matches").iter().for_each(matches);
    vectors.take("at_or_below").iter().for_each(at_or_below);
    vectors.take("lists").iter().for_each(list);
    vectors.take("list_covers").iter().for_each(list_covers);
    vectors.end();
}

#[test]
fn an_action_is_written_as_it_is_read() {
    for (action, text) in [(Verb::Admin, "admin"), (Verb::Read, "read"), (Verb::Write, "write")] {
        assert_eq!((action.to_string().as_str(), text.parse()), (text, Ok(action)));
    }
}

#[derive(Deserialize)]
struct Accepted {
    scope: String,
    canonical: String,
}

fn accepted(row: &Accepted) {
    let read = scope(&row.scope);
    assert_eq!(read.to_string(), row.canonical, "{}", row.scope);
    assert_eq!(scope(&row.canonical), read, "{}", row.scope);
    assert_eq!(scope(&row.canonical).to_string(), row.canonical);
}

#[derive(Deserialize)]
struct Refused {
    scope: String,
    why: String,
}

fn refused(row: &Refused) {
    assert!(row.scope.parse::<Scope>().is_err(), "{:?}: {}", row.scope, row.why);
}

#[derive(Deserialize)]
struct Json {
    json: Value,
    canonical: Option<String>,
}

fn json(row: &Json) {
    let read = Scope::deserialize(&row.json).ok();
    assert_eq!(read.as_ref().map(Scope::to_string), row.canonical, "{}", row.json);
    if let Some(scope) = read {
        let written = serde_json::to_value(&scope).unwrap();
        assert_eq!(Scope::deserialize(&written).unwrap(), scope);
        assert_eq!(written["action"], scope.action().as_str());
        assert_eq!(written["resource"], scope.filter().as_str());
    }
}

#[derive(Deserialize)]
struct ResourceRow {
    resource: String,
    accepted: bool,
}

fn resource(row: &ResourceRow) {
    let read = row.resource.parse::<Resource>();
    assert_eq!(read.is_ok(), row.accepted, "{:?}", row.resource);
    if let Ok(resource) = read {
        assert_eq!(resource.to_string(), row.resource);
    }
}

#[derive(Deserialize)]
struct Covers {
    a: String,
    b: String,
    covers: bool,
}

fn covers(row: &Covers) {
    assert_eq!(scope(&row.a).covers(&scope(&row.b)), row.covers, "{} covers {}", row.a, row.b);
}

#[derive(Deserialize)]
struct Matches {
    scope: String,
    action: String,
    resource: String,
    matches: bool,
}

fn matches(row: &Matches) {
    let (verb, resource): (Verb, Resource) = (row.action.parse().unwrap(), row.resource.parse().unwrap());
    let read = scope(&row.scope);
    assert_eq!(read.matches(verb, &resource), row.matches, "{} lets {verb} {resource}", row.scope);
    // A resource is the filter of its literals: permitting it is covering that.
    assert_eq!(read.covers(&Scope::new(verb.into(), Filter::from(&resource))), row.matches);
    assert_eq!(Scopes::from(read).permits(verb, &resource), row.matches);
}

#[derive(Deserialize)]
struct AtOrBelow {
    filter: String,
    root: String,
    reaches: bool,
}

fn at_or_below(row: &AtOrBelow) {
    let (filter, root): (Filter, Resource) = (row.filter.parse().unwrap(), row.root.parse().unwrap());
    assert_eq!(filter.matches_at_or_below(&root), row.reaches, "{filter} reaches {root}");
}

#[derive(Deserialize)]
struct List {
    list: String,
    canonical: Option<String>,
}

fn list(row: &List) {
    let read = Scopes::parse_list(&row.list);
    assert_eq!(read.as_ref().ok().map(Scopes::to_string), row.canonical, "{:?}: {read:?}", row.list);
    let Ok(scopes) = read else { return };
    assert_eq!(Scopes::parse_list(&scopes.to_string()).as_ref(), Ok(&scopes));
    assert_eq!(Scopes::for_key(scopes.clone()).as_ref(), Ok(&scopes));
    let json = serde_json::to_string(&scopes).unwrap();
    assert_eq!(serde_json::from_str::<Scopes>(&json).unwrap(), scopes);
}

#[derive(Deserialize)]
struct ListCovers {
    granted: String,
    requested: String,
    covers: bool,
}

fn list_covers(row: &ListCovers) {
    let [granted, requested] = [&row.granted, &row.requested].map(|list| Scopes::parse_list(list).unwrap());
    assert_eq!(granted.covers_all(&requested), row.covers, "{granted} covers {requested}");
}

#[test]
fn lists_in_json_have_the_limits_of_lists_in_text() {
    let read = |json: &str| serde_json::from_str::<Scopes>(json).ok();
    let numbered = |count: usize| -> String {
        let objects: Vec<_> =
            (0..count).map(|n| format!(r#"{{"action":"read","resource":"{n}"}}"#)).collect();
        format!("[{}]", objects.join(","))
    };
    assert_eq!(read("[]"), Some(Scopes::default()));
    assert_eq!(read(&numbered(64)).map(|scopes| scopes.len()), Some(64));
    assert_eq!(read(&numbered(65)), None);
    for refused in
        ["{}", "null", r#""read:a""#, r#"["read:a"]"#, r#"[["read","a"]]"#, r#"[{"action":"read"},{}]"#]
    {
        assert_eq!(read(refused), None, "{refused}");
    }
    for repeated in
        [r#"[{"action":"read","action":"read"}]"#, r#"[{"action":"*","resource":"a","resource":"a"}]"#]
    {
        assert_eq!(read(repeated), None, "{repeated}");
    }
}

#[test]
fn a_key_has_at_least_one_scope_and_not_too_many() {
    assert_eq!(Scopes::for_key([]), Err(ScopeError::None));
    let many = |count: usize| (0..count).map(|n| scope(&format!("read:{n}")));
    assert!(Scopes::for_key(many(64)).is_ok());
    assert_eq!(Scopes::for_key(many(65)), Err(ScopeError::TooMany));
    assert_eq!(Scopes::for_key(many(64).chain(many(64))).map(|scopes| scopes.len()), Ok(64));
    let long = (0..17).map(|n| scope(&format!("read:{n:0>128}")));
    assert_eq!(Scopes::for_key(long), Err(ScopeError::TooLong));
}

#[test]
fn presets_are_what_they_say() {
    let scopes = |preset: Preset| preset.scopes("acme").unwrap().to_string();
    assert_eq!(scopes(Preset::FullAccess), "*:*");
    assert_eq!(scopes(Preset::QueryOnly), "read:*");
    let keys = "claviger/orgs/acme/projects/*/keys/*";
    assert_eq!(scopes(Preset::KeyAdmin), format!("read:claviger/orgs/acme/** read:{keys} write:{keys}"));
    for outside in ["", "*", "**", "a/b", "..", "a b"] {
        assert!(Preset::KeyAdmin.scopes(outside).is_err(), "{outside:?}");
    }
    for preset in [Preset::FullAccess, Preset::QueryOnly, Preset::KeyAdmin] {
        assert_eq!(preset.as_str().parse(), Ok(preset));
    }
    assert!("admin".parse::<Preset>().is_err());
    assert_eq!(Scope::full_administration(), scope("*:claviger/**"));
}

#[test]
fn a_reserved_path_is_made_of_whole_segments() {
    let filter = |segments: &[&str]| Filter::reserved(segments).map(|filter| filter.to_string());
    assert_eq!(filter(&[]), Ok("claviger".to_owned()));
    assert_eq!(filter(&["orgs", "acme", "**"]), Ok("claviger/orgs/acme/**".to_owned()));
    assert_eq!(filter(&["orgs", "*"]), Ok("claviger/orgs/*".to_owned()));
    assert_eq!(filter(&["**", "keys"]), Err(FilterError::RestNotLast));
    for injected in ["acme/keys", "", "..", "a*", "acme/**", "a b"] {
        assert!(filter(&["orgs", injected]).is_err(), "{injected:?}");
        assert!(Resource::reserved(&["orgs", injected]).is_err(), "{injected:?}");
    }
    let resource = |segments: &[&str]| Resource::reserved(segments).map(|resource| resource.to_string());
    assert_eq!(resource(&["orgs", "acme"]), Ok("claviger/orgs/acme".to_owned()));
    assert_eq!(resource(&["orgs", "*"]), Err(FilterError::WildcardInResource));
}

#[test]
fn errors_name_the_rule_and_quote_nothing_that_needs_escaping() {
    use FilterError as F;
    for (filter, rule) in [
        ("", F::EmptySegment),
        ("a//b", F::EmptySegment),
        (&"x".repeat(129), F::SegmentTooLong),
        (&["a"; 17].join("/"), F::TooManySegments),
        ("a/..", F::DotSegment),
        ("a*", F::PartialWildcard),
        ("***", F::PartialWildcard),
        ("a b", F::ForbiddenCharacter),
        ("**/a", F::RestNotLast),
    ] {
        assert_eq!(filter.parse::<Filter>(), Err(rule), "{filter}");
    }
    let message = |token: &str| token.parse::<Scope>().unwrap_err().to_string();
    assert_eq!(message("delete:a"), "the action must be read, write, admin or *, not `delete`");
    assert_eq!(
        message("read:\"é\""),
        "`read:???` is not a scope: a segment of the resource may contain only letters, digits and -._~:@=+,"
    );
    assert_eq!(
        "*".parse::<Verb>().unwrap_err().to_string(),
        "the action must be read, write or admin, not `*`"
    );
}

#[test]
fn a_huge_list_is_refused_before_it_is_read() {
    assert_eq!(Scopes::parse_list(&"read ".repeat(10_000)), Err(ScopeError::TooLong));
    assert_eq!(Scopes::parse_list(&"?".repeat(1 << 20)), Err(ScopeError::TooLong));
}
