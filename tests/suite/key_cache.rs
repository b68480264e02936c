//! What a change drops from memory: the copies of keys that it touches, and no others.

use std::sync::Arc;

use claviger::domain::api_key::{KeyId, claimed_id};
use claviger::node::{CachedKey, Node};
use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};

on_both!(
    a_creation_drops_nothing,
    a_change_of_a_tenant_drops_its_own_keys_alone,
    a_change_of_very_many_keys_drops_each,
);

mod at_another_node {
    use super::a_change_drops_what_it_touches_and_nothing_else;
    use crate::support::on_postgres;

    on_postgres!(a_change_drops_what_it_touches_and_nothing_else);
}

/// Two organizations, one of them with two projects, and a key in each project that the node holds.
struct Tenants {
    server: Server,
    keys: Vec<KeyId>,
}

const PROJECTS: [&str; 3] = ["acme/web", "acme/app", "other/web"];

impl Tenants {
    async fn new(backend: Backend) -> Self {
        let server = Server::start(backend).await;
        let admin = server.admin();
        for organization in ["acme", "other"] {
            admin.post_json("/v1/orgs", &json!({ "id": organization })).await.done(201);
        }
        let mut keys = Vec::new();
        for project in PROJECTS {
            let (organization, id) = project.split_once('/').unwrap();
            let projects = format!("/v1/orgs/{organization}/projects");
            admin.post_json(&projects, &json!({ "id": id })).await.done(201);
            let body = json!({ "name": id, "project": id, "environment": "prd", "preset": "query_only" });
            let made = admin.post_json(&format!("/v1/orgs/{organization}/keys"), &body).await.done(201);
            keys.push(claimed_id(made["key"].as_str().unwrap()).unwrap());
        }
        // The node takes in what it has committed itself once more, when it follows the store.
        server.node.catch_up().await.unwrap();
        Self { server, keys }
    }

    /// Every key's copy at this node, read anew where there is none.
    async fn copies(&self, node: &Node) -> Vec<Arc<CachedKey>> {
        let mut copies = Vec::new();
        for id in &self.keys {
            copies.push(node.authenticator.key(id).await.unwrap().unwrap());
        }
        copies
    }

    /// Whose copies this node has dropped since.
    fn dropped(&self, node: &Node, before: &[Arc<CachedKey>]) -> Vec<&'static str> {
        let is_same = |id: &KeyId, before: &Arc<CachedKey>| {
            node.authenticator.keys.cached(id).is_some_and(|now| Arc::ptr_eq(&now, before))
        };
        let all = PROJECTS.into_iter().zip(self.keys.iter().zip(before));
        all.filter(|(_, (id, before))| !is_same(id, before)).map(|(project, _)| project).collect()
    }

    async fn patch(&self, path: &str, body: Value) {
        self.server.admin().patch(path, &body).await.done(200);
    }

    async fn post(&self, path: &str, body: Value) {
        self.server.admin().post_json(path, &body).await.done(201);
    }
}

async fn a_creation_drops_nothing(backend: Backend) {
    let tenants = Tenants::new(backend).await;
    let node = &tenants.server.node;
    let before = tenants.copies(node).await;
    tenants.post("/v1/orgs", json!({ "id": "new" })).await;
    tenants.post("/v1/orgs/acme/projects", json!({ "id": "new" })).await;
    let key = json!({ "name": "new", "project": "web", "environment": "prd", "preset": "query_only" });
    tenants.post("/v1/orgs/acme/keys", key).await;
    tenants.post("/v1/orgs/other/projects", json!({ "id": "p1" })).await;
    node.catch_up().await.unwrap();
    assert_eq!(tenants.dropped(node, &before), [""; 0]);
}

async fn a_change_of_a_tenant_drops_its_own_keys_alone(backend: Backend) {
    let tenants = Tenants::new(backend).await;
    let node = &tenants.server.node;
    for (path, touched) in [
        ("/v1/orgs/acme", &["acme/web", "acme/app"][..]),
        ("/v1/orgs/acme/projects/web", &["acme/web"]),
        ("/v1/orgs/other/projects/web", &["other/web"]),
        ("/v1/orgs/default/projects/default", &[]),
    ] {
        let before = tenants.copies(node).await;
        tenants.patch(path, json!({ "name": "Another name" })).await;
        assert_eq!(tenants.dropped(node, &before), touched, "{path}");
    }
}

async fn a_change_drops_what_it_touches_and_nothing_else(backend: Backend) {
    let tenants = Tenants::new(backend).await;
    let other = tenants.server.second_node().await.node;
    for (path, touched) in [
        ("/v1/orgs/acme", &["acme/web", "acme/app"][..]),
        ("/v1/orgs/acme/projects/app", &["acme/app"]),
        ("/v1/orgs/default", &[]),
    ] {
        let before = tenants.copies(&other).await;
        tenants.patch(path, json!({ "name": "Another name" })).await;
        other.catch_up().await.unwrap();
        assert_eq!(tenants.dropped(&other, &before), touched, "{path}");
    }
    let before = tenants.copies(&other).await;
    tenants.post("/v1/orgs/acme/projects", json!({ "id": "new" })).await;
    let key = format!("/v1/orgs/other/keys/{}/revoke", tenants.keys[2]);
    tenants.server.admin().post_json(&key, &json!({})).await.done(200);
    other.catch_up().await.unwrap();
    assert_eq!(tenants.dropped(&other, &before), ["other/web"]);
}

async fn a_change_of_very_many_keys_drops_each(backend: Backend) {
    // More than memory takes in at a time.
    const KEYS: usize = 300;
    let server = Server::start(backend).await;
    let node = &server.node;
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        let (id, _) = server.stored_key().await;
        node.authenticator.key(&id).await.unwrap().unwrap();
        keys.push(id);
    }
    let (kept, _) = server.key(&["read:*"]).await;
    let kept: KeyId = kept.parse().unwrap();
    node.authenticator.key(&kept).await.unwrap().unwrap();
    // Those that were put into the store past the management API have the administrator's name.
    let request = json!({ "filter": { "q": "administrator" } });
    server.admin().post_json("/v1/orgs/default/keys/revoke?force=true", &request).await.done(200);
    assert!(keys.iter().all(|id| node.authenticator.keys.cached(id).is_none()));
    assert!(node.authenticator.keys.cached(&kept).is_some());
}
