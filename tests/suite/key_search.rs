//! What is typed into the search of the list of keys, at the management API and in the console.

use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};

on_both!(a_search_finds_names_notes_ids_and_prefixes, a_whole_key_is_searched_for_by_its_id_alone);

const KEYS: &str = "/v1/orgs/default/keys";

async fn found(server: &Server, query: &str) -> Vec<String> {
    let page = server.admin().get(&format!("{KEYS}?{query}")).await.done(200);
    assert_eq!(page["next_cursor"], Value::Null, "{query}");
    page["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

async fn a_search_finds_names_notes_ids_and_prefixes(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs", &json!({ "id": "other", "name": "Other" })).await.done(201);
    let (one, key) =
        server.key_from(json!({ "name": "one", "note": "in the Vault", "preset": "query_only" })).await;
    let (two, _) = server.key_from(json!({ "name": "vaulted", "preset": "query_only" })).await;
    let beginning = &one[4..8];
    for (query, expected) in [
        ("q=VAULT".to_owned(), vec![&two, &one]),
        (format!("q={one}"), vec![&one]),
        (format!("q={}", &one[..12]), vec![&one]),
        (format!("q={beginning}"), vec![&one]),
        (format!("q=clv_prd_{beginning}%E2%80%A6"), vec![&one]),
        (format!("q={}", &key[..16]), vec![&one]),
        (format!("q=clv_dev_{beginning}"), vec![]),
        (format!("q={beginning}&environment=dev"), vec![]),
        (format!("q={one}&status=revoked"), vec![]),
        ("q=key_0000000000000000".to_owned(), vec![]),
        ("q=key_0000".to_owned(), vec![]),
    ] {
        for sort in ["-created", "name", "expires", "last_used"] {
            let mut found = found(&server, &format!("{query}&sort={sort}")).await;
            let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{query}");
        }
    }
    let elsewhere = server.admin().get(&format!("/v1/orgs/other/keys?q={one}")).await.done(200);
    assert_eq!(elsewhere["data"], json!([]));
    let (_, reader) = server.key(&["read:claviger/orgs/default/projects/web/**"]).await;
    let unseen = server.client().bearer(&reader).get(&format!("{KEYS}?q={one}")).await.done(200);
    assert_eq!(unseen["data"], json!([]));
    // A change of many keys goes by names alone.
    let filter = json!({ "filter": { "q": "vault" } });
    let told = server.admin().post_json(&format!("{KEYS}/revoke?dry_run=true"), &filter).await.done(200);
    assert_eq!((&told["count"], &told["data"][0]["name"]), (&json!(1), &json!("vaulted")));
}

async fn a_whole_key_is_searched_for_by_its_id_alone(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    for pasted in [key.clone(), format!("%20{key}%0A"), format!("API_KEY={key}"), key[..70].to_owned()] {
        assert_eq!(found(&server, &format!("q={pasted}")).await, [id.as_str()]);
    }
    // Another issuer's key, or a revoked one, is no hit, and the answer has nothing of it.
    let other = server.admin().get(&format!("{KEYS}?q=clv_prd_{}", "a".repeat(65))).await;
    assert_eq!(other.json()["data"], json!([]));
    assert!(!other.text.contains("aaaa"), "{}", other.text);
}
