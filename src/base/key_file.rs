//! Files that hold a secret: readable by their owner alone, or not used at all.

use std::fs::{DirBuilder, File, OpenOptions, hard_link, remove_file, rename};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

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
}

impl KeyFileError {
    /// Whether it is about a file that should not have been there.
    pub fn is_already_there(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

/// Reads a secret file, without a byte order mark in front of it.
///
/// # Errors
/// [`KeyFileError`].
pub fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    // Of the file that is open, not of whatever has the name by now.
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    if let Some(unmarked) = text.strip_prefix('\u{feff}') {
        return Ok(Zeroizing::new(unmarked.to_owned()));
    }
    Ok(text)
}

/// Reads a secret file; `None` when there is none.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_if_there(path: &Path) -> Result<Option<Zeroizing<String>>, KeyFileError> {
    match read(path) {
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
