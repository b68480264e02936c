//! The seal at the end of a backup's file: a digest of all bytes before it.
//!
//! SQLite and the digest of the rows don't check every bit of a file. The seal does. SQLite ignores what follows the
//! last page.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use ring::digest::{Context, Digest, SHA256, SHA256_OUTPUT_LEN};

const MARK: &[u8; 32] = b"claviger backup, sealed SHA-256:";
const LENGTH: usize = MARK.len() + SHA256_OUTPUT_LEN;

/// The seal of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    /// The seal matches the bytes before it.
    Whole,
    /// The seal doesn't match.
    Broken,
    /// The file has no seal, as in the first format.
    None,
}

/// Appends the seal to a finished file.
pub(super) fn seal(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    let digest = digest(&mut file, length)?;
    file.write_all(MARK)?;
    file.write_all(digest.as_ref())
}

/// Reads the whole file and checks its seal.
pub(super) fn look(path: &Path) -> io::Result<Seal> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let Some(content) = length.checked_sub(LENGTH as u64) else { return Ok(Seal::None) };
    let mut end = [0; LENGTH];
    file.seek(SeekFrom::Start(content))?;
    file.read_exact(&mut end)?;
    let (mark, sealed) = end.split_at(MARK.len());
    if mark != MARK {
        return Ok(Seal::None);
    }
    let is_whole = digest(&mut file, content)?.as_ref() == sealed;
    Ok(if is_whole { Seal::Whole } else { Seal::Broken })
}

/// The digest of the first `length` bytes.
fn digest(file: &mut File, length: u64) -> io::Result<Digest> {
    file.seek(SeekFrom::Start(0))?;
    let mut content = file.take(length);
    let mut context = Context::new(&SHA256);
    let mut chunk = vec![0; 1 << 16];
    loop {
        match content.read(&mut chunk)? {
            0 => return Ok(context.finish()),
            read => context.update(&chunk[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_broken_by_any_bit_before_it_and_missing_without_its_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"content").unwrap();
        assert_eq!(look(&path).unwrap(), Seal::None);
        seal(&path).unwrap();
        assert_eq!(look(&path).unwrap(), Seal::Whole);
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &flipped).unwrap();
            let in_mark = (7..7 + MARK.len()).contains(&(bit / 8));
            assert_eq!(look(&path).unwrap(), if in_mark { Seal::None } else { Seal::Broken }, "bit {bit}");
        }
    }
}
