//! Administrators who do two things at once: at one server, and on PostgreSQL at two nodes.

use serde_json::{Value, json};

use crate::idempotency::assert_one_made;
use crate::support::{Answer, Backend, Client, Node2, Server, on_both};

on_both!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    rotations_at_once_never_leave_three_live_secrets,
    a_scope_that_is_added_is_not_handed_out_by_a_rotation,
    one_name_makes_one_key,
    one_id_is_given_once,
    of_two_changes_to_one_version_one_is_made,
    two_people_do_not_end_two_administrator_keys,
    what_is_revoked_is_not_changed_back,
    a_key_is_never_left_without_its_project,
);

const ROUNDS: usize = 20;

const KEYS: &str = "/v1/orgs/default/keys";

/// A server, and on PostgreSQL a second node of it.
struct TwoNodes {
    server: Server,
    other: Option<Node2>,
}

impl TwoNodes {
    async fn start(backend: Backend) -> Self {
        let server = Server::start(backend).await;
        let other = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(server.second_node().await),
        };
        Self { server, other }
    }

    /// A client with this key at each.
    fn clients(&self, key: &str) -> [Client; 2] {
        let other = self.other.as_ref().map_or_else(|| self.server.client(), Node2::client);
        [self.server.client().bearer(key), other.bearer(key)]
    }

    fn admins(&self) -> [Client; 2] {
        self.clients(&self.server.admin_key)
    }
}

fn new_key() -> Value {
    json!({ "name": "k", "project": "default", "environment": "prd", "preset": "query_only" })
}

/// How many answers have each of two statuses; there is no other.
#[track_caller]
fn count<const N: usize>(answers: &[Answer; N], [one, other]: [u16; 2]) -> [usize; 2] {
    let of = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    let counts = [of(one), of(other)];
    assert_eq!(counts[0] + counts[1], N, "{answers:?}");
    counts
}

async fn rotations_at_once_never_leave_three_live_secrets(backend: Backend) {
    let nodes = TwoNodes::start(backend).await;
    let [here, there] = nodes.admins();
    for round in 0..ROUNDS {
        let path = format!("{KEYS}/{}", nodes.server.key(&["read:*"]).await.0);
        let rotate = format!("{path}/rotate");
        let overlap = json!({ "overlap_seconds": 100 });
        // In every other round one of them ends what was there before.
        let last = json!({ "overlap_seconds": if round % 2 == 0 { 100 } else { 0 } });
        let (a, b, c) = tokio::join!(
            here.post_json(&rotate, &overlap),
            there.post_json(&rotate, &overlap),
            here.post_json(&rotate, &last)
        );
        let [made, _] = count(&[a, b, c], [201, 409]);
        let secrets = here.get(&path).await.done(200)["secrets"].as_array().unwrap().len();
        assert!(secrets <= 2, "{secrets} secrets");
        assert!(if round % 2 == 0 { made == 1 && secrets == 2 } else { made >= 1 }, "{made} rotations");
    }
}

