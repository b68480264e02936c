//! What an organization and a project can't be made from, nor be changed to, member by member.

use serde_json::{Value, json};

use super::{CREATED, MALFORMED, OK, Verdict, assert_api};
use crate::support::{Backend, Client, Server, on_both};

on_both!(
    ids_are_slugs,
    names_are_a_line_of_any_script,
    audiences_are_a_list_of_some,
    environments_are_a_list_of_slugs
);

const ORGS: &str = "/v1/orgs";
const PROJECTS: &str = "/v1/orgs/default/projects";

/// Makes and changes things of both kinds with these members, at first only tries to; what is new is called `id`.
struct Maker {
    admin: Client,
    made: u32,
}

impl Maker {
    fn at(server: &Server) -> Self {
        Self { admin: server.admin(), made: 0 }
    }

    async fn check(
        &mut self,
        collections: &[&str],
        verdict: Verdict,
        members: impl IntoIterator<Item = Value>,
    ) {
        for members in members {
            for collection in collections {
                self.made += 1;
                let mut new = members.clone();
                new["id"] = format!("new-{}", self.made).into();
                let what: String = format!("{collection} {members}").chars().take(200).collect();
                assert_api(&what, &self.admin.post_json(collection, &new).await, verdict);
                let verdict = if verdict == CREATED { OK } else { verdict };
                for query in ["?dry_run=true", ""] {
                    let path = format!("{collection}/default{query}");
                    assert_api(&what, &self.admin.patch(&path, &members).await, verdict);
                }
            }
        }
    }
}

async fn ids_are_slugs(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let longest = "a".repeat(63);
    for collection in [ORGS, PROJECTS] {
        for id in ["a", "z-", "a-9-b", &longest] {
            assert_api(id, &admin.post_json(collection, &json!({ "id": id })).await, CREATED);
        }
        let too_long = format!("{longest}a");
        let ids = [
            "", "A", "9", "-a", "a_b", "a.b", "a/b", "a b", "é", "a\0", "*", "**", ".", "..", "ключ", "a\n",
            &too_long,
        ];
        let ids = ids.map(|id| json!({ "id": id }));
        let others = [
            json!({}),
            json!({ "id": null }),
            json!({ "id": 1 }),
            json!({ "id": ["a"] }),
            json!({ "name": "a" }),
        ];
        for body in ids.iter().chain(&others) {
            assert_api(&body.to_string(), &admin.post_json(collection, body).await, MALFORMED);
        }
        let default = format!("{collection}/default");
        for patch in [
            json!({ "id": "default" }),
            json!({ "created_at": "2026-01-01T00:00:00Z" }),
            json!({ "organization": "default" }),
        ] {
            assert_api(&patch.to_string(), &admin.patch(&default, &patch).await, MALFORMED);
        }
    }
    let environments = json!({ "environments": ["prd"] });
    assert_api("an organization has none", &admin.patch("/v1/orgs/default", &environments).await, MALFORMED);
}

async fn names_are_a_line_of_any_script(backend: Backend) {
    let server = Server::start(backend).await;
    let mut maker = Maker::at(&server);
    let name = |name: &str| json!({ "name": name });
    let long = "🔑".repeat(200);
    let good =
        ["x", " x ", "Ключ", "键 열쇠", "مفتاح", "मुख्य", "👩‍🔧", "'; DROP TABLE projects;--", "\\\"%_", &long];
    maker.check(&[ORGS, PROJECTS], CREATED, good.map(name)).await;
    assert_eq!(server.admin().get(&format!("{PROJECTS}/default")).await.done(200)["name"], long);
    let too_long = format!("{long}x");
    let bad =
        ["", " ", "\u{a0}\u{3000}", "a\0b", "a\nb", "a\tb", "a\u{7f}", "a\u{85}b", "\u{1b}[31m", &too_long];
    maker.check(&[ORGS, PROJECTS], MALFORMED, bad.map(name)).await;
    let reordered = ["\u{202e}nimda", "a\u{2066}b\u{2069}", "a\u{202a}"];
    maker.check(&[ORGS, PROJECTS], MALFORMED, reordered.map(name)).await;
    let types = [json!(1), json!(true), json!(["a"]), json!({ "a": "b" })];
    maker.check(&[ORGS, PROJECTS], MALFORMED, types.map(|name| json!({ "name": name }))).await;
}

async fn audiences_are_a_list_of_some(backend: Backend) {
    let server = Server::start(backend).await;
    let mut maker = Maker::at(&server);
    let (api, issuer) = (server.url("/api"), server.url(""));
    let audiences = |list: Value| json!({ "audiences": list });
    maker.check(&[ORGS, PROJECTS], CREATED, [json!([api]), Value::Null].map(audiences)).await;
    let bad = [
        json!([]),
        json!([issuer]),
        json!([format!("{api}/")]),
        json!([api.to_uppercase()]),
        json!(["https://other.example"]),
        json!([""]),
        json!(["*"]),
        json!([null]),
        json!([1]),
        json!([[api]]),
        json!([api, api]),
        json!(vec![api.clone(); 5_000]),
        json!(api),
        json!({ "0": api }),
        json!(false),
    ];
    maker.check(&[ORGS, PROJECTS], MALFORMED, bad.map(audiences)).await;
}

async fn environments_are_a_list_of_slugs(backend: Backend) {
    let server = Server::start(backend).await;
    let mut maker = Maker::at(&server);
    // `default` keeps the one that the administrator's key is in.
    let environments = |list: Value| json!({ "environments": list });
    let numbered = |count: usize| {
        let others = (1..count).map(|at| json!(format!("e{at}")));
        others.chain([json!("prd")]).collect::<Value>()
    };
    let longest = "a".repeat(12);
    let good = [json!(["prd"]), json!(["prd", "a", longest]), numbered(16)];
    maker.check(&[PROJECTS], CREATED, good.map(environments)).await;
    let bad = [
        json!([]),
        json!(["prd", "prd"]),
        numbered(17),
        numbered(20_000),
        json!(["prd", ""]),
        json!(["prd", "PRD"]),
        json!(["prd", "1a"]),
        json!(["prd", "a-b"]),
        json!(["prd", "a b"]),
        json!(["prd dev"]),
        json!(["prd", "é"]),
        json!(["prd", "a\0"]),
        json!(["prd", format!("{longest}a")]),
        json!(["prd", null]),
        json!([1]),
        json!("prd"),
        json!({ "prd": true }),
    ];
    maker.check(&[PROJECTS], MALFORMED, bad.map(environments)).await;
    let refused =
        server.admin().patch(&format!("{PROJECTS}/default"), &json!({ "environments": null })).await;
    assert_api("null", &refused, MALFORMED);
}
