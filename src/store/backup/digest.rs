//! The digest of a backup's rows. It detects flipped bits in values, which SQLite's own check of the structure does
//! not.

use ring::digest::{Context, SHA256};

use super::copy::{Cell, each_batch};
use super::tables::Table;
use crate::store::db::Tx;

/// The exclusive or of the SHA-256 of all rows, which is independent of their order.
pub(super) type Digest = [u8; 32];

/// The digest of all rows of these tables, and of one more row that is not in a table yet.
pub(super) async fn digest(
    tables: &[Table],
    from: &mut Tx,
    (other, more): (&str, &[Cell]),
) -> sqlx::Result<Digest> {
    let mut digest = Digest::default();
    add(&mut digest, other, more);
    for table in tables {
        each_batch(table, from, async |rows| {
            rows.iter().for_each(|row| add(&mut digest, &table.name, row));
            Ok(())
        })
        .await?;
    }
    Ok(digest)
}

fn add(digest: &mut Digest, table: &str, row: &[Cell]) {
    let row = digest_of_row(table, row);
    digest.iter_mut().zip(row.as_ref()).for_each(|(sum, byte)| *sum ^= byte);
}

/// The digest includes kinds and lengths, so that no byte can move from one value to the next.
fn digest_of_row(table: &str, row: &[Cell]) -> ring::digest::Digest {
    let mut context = Context::new(&SHA256);
    let mut add = |kind: u8, bytes: &[u8]| {
        context.update(&[kind]);
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    add(b'T', table.as_bytes());
    for cell in row {
        match cell {
            Cell::Text(Some(text)) => add(b't', text.as_bytes()),
            Cell::Integer(Some(number)) => add(b'i', &number.to_be_bytes()),
            Cell::Bytes(Some(bytes)) => add(b'b', bytes),
            Cell::Text(None) | Cell::Integer(None) | Cell::Bytes(None) => add(b'n', &[]),
        }
    }
    context.finish()
}
