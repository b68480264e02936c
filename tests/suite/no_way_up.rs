//! Nobody hands out what they lack, whichever way they try: by a new key, a changed one, a new secret, many keys
//! at once. (A whole configuration is in `configuration.rs`.)

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Holder, Server, on_both};

on_both!(
    whoever_lacks_a_scope_hands_it_out_in_no_way,
    whoever_lacks_a_scope_can_still_take_it_away_whole,
    scopes_for_resource_servers_are_anybodys_to_give,
    ranges_are_never_wider_than_ones_own,
    an_end_is_never_later_than_ones_own,
    whoever_has_to_prove_possession_frees_nobody_of_it,
    what_is_wider_already_is_not_widened_and_not_handed_out,
    a_token_hands_out_what_it_carries,
);

const KEYS: &str = "/v1/orgs/default/keys";

/// Enough to write every key of the organization.
const WRITE: &str = "write:claviger/orgs/default/projects/*/keys/*";

/// Scopes as JSON has them.
fn scopes(list: &[&str]) -> Value {
    let scope = |scope: &&str| {
        let (action, resource) = scope.split_once(':').unwrap();
        json!({ "action": action, "resource": resource })
    };
    list.iter().map(scope).collect()
}

/// Everything that hands a key out or makes it another one, from its members; `path` is the key's.
async fn every_way(client: &Client, path: &str, members: &Value) -> [(&'static str, Answer); 4] {
    let mut new = json!({ "name": "new", "project": "default", "environment": "prd" });
    new.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let all = json!({ "filter": { "q": "target" }, "add": members["scopes"] });
    [
        ("create", client.post_json(KEYS, &new).await),
        ("change", client.patch(path, members).await),
        ("try to change", client.patch(&format!("{path}?dry_run=true"), members).await),
        ("add to many", client.post_json(&format!("{KEYS}/rescope"), &all).await),
    ]
}

/// A key called `target` with these members: its path.
async fn target(server: &Server, members: Value) -> String {
    let mut all = json!({ "name": "target" });
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    format!("{KEYS}/{}", server.key_from(all).await.0)
}

async fn whoever_lacks_a_scope_hands_it_out_in_no_way(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&[WRITE, "read:claviger/orgs/default/projects/*"]).await;
    let client = server.client().bearer(&key);
    let path = target(&server, json!({ "preset": "query_only" })).await;
    let before = server.database.dump().await;
    for beyond in [
        "read:claviger/orgs/default/projects/*/keys/*",
        "write:claviger/orgs/*/projects/*/keys/*",
        "write:claviger/orgs/default/projects/*/keys/**",
        "write:claviger/orgs/default/projects/**",
        "*:claviger/orgs/default/projects/*/keys/*",
        "read:claviger/orgs/default/**",
        "read:claviger/orgs/default/*/*",
        "admin:claviger/orgs/default",
        "admin:claviger/orgs/acme",
        "read:claviger/audit",
        "*:claviger/**",
        "read:claviger",
    ] {
        // Beside scopes that it may hand out.
        let members = json!({ "scopes": scopes(&["*:*", WRITE, beyond]) });
        for (way, answer) in every_way(&client, &path, &members).await {
            let message = answer.refused(403, "forbidden");
            assert!(message.contains(beyond), "{way} {beyond}: {message}");
            let scope = format!(r#"error="insufficient_scope", scope="{beyond}""#);
            assert!(answer.header("www-authenticate").contains(&scope), "{way} {beyond}: {answer:?}");
        }
    }
    assert_eq!(server.database.dump().await, before);
    for within in
        [WRITE, "write:claviger/orgs/default/projects/web/keys/*", "read:claviger/orgs/default/projects/web"]
    {
        let members = json!({ "scopes": scopes(&["*:*", within]) });
        for (way, answer) in every_way(&client, &path, &members).await {
            assert!(answer.status < 300, "{way} {within}: {}", answer.text);
        }
    }
}

async fn whoever_lacks_a_scope_can_still_take_it_away_whole(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&[WRITE]).await;
    let client = server.client().bearer(&key);
    let above = json!({ "scopes": scopes(&["read:*", "read:claviger/orgs/default/**"]) });
    let path = target(&server, above.clone()).await;
    let before = server.database.dump().await;
    let lacks = async |answer: Answer| {
        let message = answer.refused(403, "forbidden");
        assert!(message.contains("read:claviger/orgs/default/**"), "{message}");
    };
    for patch in [
        json!({ "name": "target, renamed" }),
        json!({ "expires_in": 1 }),
        json!({ "cidrs": ["192.0.2.1"] }),
        json!({ "preset": "query_only" }),
        json!({}),
    ] {
        lacks(client.patch(&path, &patch).await).await;
    }
    for overlap in [0, 100] {
        let rotation = json!({ "overlap_seconds": overlap });
        lacks(client.post_json(&format!("{path}/rotate"), &rotation).await).await;
    }
    for fewer in [
        json!({ "scopes": scopes(&["read:*"]) }),
        json!({ "remove": scopes(&["read:claviger/orgs/default/**"]) }),
    ] {
        let mut body = json!({ "filter": { "q": "target" } });
        body.as_object_mut().unwrap().extend(fewer.as_object().unwrap().clone());
        lacks(client.post_json(&format!("{KEYS}/rescope"), &body).await).await;
    }
    assert_eq!(server.database.dump().await, before);
    // Retiring, revoking and deleting need only write.
    server.admin().post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 100 })).await.done(201);
    let secret = server.admin().get(&path).await.done(200)["secrets"][0]["id"].clone();
    client.delete(&format!("{path}/secrets/{}", secret.as_str().unwrap())).await.done(204);
    client.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
    client.delete(&path).await.done(204);
    target(&server, above).await;
    let all = json!({ "filter": { "q": "target" } });
    assert_eq!(client.post_json(&format!("{KEYS}/revoke"), &all).await.done(200)["count"], 1);
}

