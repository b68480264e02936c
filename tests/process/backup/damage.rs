//! A backup that is not what was written is not restored, whichever byte of it is wrong.

use std::path::Path;

use claviger::store::Backup;

use super::{backed_up, looked_into, stop};
use crate::support::{Backend, Claviger};

/// From one byte to the next that is tried: a prime, so that it comes to lie everywhere in a page.
const STRIDE: usize = 499;

/// What a backup holds, but for how its schema came about.
async fn rows(file: &Path) -> Vec<String> {
    let rows = looked_into(file).dump().await.into_iter();
    rows.filter(|row| !row.starts_with("_sqlx_migrations ")).collect()
}

/// Whether a damaged file is refused. If it is not, nothing that matters has changed.
async fn is_refused(file: &Path, whole: &[String], what: &str) -> bool {
    let opened = Backup::open(file).await;
    if opened.is_ok() {
        assert!(rows(file).await == whole, "{what} is not noticed");
    }
    opened.is_err()
}

#[tokio::test]
async fn a_wrong_byte_or_a_missing_part_is_found() {
    let database = Backend::Sqlite.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    for _ in 0..20 {
        server.admin().create_key(&["read:*"]).await;
    }
    stop(server);
    let file = backed_up(&claviger, &database, "a.backup");
    let (whole, rows) = (std::fs::read(&file).expect("a file"), rows(&file).await);
    let damaged = database.folder.path().join("damaged");
    let mut found = 0;
    for (turn, at) in (0..whole.len()).step_by(STRIDE).enumerate() {
        let mut content = whole.clone();
        content[at] ^= 1 << (turn % 8);
        std::fs::write(&damaged, &content).expect("a file");
        found += usize::from(is_refused(&damaged, &rows, &format!("byte {at}")).await);
    }
    // The rest is in what SQLite leaves free in its pages.
    assert!(found > 50, "{found}");
    for parts in 1..20 {
        std::fs::write(&damaged, &whole[..whole.len() * parts / 20]).expect("a file");
        assert!(is_refused(&damaged, &rows, "cut").await, "{parts} parts of 20");
    }
}
