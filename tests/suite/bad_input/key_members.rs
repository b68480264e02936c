//! What a key can't be made from, nor be changed to, member by member.

use serde_json::{Value, json};

use super::{CREATED, KEYS, MALFORMED, OK, Verdict, assert_api};
use crate::support::{Backend, Client, Server, on_both};

on_both!(
    a_key_has_what_a_key_needs_and_nothing_else,
    names_are_of_every_script_and_without_control_characters,
    a_key_has_scopes_or_a_preset,
    ranges_are_written_in_their_one_way,
    an_end_lies_in_the_future,
);

/// A good body with these members instead.
pub(super) fn with(members: Value) -> Value {
    let mut body = json!({ "name": "a", "project": "default", "environment": "prd", "preset": "query_only" });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

fn without(member: &str) -> Value {
    let mut body = with(json!({}));
    body.as_object_mut().unwrap().remove(member);
    body
}

/// Makes a key from each body.
async fn check(admin: &Client, verdict: Verdict, bodies: impl IntoIterator<Item = Value>) {
    for body in bodies {
        let what: String = body.to_string().chars().take(300).collect();
        assert_api(&what, &admin.post_json(KEYS, &body).await, verdict);
    }
}

/// Makes a key from each of these members, the others being good, and changes a key to have them.
async fn check_members(admin: &Client, verdict: Verdict, members: impl IntoIterator<Item = Value>) {
    let (id, _) = admin.create_key(&["read:*"]).await;
    let path = format!("{KEYS}/{id}");
    for members in members {
        check(admin, verdict, [with(members.clone())]).await;
        let what: String = format!("changed to {members}").chars().take(300).collect();
        let mut patch = members;
        // A key that is made has one there, which is taken back so.
        patch.as_object_mut().unwrap().retain(|name, value| name != "preset" || !value.is_null());
        let verdict = if verdict == CREATED { OK } else { verdict };
        assert_api(&what, &admin.patch(&path, &patch).await, verdict);
    }
}

async fn a_key_has_what_a_key_needs_and_nothing_else(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let nulls =
        json!({ "note": null, "scopes": null, "cidrs": null, "expires_at": null, "expires_in": null });
    check_members(&admin, CREATED, [json!({})]).await;
    check(&admin, CREATED, [with(nulls)]).await;
    check(&admin, MALFORMED, ["name", "project", "environment", "preset"].map(without)).await;
    check_members(
        &admin,
        MALFORMED,
        [
            json!({ "unknown": null }),
            json!({ "Name": "a" }),
            json!({ "id": "key_0123456789abcdef" }),
            json!({ "organization": "default" }),
            json!({ "name": null }),
            json!({ "name": 1 }),
            json!({ "name": ["a"] }),
            json!({ "name": {"a": "b"} }),
            json!({ "note": true }),
            json!({ "note": 1.5 }),
            json!({ "project": null }),
            json!({ "project": 1 }),
            json!({ "project": "" }),
            json!({ "project": "Default" }),
            json!({ "project": "DEFAULT" }),
            json!({ "project": "default/default" }),
            json!({ "project": "*" }),
            json!({ "project": "a".repeat(64) }),
            json!({ "project": "none-such" }),
            json!({ "environment": null }),
            json!({ "environment": "" }),
            json!({ "environment": "PRD" }),
            json!({ "environment": "pr-d" }),
            json!({ "environment": "a".repeat(13) }),
            json!({ "environment": "nonesuch" }),
        ],
    )
    .await;
}

async fn names_are_of_every_script_and_without_control_characters(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let scripts = [
        "x",
        " x ",
        "Ключ",
        "键 鍵 열쇠",
        "مفتاح",
        "मुख्य",
        "é e\u{301}",
        "🔑👩‍🔧",
        "'; DROP TABLE keys;--",
        "\\\"%_",
    ];
    for name in scripts.map(str::to_owned).into_iter().chain(["🔑".repeat(200)]) {
        let created = admin.post_json(KEYS, &with(json!({ "name": name, "note": name }))).await;
        assert_api(&name, &created, CREATED);
        let read = admin.get(&format!("{KEYS}/{}", created.json()["id"].as_str().unwrap())).await.json();
        assert_eq!((&read["name"], &read["note"]), (&json!(name), &json!(name)));
    }
    let long_note = json!({ "note": "é".repeat(2_000) });
    check_members(&admin, CREATED, [json!({ "note": "" }), json!({ "note": "one\n\ttwo" }), long_note]).await;
    check_members(
        &admin,
        MALFORMED,
        [
            json!({ "name": "" }),
            json!({ "name": " " }),
            json!({ "name": "\u{a0}\u{3000}" }),
            json!({ "name": "a\0b" }),
            json!({ "name": "a\nb" }),
            json!({ "name": "a\tb" }),
            json!({ "name": "a\u{7f}" }),
            json!({ "name": "a\u{85}b" }),
            json!({ "name": "\u{1b}[31m" }),
            json!({ "name": "🔑".repeat(201) }),
            json!({ "note": "é".repeat(2_001) }),
            json!({ "note": "a\0b" }),
            json!({ "note": "a\rb" }),
            json!({ "note": "\u{1b}" }),
            json!({ "name": "\u{202e}nimda" }),
            json!({ "name": "a\u{2066}b\u{2069}" }),
            json!({ "note": "one\ntwo\u{202a}" }),
        ],
    )
    .await;
}

async fn a_key_has_scopes_or_a_preset(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let scopes = |list: Value| json!({ "preset": null, "scopes": list });
    let reads = |resource: String| json!({ "action": "read", "resource": resource });
    let numbered = |count: usize| (0..count).map(|at| reads(format!("a{at}"))).collect::<Value>();
    let sized = |bytes: usize| {
        let full: Vec<_> = (0..16).map(|at| format!("{at:0>120}")).collect();
        let others: usize = full.iter().map(|resource| "read: ".len() + resource.len()).sum();
        let last = "a".repeat(bytes - others - "read:".len());
        full.into_iter().chain([last]).map(reads).collect::<Value>()
    };
    let equal = Value::from(vec![json!({ "action": "read" }); 5_000]);
    check_members(
        &admin,
        CREATED,
        [
            json!([{ "action": "read" }]),
            json!([{ "action": "*", "resource": "*" }]),
            numbered(64),
            sized(2_048),
            equal,
        ]
        .map(scopes),
    )
    .await;
    check_members(
        &admin,
        MALFORMED,
        [
            numbered(65),
            numbered(5_000),
            sized(2_049),
            json!([]),
            json!(null),
            json!("read:*"),
            json!(["read:*"]),
            json!([["read", "*"]]),
            json!([null]),
            json!([{}]),
            json!([{ "resource": "*" }]),
            json!([{ "action": null }]),
            json!([{ "action": "READ" }]),
            json!([{ "action": "delete" }]),
            json!([{ "action": "read", "resource": null }]),
            json!([{ "action": "read", "resource": "*", "effect": "allow" }]),
        ]
        .map(scopes),
    )
    .await;
    let long = ["a/".repeat(16) + "a", "a".repeat(129)];
    let resources =
        ["", "a//b", "/a", "a/", "a/../b", "a*", "**/a", "a b", "é", "a\0", "a%2Fb"].map(str::to_owned);
    let resources = resources.into_iter().chain(long).map(|resource| scopes(json!([reads(resource)])));
    check_members(&admin, MALFORMED, resources).await;
    check_members(
        &admin,
        MALFORMED,
        [
            json!({ "scopes": [] }),
            json!({ "scopes": [{ "action": "read" }], "preset": "query_only" }),
            json!({ "preset": "Full_Access" }),
            json!({ "preset": "" }),
            json!({ "preset": ["full_access"] }),
            json!({ "preset": { "full_access": null } }),
        ],
    )
    .await;
}

async fn ranges_are_written_in_their_one_way(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let ranges = |list: Value| json!({ "cidrs": list });
    let numbered = |count: usize| (0..count).map(|at| json!(format!("10.0.0.{at}"))).collect::<Value>();
    check_members(&admin, CREATED, [json!([]), json!(["*"]), numbered(32)].map(ranges)).await;
    let lists = [numbered(33), json!("10.0.0.0/8"), json!([null]), json!([["10.0.0.0/8"]]), json!([10])];
    check_members(&admin, MALFORMED, lists.map(ranges)).await;
    let entries = [
        "",
        " 10.0.0.0/8",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "10.0.0.0/",
        "010.0.0.1",
        "10.1",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0-10.0.0.9",
        "10.0.0.1\0",
        "0x0a000001",
        "2001:db8::1/32",
        "::/129",
        "[::1]",
        "fe80::1%eth0",
        "localhost",
    ];
    check_members(&admin, MALFORMED, entries.map(|entry| ranges(json!([entry])))).await;
}

async fn an_end_lies_in_the_future(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let at = |time: &str| json!({ "expires_at": time });
    let times = ["2026-01-01T00:00:01Z", "2026-01-01T05:30:01+05:30", "9999-12-31T23:59:59Z"];
    check_members(&admin, CREATED, times.map(at)).await;
    let times = [
        "2026-01-01T00:00:00Z",
        "2025-12-31T23:59:59Z",
        "1969-12-31T23:59:59Z",
        "2027-02-30T00:00:00Z",
        "2027-01-01",
        "2027-01-01T00:00:00",
        "10000-01-01T00:00:00Z",
        "tomorrow",
        "",
    ];
    check_members(&admin, MALFORMED, times.map(at)).await;
    let after = |span: Value| json!({ "expires_in": span });
    check_members(
        &admin,
        CREATED,
        [json!(1), json!(251_635_075_199_i64), json!("30d"), json!("1y")].map(after),
    )
    .await;
    let spans = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(251_635_075_200_i64),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("31d"),
        json!("30D"),
        json!("3600"),
        json!(true),
        json!([30]),
        json!({}),
    ];
    check_members(&admin, MALFORMED, spans.map(after)).await;
    let both = json!({ "expires_in": "30d", "expires_at": "2027-01-01T00:00:00Z" });
    check_members(&admin, MALFORMED, [both, json!({ "expires_at": 1_800_000_000 })]).await;
}
