//! Files that hold a secret. A file is used only if nobody but its owner, or a named group, can read it.

mod readers;

use std::fs::{DirBuilder, File, Metadata, OpenOptions, hard_link, remove_file, rename};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use readers::{NoSuchGroup, Readers};

use crate::base::entropy::Entropy;

/// Why a secret file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Other users can read the file.
    #[error("{path} can be read by group or others (mode {mode:04o}): chmod 600 it")]
    Exposed {
        /// The path of the file.
        path: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// The file is readable by a group, but not by the one that may read it.
    #[error("{path} can be read by the group {group} (mode {mode:04o}), and only the group {expected} may")]
    OtherGroup {
        /// The path of the file.
        path: PathBuf,
        /// The group of the file.
        group: u32,
        /// The permission bits.
        mode: u32,
        /// The group that may read it.
        expected: u32,
    },
}

impl KeyFileError {
    /// Whether the error is that the file already exists.
    pub fn is_already_there(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

/// Reads a secret file that only its owner can read. Drops a byte order mark at its start.
///
/// # Errors
/// [`KeyFileError`].
pub fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    read_shared(path, Readers::Owner)
}

/// Reads a secret file that only `readers` can read. Drops a byte order mark at its start.
///
/// # Errors
/// [`KeyFileError`].
/// [`KeyFileError`].
pub fn read_shared(path: &Path, readers: Readers) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    // The check is on the open file, because the path may lead to another file by now.
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

/// Like [`read`], but `None` if the file doesn't exist.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_if_there(path: &Path) -> Result<Option<Zeroizing<String>>, KeyFileError> {
    if_there(read(path))
}

/// Like [`read_shared`], but `None` if the file doesn't exist.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_shared_if_there(
    path: &Path,
    readers: Readers,
) -> Result<Option<Zeroizing<String>>, KeyFileError> {
    if_there(read_shared(path, readers))
}

/// Reads one of systemd's credentials. `None` if there is none with this name. Its mode says nothing: systemd grants the
/// access by an access control list, and lets nobody but the service into the folder.
///
/// # Errors
/// [`KeyFileError::Io`].
pub fn read_credential_if_there(path: &Path) -> Result<Option<Zeroizing<String>>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    if_there(std::fs::read_to_string(path).map(Zeroizing::new).map_err(failed))
}

fn if_there(
    read: Result<Zeroizing<String>, KeyFileError>,
) -> Result<Option<Zeroizing<String>>, KeyFileError> {
    match read {
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Creates a secret file of one line (mode 0600), and its folder (mode 0700) if necessary. Both are on disk when this
/// returns. No reader ever sees a partial file.
///
/// # Errors
/// [`KeyFileError`], also when the file already exists.
pub fn create(path: &Path, secret: &str, entropy: &Entropy) -> Result<(), KeyFileError> {
    write(path, secret, entropy, publish)
}

/// Like [`create`], but replaces an existing file.
///
/// # Errors
/// [`KeyFileError`].
pub fn replace(path: &Path, secret: &str, entropy: &Entropy) -> Result<(), KeyFileError> {
    write(path, secret, entropy, |draft, path| {
        rename(draft, path)?;
        File::open(folder_of(path))?.sync_all()
    })
}

/// Renames a finished draft in the same folder, unless a file with the new name exists. The name is on disk when this
/// returns.
pub(crate) fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    hard_link(draft, path)?;
    remove_file(draft)?;
    File::open(folder_of(path))?.sync_all()
}

/// Writes a draft beside `path`, and lets `publish` rename it.
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
