//! Writes the secrets of new keys to files.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::NewKey;
use crate::base::entropy::Entropy;
use crate::base::key_file;
use crate::cli::CliError;
use crate::cli::failure::UsageError;

/// A folder that is known to be writable.
pub(super) struct SecretsFolder<'a>(&'a Path);

impl<'a> SecretsFolder<'a> {
    /// Creates the folder, and checks that files can be written to it.
    pub(super) fn open(folder: &'a Path) -> Result<Self, UsageError> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        created.map_err(|error| UsageError::input(folder.display(), error))?;
        let trial = folder.join(".claviger-trial");
        let written = key_file::create(&trial, "", &Entropy::system());
        let _ = std::fs::remove_file(&trial);
        written.map_err(|error| UsageError::input(folder.display(), error))?;
        Ok(Self(folder))
    }

    /// Writes each key that has a secret to its own file of mode 0600, and returns a line about each key.
    pub(super) fn keep(&self, keys: &[NewKey]) -> Result<Vec<String>, CliError> {
        let keep = |key: &NewKey| {
            let Some(text) = &key.key else { return Ok(format!("{} has no secret", key.id)) };
            let path = self.0.join(file_name(key));
            key_file::create(&path, text.expose(), &Entropy::system()).map_err(CliError::failed)?;
            Ok(format!("{} is in {}", key.id, path.display()))
        };
        keys.iter().map(keep).collect()
    }
}

/// `web-prd-reporting-key_….key`. The name is unique and can be found by a pattern.
fn file_name(key: &NewKey) -> PathBuf {
    let fit = |character: char| {
        if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' }
    };
    let name: String = key.name.chars().take(40).map(fit).collect();
    format!("{}-{}-{name}-{}.key", key.project, key.environment, key.id).into()
}