async fn scopes_for_resource_servers_are_anybodys_to_give(backend: Backend) {
    let server = Server::start(backend).await;
    let limited = json!({ "scopes": scopes(&[WRITE]), "cidrs": ["127.0.0.0/8"], "expires_in": 1_000 });
    let (_, key) = server.key_from(limited).await;
    let client = server.client().bearer(&key);
    let path = target(&server, json!({ "preset": "query_only" })).await;
    for members in [
        json!({ "scopes": scopes(&["*:*"]) }),
        json!({
            "scopes": scopes(&["admin:claviger2/orgs", "*:a/claviger/**"]), "cidrs": [], "expires_in": "1y",
        }),
    ] {
        for (way, answer) in every_way(&client, &path, &members).await {
            assert!(answer.status < 300, "{way}: {}", answer.text);
        }
    }
    client.post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 0 })).await.done(201);
}

/// A caller that may write keys and is limited itself.
struct Limited {
    server: Server,
    client: Client,
    limit: Value,
}

impl Limited {
    async fn by(backend: Backend, limit: Value) -> Self {
        let server = Server::start(backend).await;
        let (_, key) = server.key_from(with_scope(&limit)).await;
        Self { client: server.client().bearer(&key), server, limit }
    }

    /// Gives a key with a scope under `claviger/` these members: a new one, one that is limited as the caller is,
    /// and one that gets its scope with them.
    async fn give(&self, members: &Value) -> [Answer; 3] {
        let mut new = with_scope(members);
        (new["name"], new["project"], new["environment"]) = ("new".into(), "default".into(), "prd".into());
        let limited = target(&self.server, with_scope(&self.limit)).await;
        let plain = target(&self.server, json!({ "preset": "query_only" })).await;
        [
            self.client.post_json(KEYS, &new).await,
            self.client.patch(&limited, members).await,
            self.client.patch(&plain, &with_scope(members)).await,
        ]
    }

