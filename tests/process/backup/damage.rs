//! A backup that is not what was written is not restored, whichever byte of it is wrong.

use claviger::store::Backup;

use super::{backed_up, stop, unsealed};
use crate::support::{Backend, Claviger};

/// From one byte to the next that is tried: a prime, so that it comes to lie everywhere in a page.
const STRIDE: usize = 499;

#[tokio::test]
async fn a_flipped_bit_or_a_missing_part_is_always_refused() {
    let database = Backend::Sqlite.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    for _ in 0..20 {
        server.admin().create_key(&["read:*"]).await;
    }
    stop(server);
    let file = backed_up(&claviger, &database, "a.backup");
    let whole = std::fs::read(&file).expect("a file");
    Backup::open(&file).await.expect("a whole backup");
    let damaged = database.folder.path().join("damaged");
    // The end of the file, which seals the rest, byte for byte.
    let places = (0..whole.len()).step_by(STRIDE).chain(whole.len() - 70..whole.len());
    for (turn, at) in places.enumerate() {
        let mut content = whole.clone();
        content[at] ^= 1 << (turn % 8);
        std::fs::write(&damaged, &content).expect("a file");
        assert!(Backup::open(&damaged).await.is_err(), "byte {at} of {}", whole.len());
    }
    for parts in 1..20 {
        std::fs::write(&damaged, &whole[..whole.len() * parts / 20]).expect("a file");
        assert!(Backup::open(&damaged).await.is_err(), "{parts} parts of 20");
    }
}

/// The first format has no seal: what its digest of the rows covers is checked, as ever.
#[tokio::test]
async fn a_backup_of_the_first_format_is_still_read() {
    let database = Backend::Sqlite.fresh().await;
    let claviger = Claviger::over(&database);
    stop(claviger.serve());
    let file = backed_up(&claviger, &database, "a.backup");
    let before = Backup::open(&file).await.expect("a backup").facts;
    unsealed(&file, "UPDATE backup SET format = 1").await;
    let after = Backup::open(&file).await.expect("a backup of the first format").facts;
    assert_eq!((after.epoch, after.last_change), (before.epoch, before.last_change));
    unsealed(&file, "UPDATE backup SET format = 2").await;
    let refused = Backup::open(&file).await.expect_err("a backup without its end").to_string();
    assert!(refused.ends_with("the backup is damaged: its end is missing"), "{refused}");
}
