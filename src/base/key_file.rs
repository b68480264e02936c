//! Files that hold a secret: readable by their owner alone, or by a group that was named, or not used at all.

mod readers;

use std::fs::{DirBuilder, File, Metadata, OpenOptions, hard_link, remove_file, rename};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use readers::{NoSuchGroup, Readers};

use crate::base::entropy::Entropy;

/// A secret file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner can read it.
    #[error("{path} can be read by group or others (mode {mode:04o}): chmod 600 it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A group can read it, which is not the one that may.
    #[error("{path} can be read by the group {group} (mode {mode:04o}), and only the group {expected} may")]
    OtherGroup {
        /// The file.
        path: PathBuf,
        /// Its group.
        group: u32,
        /// Its permission bits.
        mode: u32,
        /// The group that may read it.
        expected: u32,
    },
}

impl KeyFileError {
    /// Whether it is about a file that should not have been there.
    pub fn is_already_there(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

/// Reads a secret file that its owner alone can read, without a byte order mark in front of it.
///
/// # Errors
/// [`KeyFileError`].
pub fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    read_shared(path, Readers::Owner)
}

/// The same for a file that nobody but these readers can read.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_shared(path: &Path, readers: Readers) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    // Of the file that is open, not of whatever has the name by now.
    check_mode(path, &file.metadata().map_err(failed)?, readers)?;
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    if let Some(unmarked) = text.strip_prefix('\u{feff}') {
        return Ok(Zeroizing::new(unmarked.to_owned()));
    }
    Ok(text)
}

fn check_mode(path: &Path, metadata: &Metadata, readers: Readers) -> Result<(), KeyFileError> {
    const OF_OTHERS: u32 = 0o077;
    const READ_BY_GROUP: u32 = 0o040;
    let (path, mode) = (path.to_owned(), metadata.mode() & 0o7777);
    match readers {
        _ if mode & OF_OTHERS == 0 => Ok(()),
        Readers::OwnerAndGroup(expected) if mode & OF_OTHERS == READ_BY_GROUP => match metadata.gid() {
            group if group == expected => Ok(()),
            group => Err(KeyFileError::OtherGroup { path, group, mode, expected }),
        },
        _ => Err(KeyFileError::Exposed { path, mode }),
    }
}

/// Reads a secret file; `None` when there is none.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_if_there(path: &Path) -> Result<Option<Zeroizing<String>>, KeyFileError> {
    if_there(read(path))
}

/// [`read_shared`]; `None` when there is none.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_shared_if_there(
    path: &Path,
    readers: Readers,
) -> Result<Option<Zeroizing<String>>, KeyFileError> {
    if_there(read_shared(path, readers))
}

fn if_there(
    read: Result<Zeroizing<String>, KeyFileError>,
) -> Result<Option<Zeroizing<String>>, KeyFileError> {
    match read {
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Writes a new secret file of one line (mode 0600), on disk when this returns, its folder (0700) with it.
/// Nobody ever sees a part of it.
///
/// # Errors
/// [`KeyFileError`], also when there is such a file already.
pub fn create(path: &Path, secret: &str, entropy: &Entropy) -> Result<(), KeyFileError> {
    write(path, secret, entropy, publish)
}

/// The same in the place of a file that may be there already.
///
/// # Errors
/// [`KeyFileError`].
pub fn replace(path: &Path, secret: &str, entropy: &Entropy) -> Result<(), KeyFileError> {
    write(path, secret, entropy, |draft, path| {
        rename(draft, path)?;
        File::open(folder_of(path))?.sync_all()
    })
}

/// Gives a finished draft, in the same folder, its name, unless something has that name. It is on disk when
/// this returns.
pub(crate) fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    hard_link(draft, path)?;
    remove_file(draft)?;
    File::open(folder_of(path))?.sync_all()
}

/// Writes a draft beside `path`, and has `publish` give it its name.
fn write(
    path: &Path,
    secret: &str,
    entropy: &Entropy,
    publish: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder_of(path)).map_err(failed)?;
    let random = entropy.bytes::<8>().map_err(|error| failed(io::Error::other(error)))?;
    let draft = path.with_added_extension(format!("{:016x}", u64::from_be_bytes(random)));
    let written = write_synced(&draft, secret).and_then(|()| publish(&draft, path));
    let _ = remove_file(&draft);
    written.map_err(failed)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write_synced(path: &Path, secret: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()
}
