//! Where a process looks for its master key: a variable, a command, a systemd credential, or a file. While the master
//! key is being rotated, each of these may have a second one, which is to take over.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::base::entropy::{Entropy, EntropyError};
use crate::base::key_file::{self, KeyFileError, Readers};
use crate::base::master_key::{MasterKey, MasterKeyError};
use crate::base::variables::variable;

const VARIABLE: &str = "CLAVIGER_MASTER_KEY";

/// The name of the file, in the folder of the key files and among systemd's credentials.
const FILE: &str = "master.key";

/// The longest run of the command.
const COMMAND_WITHIN: Duration = Duration::from_secs(30);

/// The most that the command may print.
const COMMAND_OUTPUT: usize = 4096;

/// The places where the master keys are looked for.
#[derive(Clone)]
pub struct MasterKeySources {
    keys_dir: PathBuf,
    readers: Readers,
    /// The current and the next one in variables.
    variables: Both,
    /// The current and the next one as the command printed them, and the command.
    printed: Option<(String, Both)>,
    /// The folder of systemd's credentials (`$CREDENTIALS_DIRECTORY`).
    credentials: Option<PathBuf>,
}

/// The texts of two master keys, as far as there are any.
#[derive(Clone, Default)]
struct Both {
    current: Option<Zeroizing<String>>,
    next: Option<Zeroizing<String>>,
}

/// Which of the two.
#[derive(Clone, Copy)]
enum Which {
    Current,
    Next,
}

/// One place, and what it holds.
struct Found {
    place: String,
    text: Zeroizing<String>,
}

/// Why the master key of a store or a backup is not available.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyFault {
    /// There is no master key.
    #[error("the {of} was made with a master key that is not here: put it into {path}, or into {VARIABLE}")]
    Missing {
        /// What the key belongs to: a store or a backup.
        of: &'static str,
        /// Where the file of the key would be.
        path: PathBuf,
    },
    /// There is another master key.
    #[error("{place} is not the master key of this {of}{}", hint(of))]
    Wrong {
        /// What the key belongs to: a store or a backup.
        of: &'static str,
        /// The place of the other key.
        place: String,
    },
    /// The text is not a master key.
    #[error("{0}: {1}")]
    Malformed(String, MasterKeyError),
    /// The file of the key can't be read or written.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The command that prints the key failed.
    #[error("the master key's command {command}: {why}")]
    Command {
        /// The command.
        command: String,
        /// The reason, without anything that it printed.
        why: String,
    },
    /// The system has no randomness for a new key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Which {
    const fn variable(self) -> &'static str {
        match self {
            Self::Current => VARIABLE,
            Self::Next => "CLAVIGER_NEXT_MASTER_KEY",
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Current => FILE,
            Self::Next => "next-master.key",
        }
    }
}

impl Both {
    const fn get(&self, which: Which) -> Option<&Zeroizing<String>> {
        match which {
            Which::Current => self.current.as_ref(),
            Which::Next => self.next.as_ref(),
        }
    }
}

/// What helps after a rotation.
fn hint(of: &str) -> &'static str {
    match of {
        "backup" => "; if it was replaced since, give the earlier one with --retired-master-key-file",
        _ => "",
    }
}

impl MasterKeySources {
    /// The variable, if it is set, or else a file in this folder that only `readers` can read.
    pub fn new(keys_dir: &Path, readers: Readers, variable: Option<OsString>) -> Self {
        let variables = Both { current: variable.map(text), next: None };
        Self { keys_dir: keys_dir.to_owned(), readers, variables, printed: None, credentials: None }
    }