    async fn check(&self, within: &[Value], beyond: &[Value]) {
        for members in within {
            for answer in self.give(members).await {
                assert!(answer.status < 300, "{members}: {}", answer.text);
            }
        }
        for members in beyond {
            for answer in self.give(members).await {
                assert_eq!(
                    (answer.status, &*answer.code()),
                    (403, "forbidden"),
                    "{members}: {}",
                    answer.text
                );
            }
        }
    }
}

/// These members and a scope under `claviger/`.
fn with_scope(members: &Value) -> Value {
    let mut all = members.clone();
    all["scopes"] = scopes(&["read:*", WRITE]);
    all
}

async fn ranges_are_never_wider_than_ones_own(backend: Backend) {
    let ranges = |list: &[&str]| json!({ "cidrs": list });
    let limited = Limited::by(backend, ranges(&["127.0.0.0/8", "192.0.2.0/24"])).await;
    limited
        .check(
            &[
                ranges(&["192.0.2.0/24", "127.0.0.0/8"]),
                ranges(&["192.0.2.1"]),
                ranges(&["127.0.0.0/9", "127.128.0.0/9"]),
            ],
            &[
                json!({ "cidrs": null }),
                ranges(&[]),
                ranges(&["*"]),
                ranges(&["0.0.0.0/0"]),
                ranges(&["192.0.2.0/23"]),
                ranges(&["127.0.0.0/8", "192.0.3.1"]),
                ranges(&["127.0.0.0/8", "::/0"]),
            ],
        )
        .await;
}

async fn an_end_is_never_later_than_ones_own(backend: Backend) {
    let limited = Limited::by(backend, json!({ "expires_in": 1_000 })).await;
    limited
        .check(
            &[
                json!({ "expires_in": 1_000 }),
                json!({ "expires_in": 1 }),
                json!({ "expires_at": "2026-01-01T00:16:40Z" }),
            ],
            &[
                json!({ "expires_at": null }),
                json!({ "expires_in": 1_001 }),
                json!({ "expires_in": "1y" }),
                json!({ "expires_at": "2026-01-01T00:16:41Z" }),
            ],
        )
        .await;
}

async fn whoever_has_to_prove_possession_frees_nobody_of_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (required, optional) = (json!({ "dpop": "required" }), json!({ "dpop": "optional" }));
    let (id, key) = server.key_from(with_scope(&required)).await;
    let own = format!("{KEYS}/{id}");
    let plain = target(&server, json!({ "preset": "query_only", "dpop": "required" })).await;
    let limited = target(&server, with_scope(&required)).await;
    let free = target(&server, with_scope(&optional)).await;
    let caller = Proven::of(&server, &key).await;
    let new = |members: &Value| {
        let mut new = with_scope(members);
        (new["name"], new["project"], new["environment"]) = ("new".into(), "default".into(), "prd".into());
        new
    };
    let why = caller.client("PATCH", &limited).patch(&limited, &optional).await.refused(403, "forbidden");
    assert_eq!(why, "a key with scopes under claviger/ has to require DPoP if your own key does");
    caller.client("PATCH", &own).patch(&own, &optional).await.refused(403, "forbidden");
    for members in [&optional, &json!({})] {
        caller.client("POST", KEYS).post_json(KEYS, &new(members)).await.refused(403, "forbidden");
    }
    let rotate = json!({ "overlap_seconds": 0 });
    for (path, status) in [(&limited, 201), (&free, 403)] {
        let path = format!("{path}/rotate");
        let answer = caller.client("POST", &path).post_json(&path, &rotate).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    caller.client("POST", KEYS).post_json(KEYS, &new(&required)).await.done(201);
    // What a key without scopes under claviger/ requires is anybody's to change, as its ranges are. And whoever is free
    // may free others.
    caller.client("PATCH", &plain).patch(&plain, &optional).await.done(200);
    server.admin().patch(&limited, &optional).await.done(200);
    // A change of something else is none of this, and neither is requiring more.
    caller.client("PATCH", &free).patch(&free, &json!({ "name": "target, renamed" })).await.done(200);
    caller.client("PATCH", &free).patch(&free, &required).await.done(200);
}