async fn a_scope_that_is_added_is_not_handed_out_by_a_rotation(backend: Backend) {
    let nodes = TwoNodes::start(backend).await;
    let [here, _] = nodes.admins();
    let (_, maker) = nodes.server.key(&["write:claviger/orgs/default/projects/*/keys/*"]).await;
    let [_, maker] = nodes.clients(&maker);
    let raised = json!({ "scopes": [{ "action": "*", "resource": "claviger/**" }] });
    let mut refused = 0;
    for round in 0..2 * ROUNDS {
        let path = format!("{KEYS}/{}", nodes.server.key(&["read:*"]).await.0);
        let (rotate, overlap) = (format!("{path}/rotate"), json!({ "overlap_seconds": 0 }));
        let raise = async {
            // Now the one is quicker, and now the other.
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            here.patch(&path, &raised).await.done(200)
        };
        let (rotated, raised) = tokio::join!(maker.post_json(&rotate, &overlap), raise);
        match rotated.status {
            403 => refused += 1,
            // It was first, and what it got is a secret of a key that could do nothing here.
            201 => assert_eq!((&rotated.json()["generation"], &raised["generation"]), (&json!(2), &json!(3))),
            _ => panic!("{rotated:?}"),
        }
        assert!(!rotated.text.contains(r#""resource":"claviger/**""#), "{}", rotated.text);
    }
    println!("{refused} of {} rotations came too late", 2 * ROUNDS);
}

async fn one_name_makes_one_key(backend: Backend) {
    let nodes = TwoNodes::start(backend).await;
    let keys = async || nodes.server.database.number("SELECT COUNT(*) FROM api_keys").await;
    for round in 0..ROUNDS {
        let before = keys().await;
        let [here, there] = nodes.admins().map(|admin| admin.with("idempotency-key", &format!("{round}")));
        let body = new_key();
        let (a, b, c, d) = tokio::join!(
            here.post_json(KEYS, &body),
            there.post_json(KEYS, &body),
            here.post_json(KEYS, &body),
            there.post_json(KEYS, &body)
        );
        assert_one_made([a, b, c, d]);
        assert_eq!(keys().await, before + 1);
    }
}

async fn one_id_is_given_once(backend: Backend) {
    let nodes = TwoNodes::start(backend).await;
    let [here, there] = nodes.admins();
    for collection in ["/v1/orgs", "/v1/orgs/default/projects"] {
        for round in 0..ROUNDS {
            let body = json!({ "id": format!("id-{round}") });
            let (a, b) = tokio::join!(here.post_json(collection, &body), there.post_json(collection, &body));
            assert_eq!(count(&[a, b], [201, 409]), [1, 1]);
        }
    }
}

async fn of_two_changes_to_one_version_one_is_made(backend: Backend) {
    let nodes = TwoNodes::start(backend).await;
    let [here, there] = nodes.admins();
    let key = format!("{KEYS}/{}", nodes.server.key(&["read:*"]).await.0);
    for path in ["/v1/orgs/default", "/v1/orgs/default/projects/default", &key] {
        for round in 0..ROUNDS {
            let tag = here.get(path).await.header("etag").to_owned();
            let [here, there] = [&here, &there].map(|admin| admin.with("if-match", &tag));
            let names = ["a", "b"].map(|name| json!({ "name": format!("{name}{round}") }));
            let (a, b) = tokio::join!(here.patch(path, &names[0]), there.patch(path, &names[1]));
            let made = if a.status == 200 { &names[0] } else { &names[1] };
            assert_eq!(count(&[a, b], [200, 412]), [1, 1]);
            assert_eq!(there.get(path).await.done(200)["name"], made["name"]);
        }
    }
}

async fn two_people_do_not_end_two_administrator_keys(backend: Backend) {
    let nodes = TwoNodes::start(backend).await;
    let nothing = json!({});
    let administrator = json!([{ "action": "*", "resource": "claviger/**" }]);
    let mut one = nodes.server.admin_key.clone();
    for round in 0..ROUNDS {
        let mut spare = new_key();
        spare.as_object_mut().unwrap().remove("preset");
        spare["scopes"] = administrator.clone();
        let other = nodes.server.client().bearer(&one).post_json(KEYS, &spare).await.done(201);
        let other = other["key"].as_str().unwrap().to_owned();
        let [here, _] = nodes.clients(&one);
        let [_, there] = nodes.clients(&other);
        let id = |key: &str| format!("{KEYS}/key_{}", key.split('_').nth(2).unwrap().get(..16).unwrap());
        let narrowed = json!({ "preset": "query_only" });
        let (revoke, own) = (format!("{}/revoke", id(&one)), id(&other));
        let (a, b) = tokio::join!(here.post_json(&revoke, &nothing), async {
            match round % 2 {
                0 => there.delete(&own).await,
                _ => there.patch(&own, &narrowed).await,
            }
        });
        let closed_here = a.status == 200;
        let refused = if closed_here { &b } else { &a };
        refused.refused(409, "conflict");
        assert!(a.status < 300 || b.status < 300, "one of them may: {a:?} {b:?}");
        one = if closed_here { other } else { one };
    }
}

async fn what_is_revoked_is_not_changed_back(backend: Backend) {
    let nodes = TwoNodes::start(backend).await;
    let [here, there] = nodes.admins();
    let bulk = json!({ "filter": { "q": "test" }, "add": [{ "action": "write" }] });
    let nothing = json!({});
    for round in 0..ROUNDS {
        let (id, key) = nodes.server.key(&["read:*"]).await;
        let path = format!("{KEYS}/{id}");
        let (revoke, rescope, wider) =
            (format!("{path}/revoke"), format!("{KEYS}/rescope"), json!({ "preset": "full_access" }));
        let (revoked, changed) = tokio::join!(here.post_json(&revoke, &nothing), async {
            match round % 2 {
                0 => there.patch(&path, &wider).await,
                _ => there.post_json(&rescope, &bulk).await,
            }
        });
        revoked.done(200);
        assert!(matches!(changed.status, 200 | 409), "{changed:?}");
        let now = here.get(&path).await.done(200);
        assert_eq!((&now["status"], &now["generation"]), (&json!("revoked"), &json!(2)));
        assert_eq!(nodes.server.client().token(&key, "").await.status, 401);
    }
}

async fn a_key_is_never_left_without_its_project(backend: Backend) {
    let nodes = TwoNodes::start(backend).await;
    let [here, there] = nodes.admins();
    for round in 0..ROUNDS {
        let id = format!("p{round}");
        let path = format!("/v1/orgs/default/projects/{id}");
        here.post_json("/v1/orgs/default/projects", &json!({ "id": id })).await.done(201);
        let mut key = new_key();
        key["project"] = id.as_str().into();
        let fewer = json!({ "environments": ["dev"] });
        let (made, gone) = tokio::join!(there.post_json(KEYS, &key), async {
            match round % 2 {
                0 => here.delete(&path).await,
                _ => here.patch(&path, &fewer).await,
            }
        });
        assert_eq!(made.status == 201, gone.status == 409, "{made:?} {gone:?}");
        assert!(matches!((made.status, gone.status), (201, 409) | (400, 200 | 204)), "{made:?} {gone:?}");
    }
}
