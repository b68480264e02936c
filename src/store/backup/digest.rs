//! What a backup's rows come to: a bit that fell over in one of them does not go unnoticed, as it would in
//! SQLite's own check of its structure.

use ring::digest::{Context, SHA256};

use super::copy::{Cell, each_batch};
use super::tables::Table;
use crate::store::db::Tx;

/// The exclusive or of the SHA-256 of every row: the order of rows does not matter.
pub(super) type Digest = [u8; 32];

/// The digest of all rows of these tables, and of one more that is not among them yet.
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

/// Kinds and lengths go in with the values, so that nothing can move from one to the next.
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