    /// All places of this process. Runs `command`, if one is given: a program and its arguments, separated by spaces.
    ///
    /// # Errors
    /// [`MasterKeyFault::Command`].
    pub async fn of_this_process(
        keys_dir: &Path,
        readers: Readers,
        command: Option<&str>,
    ) -> Result<Self, MasterKeyFault> {
        let variables =
            Both { current: variable(VARIABLE).map(text), next: variable(Which::Next.variable()).map(text) };
        let printed = match command {
            Some(command) => Some((command.to_owned(), run(command).await?)),
            None => None,
        };
        let credentials = variable("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Ok(Self { keys_dir: keys_dir.to_owned(), readers, variables, printed, credentials })
    }

    /// The master key that `check` belongs to: the current one, or the next one if it has taken over already. `of` says
    /// what has the check: a store or a backup.
    ///
    /// # Errors
    /// [`MasterKeyFault`] when the key is missing, or is another one.
    pub fn matching(&self, check: &[u8], of: &'static str) -> Result<MasterKey, MasterKeyFault> {
        let wrong = match self.find(Which::Current)? {
            Some((_, key)) if key.matches(check) => return Ok(key),
            other => other.map(|(place, _)| place),
        };
        if let Some((place, next)) = self.find(Which::Next)?
            && next.matches(check)
        {
            tracing::warn!(
                %place,
                "the next master key has taken over: put it where the current one is, and remove it from this place"
            );
            return Ok(next);
        }
        Err(wrong.map_or_else(
            || MasterKeyFault::Missing { of, path: self.path() },
            |place| MasterKeyFault::Wrong { of, place },
        ))
    }

    /// The place of the current master key. `None` if there is no master key.
    ///
    /// # Errors
    /// [`MasterKeyFault`] when it is malformed, or can't be read.
    pub fn place(&self) -> Result<Option<String>, MasterKeyFault> {
        Ok(self.find(Which::Current)?.map(|(place, _)| place))
    }

    /// The current master key, for a store that is still empty.
    ///
    /// # Errors
    /// [`MasterKeyFault`] when the key is missing or malformed.
    pub fn at_hand(&self) -> Result<MasterKey, MasterKeyFault> {
        let missing = || MasterKeyFault::Missing { of: "store", path: self.path() };
        self.find(Which::Current)?.map(|(_, key)| key).ok_or_else(missing)
    }

    /// The master key that is to take over, if it is at hand. Files are read again each time.
    ///
    /// # Errors
    /// [`MasterKeyFault`] when it is malformed, or can't be read.
    pub fn next(&self) -> Result<Option<MasterKey>, MasterKeyFault> {
        Ok(self.find(Which::Next)?.map(|(_, key)| key))
    }

    /// The key in the first place that has one, and that place.
    fn find(&self, which: Which) -> Result<Option<(String, MasterKey)>, MasterKeyFault> {
        let Some(Found { place, text }) = self.look(which)? else { return Ok(None) };
        match text.parse() {
            Ok(key) => Ok(Some((place, key))),
            Err(error) => Err(MasterKeyFault::Malformed(place, error)),
        }
    }

    fn look(&self, which: Which) -> Result<Option<Found>, MasterKeyFault> {
        if let Some(text) = self.variables.get(which) {
            return Ok(Some(Found { place: which.variable().to_owned(), text: text.clone() }));
        }
        if let Some((command, printed)) = &self.printed
            && let Some(text) = printed.get(which)
        {
            return Ok(Some(Found { place: format!("the output of {command}"), text: text.clone() }));
        }
        if let Some(folder) = &self.credentials {
            let path = folder.join(which.file());
            if let Some(text) = key_file::read_credential_if_there(&path)? {
                return Ok(Some(Found { place: path.display().to_string(), text }));
            }
        }
        let path = self.keys_dir.join(which.file());
        let text = key_file::read_shared_if_there(&path, self.readers)?;
        Ok(text.map(|text| Found { place: path.display().to_string(), text }))
    }

    /// The available key or a new one, and whether it is new.
    pub(super) fn at_hand_or_new(&self, entropy: &Entropy) -> Result<(MasterKey, bool), MasterKeyFault> {
        if let Some((_, key)) = self.find(Which::Current)? {
            return Ok((key, false));
        }
        let key = MasterKey::generate(entropy)?;
        match key_file::create(&self.path(), &key.expose(), entropy) {
            Ok(()) => Ok((key, true)),
            // Another process was faster.
            Err(error) if error.is_already_there() => match self.find(Which::Current)? {
                Some((_, key)) => Ok((key, false)),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The file of the key, whether it exists or not.
    pub(super) fn path(&self) -> PathBuf {
        self.keys_dir.join(FILE)
    }
}

/// A variable that is not Unicode is no master key either. It is reported, not ignored.
fn text(value: OsString) -> Zeroizing<String> {
    Zeroizing::new(value.to_string_lossy().into())
}

/// Runs the command once. It prints the master key in its first line, and may print the next one in a second line.
async fn run(command: &str) -> Result<Both, MasterKeyFault> {
    let failed = |why: String| MasterKeyFault::Command { command: command.to_owned(), why };
    let mut words = command.split_ascii_whitespace();
    let program = words.next().ok_or_else(|| failed("it is empty".into()))?;
    let mut process = tokio::process::Command::new(program);
    process.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(COMMAND_WITHIN, process.output()).await;
    let output = output
        .map_err(|_| failed(format!("it did not end within {} seconds", COMMAND_WITHIN.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    if printed.len() > COMMAND_OUTPUT {
        return Err(failed(format!("it printed more than {COMMAND_OUTPUT} bytes")));
    }
    let printed = std::str::from_utf8(&printed).map_err(|_| failed("it did not print text".into()))?;
    let mut lines = printed.lines().map(|line| Zeroizing::new(line.trim().to_owned()));
    let mut line = || lines.next().filter(|line| !line.is_empty());
    let both = Both { current: line(), next: line() };
    if both.current.is_none() {
        return Err(failed("its first line is empty".into()));
    }
    Ok(both)
}

/// Names the place of the current key for people.
impl fmt::Display for MasterKeySources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.look(Which::Current) {
            Ok(Some(found)) => f.write_str(&found.place),
            Ok(None) | Err(_) => self.path().display().fmt(f),
        }
    }
}

/// Never shows a key.
impl fmt::Debug for MasterKeySources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeySources({self})")
    }
}
