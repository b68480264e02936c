//! The file of profiles.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::ProfileName;
use crate::base::key_file;
use crate::base::text::without_values;
use crate::base::variables::raw_variable;
use crate::cli::failure::UsageError;
use crate::client::BaseUrl;
use crate::domain::names::OrganizationId;

/// All profiles.
pub(in crate::cli) struct Profiles {
    path: PathBuf,
    by_name: BTreeMap<ProfileName, Profile>,
}

/// A server and the settings to use with it.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Profile {
    pub(in crate::cli) url: BaseUrl,
    pub(in crate::cli) key: Option<KeySource>,
    pub(in crate::cli) organization: Option<OrganizationId>,
    pub(in crate::cli) ca_file: Option<PathBuf>,
}

/// The source of a profile's API key. The key is never in the file of profiles itself.
#[derive(Clone, Debug)]
pub(in crate::cli) enum KeySource {
    /// A separate file.
    File(PathBuf),
    /// The output of a shell command.
    Command(String),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Command(command) => write!(f, "$({command})"),
        }
    }
}

/// A profile as written in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileEntry {
    #[serde(deserialize_with = "url")]
    url: BaseUrl,
    api_key_file: Option<PathBuf>,
    api_key_command: Option<String>,
    organization: Option<OrganizationId>,
    ca_file: Option<PathBuf>,
}

impl Profiles {
    /// Reads the file. Without a file there are no profiles.
    pub(in crate::cli) fn load() -> Result<Self, UsageError> {
        let path = path()?;
        let text = key_file::read_if_there(&path).map_err(UsageError::from)?;
        let text = text.as_deref().map_or("", String::as_str);
        let written: BTreeMap<ProfileName, ProfileEntry> =
            toml::from_str(text).map_err(|error| UsageError::input(path.display(), located(text, &error)))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let by_name = written.into_iter().map(|(name, profile)| match profile.beside(folder) {
            Some(profile) => Ok((name, profile)),
            None => Err(UsageError::TwoKeySources { name: name.to_string(), file: path.clone() }),
        });
        let by_name = by_name.collect::<Result<_, UsageError>>()?;
        Ok(Self { path, by_name })
    }

    /// The path of the file.
    pub(in crate::cli) fn path(&self) -> &Path {
        &self.path
    }

    /// All profiles in the order of their names.
    pub(in crate::cli) fn iter(&self) -> btree_map::Iter<'_, ProfileName, Profile> {
        self.by_name.iter()
    }

    pub(in crate::cli) fn take(mut self, name: &ProfileName) -> Option<Profile> {
        self.by_name.remove(name)
    }

    pub(super) fn has(&self, name: &ProfileName) -> bool {
        self.by_name.contains_key(name)
    }
}

impl ProfileEntry {
    /// The profile, with paths relative to the file of profiles. `None` if it has two sources of its key.
    fn beside(self, folder: &Path) -> Option<Profile> {
        let key = match (self.api_key_file, self.api_key_command) {
            (Some(_), Some(_)) => return None,
            (Some(file), None) => Some(KeySource::File(folder.join(file))),
            (None, command) => command.map(KeySource::Command),
        };
        let ca_file = self.ca_file.map(|file| folder.join(file));
        Some(Profile { url: self.url, key, organization: self.organization, ca_file })
    }
}

/// `$XDG_CONFIG_HOME/claviger/profiles.toml`, by the rules of the XDG Base Directory Specification.
fn path() -> Result<PathBuf, UsageError> {
    let folder = |name: &str| raw_variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    let folder = folder.ok_or(UsageError::NoConfigFolder)?;
    Ok(folder.join("claviger").join("profiles.toml"))
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BaseUrl, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|why| serde::de::Error::custom(format!("the URL {why}")))
}

/// The line and the reason. Values are omitted, because one could be a misplaced key.
fn located(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}: {}", before.split('\n').count(), without_values(error.message()))
}
