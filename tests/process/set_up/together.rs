//! Several who set the same store up.

use std::path::PathBuf;

use super::operator::{self, Operator};
use super::over;
use crate::support::{Backend, Claviger, Database, Process, in_time, on_postgres};

const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const ALREADY: &str = "/console/sign-in?why=set-up";

on_postgres!(of_two_nodes_one_sets_it_up_and_both_serve, a_node_without_the_master_key_ends,);

/// Two nodes with key folders of their own and one master key, and what they are started with.
fn two_nodes(database: &Database) -> [(Claviger, PathBuf); 2] {
    ["a", "b"].map(|name| {
        let folder = database.folder.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        (over(database).moved_to(&folder), folder)
    })
}

fn code_of(folder: &std::path::Path) -> String {
    std::fs::read_to_string(folder.join("keys/setup.code")).expect("the code").trim_end().to_owned()
}

async fn of_two_nodes_one_sets_it_up_and_both_serve(backend: Backend) {
    for _ in 0..3 {
        let database = backend.fresh().await;
        let [(a, folder_a), (b, folder_b)] =
            two_nodes(&database).map(|(node, folder)| (node.set("CLAVIGER_MASTER_KEY", MASTER_KEY), folder));
        let mut nodes = [a.wait(), b.wait()];
        let (a, b) = (Operator::at(&nodes[0]), Operator::at(&nodes[1]));
        let (code_a, code_b) = (code_of(&folder_a), code_of(&folder_b));
        assert_eq!(a.set_up(&code_b).await.status, 403, "each has a code of its own");
        let (a, b) = tokio::join!(a.set_up(&code_a), b.set_up(&code_b));
        let (shown, other) = if a.status == 200 { (a, b) } else { (b, a) };
        assert_eq!((other.status, other.header("location")), (303, ALREADY), "{other:?}");
        assert!(shown.text.contains("<code>CLAVIGER_MASTER_KEY</code>"), "{}", shown.text);
        let key = operator::key_on(&shown);
        for node in &mut nodes {
            node.goes_on_to_serve();
            assert_eq!(node.client().token(&key, "").await.status, 200);
        }
        assert!(!folder_a.join("keys/setup.code").exists() && !folder_b.join("keys/setup.code").exists());
        assert_one_store(&database).await;
    }
}

async fn a_node_without_the_master_key_ends(backend: Backend) {
    let database = backend.fresh().await;
    let [(a, folder), (b, other)] = two_nodes(&database);
    let (first, second): (Process, Process) = (a.wait(), b.wait());
    let key = operator::key_on(&Operator::at(&first).set_up(&code_of(&folder)).await);
    let ended = in_time("the other's end", tokio::task::spawn_blocking(|| second.end())).await;
    let (status, _) = ended.expect("an end");
    assert_eq!(status.code(), Some(1));
    let complaint = "claviger: the store was made with a master key that is not here: put it into";
    assert!(b.log().contains(complaint), "{}", b.log());
    assert_eq!(std::fs::read_dir(other.join("keys")).expect("a folder").count(), 0);
    assert_eq!(first.client().token(&key, "").await.status, 200);
}

pub(super) async fn assert_one_store(database: &Database) {
    for (table, rows) in [("deployment", 1), ("api_keys", 1), ("signing_keys", 1), ("audit_events", 1)] {
        assert_eq!(database.number(&format!("SELECT COUNT(*) FROM {table}")).await, rows, "{table}");
    }
}
