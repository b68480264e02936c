use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Object<'_>, JsonFault> {
    Object::parse(text.as_bytes())
}

/// The value of `a` in an object that has only this member.
fn value(text: &str) -> Result<Value<'_>, JsonFault> {
    parse(text).map(|object| object.get("a").cloned().unwrap_or(Value::Other))
}

#[test]
fn each_json_type_reads_as_its_value() {
    let text = r#" { "s" : "x" , "i" : -12 , "a" : [ 1 , [ ] ] , "o" : { } , "n" : null } "#;
    let object = parse(text).unwrap();
    assert_eq!(object.get("s"), Some(&Value::String("x".into())));
    assert_eq!(object.get("i"), Some(&Value::Integer(-12)));
    assert_eq!(object.get("a"), Some(&Value::Array(vec![Value::Integer(1), Value::Array(Vec::new())])));
    assert_eq!(object.get("o"), Some(&Value::Object(Object::default())));
    assert_eq!(object.get("n"), Some(&Value::Other));
    assert!(object.has("n") && !object.has("x") && object.get("x").is_none());
}

#[test]
fn integers_are_exact_and_other_numbers_are_none() {
    for (number, expected) in [
        ("0", Value::Integer(0)),
        ("9223372036854775807", Value::Integer(i64::MAX)),
        ("-9223372036854775808", Value::Integer(i64::MIN)),
        ("9223372036854775808", Value::Other),
        ("-0", Value::Other),
        ("1.0", Value::Other),
        ("1e3", Value::Other),
        ("1E+999", Value::Other),
        ("0.5e-7", Value::Other),
        ("true", Value::Boolean(true)),
        ("false", Value::Boolean(false)),
    ] {
        assert_eq!(value(&format!(r#"{{"a":{number}}}"#)), Ok(expected), "{number}");
    }
    for number in
        ["01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity", "--1", "1_0", "nul", "True"]
    {
        assert_eq!(value(&format!(r#"{{"a":{number}}}"#)), Err(JsonFault::Syntax), "{number}");
    }
}

#[test]
fn escapes_are_undone() {
    for (text, expected) in [
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u0041\u00e9\u20AC""#, "Aé€"),
        (r#""x\ud83d\ude00y""#, "x😀y"),
        (r#""é😀""#, "é😀"),
        (r#""""#, ""),
    ] {
        assert_eq!(value(&format!(r#"{{"a":{text}}}"#)), Ok(Value::String(expected.into())), "{text}");
    }
    for text in [
        r#""\x""#,
        r#""\u12""#,
        r#""\u+123""#,
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\u0041""#,
        r#""\ude00""#,
        r#""\uD83D\uD83D""#,
        r#""\"#,
        r#"""#,
        "\"\n\"",
        "\"\0\"",
        "'x'",
    ] {
        assert_eq!(value(&format!(r#"{{"a":{text}}}"#)), Err(JsonFault::Syntax), "{text}");
    }
}

#[test]
fn only_one_object_and_nothing_else_is_read() {
    for text in [
        "",
        " ",
        "{",
        "{}{}",
        "{} x",
        "{},",
        "\u{feff}{}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}",
        "{}\0",
        "//\n{}",
        "{\u{a0}}",
    ] {
        assert_eq!(parse(text), Err(JsonFault::Syntax), "{text:?}");
    }
    for text in ["[]", "[{}]", "1", "\"{}\"", "null", "true"] {
        assert_eq!(parse(text), Err(JsonFault::NotAnObject), "{text:?}");
    }
    assert_eq!(Object::parse(b"{\"a\":\"\xff\"}"), Err(JsonFault::Syntax));
}

#[test]
fn no_member_occurs_twice_at_any_depth_in_any_spelling() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"{"a":{"b":1,"b":1}}"#,
        r#"{"a":[0,{"b":[{"c":1,"c":2}]}]}"#,
        r#"{"":1,"":2}"#,
    ] {
        assert_eq!(parse(text), Err(JsonFault::DuplicateMember), "{text}");
    }
    assert!(parse(r#"{"a":{"a":{"a":1}},"A":[{"a":1},{"a":1}]}"#).is_ok());
}

#[test]
fn too_deep_and_too_wide_documents_are_refused() {
    let nested = |depth: usize| format!("{}{}{}", r#"{"a":"#.repeat(depth), "{}", "}".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH - 1)).is_ok());
    assert_eq!(parse(&nested(MAX_DEPTH)), Err(JsonFault::TooDeep));
    assert_eq!(parse(&"[".repeat(100_000)), Err(JsonFault::TooDeep));
    assert_eq!(parse(&"{\"a\":".repeat(100_000)), Err(JsonFault::TooDeep));

    let wide = |members: usize| {
        let members: Vec<String> = (0..members).map(|index| format!(r#""{index}":0"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(parse(&wide(MAX_MEMBERS)).is_ok());
    assert_eq!(parse(&wide(MAX_MEMBERS + 1)), Err(JsonFault::TooManyMembers));
}

/// The value that this reader should produce for a value of `serde_json`.
fn expected(value: &serde_json::Value) -> Value<'static> {
    match value {
        serde_json::Value::String(text) => Value::String(text.clone().into()),
        serde_json::Value::Bool(boolean) => Value::Boolean(*boolean),
        serde_json::Value::Number(number) => number.as_i64().map_or(Value::Other, Value::Integer),
        serde_json::Value::Array(values) => Value::Array(values.iter().map(expected).collect()),
        serde_json::Value::Object(members) => Value::Object(Object(
            members.iter().map(|(name, value)| (name.clone().into(), expected(value))).collect(),
        )),
        _ => Value::Other,
    }
}

/// The value with the members of its objects sorted by name.
fn sorted(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        Value::Object(Object(members)) => {
            let mut members: Vec<_> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(Object(members))
        }
        other => other,
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<u64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_reads_what_serde_json_writes(value in prop::collection::btree_map(".{0,6}", any_json(), 0..6)) {
        let value = serde_json::Value::Object(value.into_iter().collect());
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let read = Object::parse(text.as_bytes()).map(|object| sorted(Value::Object(object)));
            prop_assert_eq!(read, Ok(sorted(expected(&value))));
        }
    }

    #[test]
    fn it_agrees_with_serde_json_on_what_is_json(text in r#"[\[\]{},:"ab\\u0189deE+. truefalsn\-]{0,16}"#) {
        let text = format!(r#"{{"a":{text}}}"#);
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
        match (Object::parse(text.as_bytes()), theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(sorted(Value::Object(ours)), sorted(expected(&theirs))),
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{error}"),
            (Err(fault), Ok(_)) => prop_assert_ne!(fault, JsonFault::Syntax),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn it_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Object::parse(&bytes);
    }
}