/// A caller with a bound token for the management API.
struct Proven<'s> {
    server: &'s Server,
    holder: Holder,
    token: String,
}

impl<'s> Proven<'s> {
    async fn of(server: &'s Server, key: &str) -> Self {
        let (holder, issuer) = (Holder::new(), server.issuer());
        let proof = holder.proof("POST", &format!("{issuer}/oauth/token"), server.clock.now());
        let asking = server.client().proving(&proof.signed());
        let token = asking.access_token(key, &format!("&resource={issuer}")).await;
        Self { server, holder, token }
    }

    /// A client with a proof for this request.
    fn client(&self, method: &str, path: &str) -> Client {
        let url = format!("{}{path}", self.server.issuer());
        let proof = self.holder.proof(method, &url, self.server.clock.now()).of(&self.token);
        self.server.client().dpop(&self.token).proving(&proof.signed())
    }
}

async fn what_is_wider_already_is_not_widened_and_not_handed_out(backend: Backend) {
    let (near, far) =
        (json!({ "cidrs": ["127.0.0.0/8"] }), json!({ "cidrs": ["127.0.0.0/8", "10.0.0.0/8"] }));
    let (soon, late) = (json!({ "expires_in": 1_000 }), json!({ "expires_in": 2_000 }));
    for (limit, wider, narrowed, widened) in [
        (&near, &far, json!({ "cidrs": ["10.0.0.0/9"] }), json!({ "cidrs": ["10.0.0.0/7"] })),
        (&soon, &late, json!({ "expires_in": 1_999 }), json!({ "expires_in": 2_001 })),
    ] {
        let Limited { server, client, .. } = Limited::by(backend, limit.clone()).await;
        let path = target(&server, with_scope(wider)).await;
        for good in
            [json!({ "name": "target, renamed" }), json!({ "scopes": scopes(&["*:*", WRITE]) }), narrowed]
        {
            client.patch(&path, &good).await.done(200);
        }
        client.patch(&path, &widened).await.refused(403, "forbidden");
        for overlap in [0, 9] {
            let rotation = json!({ "overlap_seconds": overlap });
            client.post_json(&format!("{path}/rotate"), &rotation).await.refused(403, "forbidden");
        }
        let mut plain = wider.clone();
        plain["preset"] = "query_only".into();
        let plain = target(&server, plain).await;
        let add = json!({ "filter": { "q": "target" }, "add": scopes(&[WRITE]) });
        client.post_json(&format!("{KEYS}/rescope"), &add).await.refused(403, "forbidden");
        client.patch(&plain, &json!({ "scopes": scopes(&[WRITE]) })).await.refused(403, "forbidden");
        client.post_json(&format!("{plain}/rotate"), &json!({ "overlap_seconds": 0 })).await.done(201);
    }
}

async fn a_token_hands_out_what_it_carries(backend: Backend) {
    let server = Server::start(backend).await;
    let more = "read:claviger/orgs/default/projects/*/keys/*";
    let (_, key) = server.key(&[WRITE, more]).await;
    let less = server.client().access_token(&key, &format!("&scope={WRITE}")).await;
    let whole = server.client().access_token(&key, "").await;
    let path = target(&server, json!({ "preset": "query_only" })).await;
    let members = json!({ "scopes": scopes(&[more]) });
    for (_, answer) in every_way(&server.client().bearer(&less), &path, &members).await {
        answer.refused(403, "forbidden");
    }
    for (way, answer) in every_way(&server.client().bearer(&whole), &path, &members).await {
        assert!(answer.status < 300, "{way}: {}", answer.text);
    }
}
