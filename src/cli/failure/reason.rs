//! The command line's own errors, each with its text. The errors of other modules bring their texts along.

use std::fmt::Display;
use std::path::PathBuf;

use crate::base::key_file::KeyFileError;
use crate::cli::output::OutputError;
use crate::client::{BaseUrl, BaseUrlError, CredentialError};
use crate::jose::jwk::JwksFault;
use crate::jose::revocation_feed::FeedFault;

/// Why the arguments or the input are invalid.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum UsageError {
    /// The arguments do not parse. The value is the parser's message.
    #[error("{0}")]
    Arguments(String),
    /// A command that changes something has nothing to change.
    #[error("no change is specified: see --help")]
    NoChange,
    /// An export has no pages.
    #[error("an export contains all events, so --limit, --cursor and --all are not supported")]
    PageOfExport,
    /// The command asks for confirmation, and nobody can answer.
    #[error("nothing was changed: there is no terminal to ask for confirmation; use --yes")]
    NoTerminal,
    /// The token to verify is an API key.
    #[error(
        "this is an API key, not a token: `claviger token` gets one for it. If the key was an argument, other users of this \
         machine may have seen it"
    )]
    KeyAsToken,

    /// A variable is not UTF-8.
    #[error("{0} is not text")]
    VariableNotText(&'static str),
    /// A variable has a malformed value.
    #[error("{name}: {why}")]
    Variable {
        /// The name of the variable.
        name: &'static str,
        /// What is wrong.
        why: String,
    },
    /// `CLAVIGER_URL` is not a URL.
    #[error("CLAVIGER_URL {0}")]
    Url(BaseUrlError),
    /// This variable does not name a proxy.
    #[error("{0} is not the URL of an http:// or https:// proxy")]
    Proxy(&'static str),

    /// The input can't be read, or does not parse.
    #[error("{place}: {why}")]
    Input {
        /// The file, or standard input.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// A file with a secret can't be read.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The text in this place is no credential.
    #[error("{place} {why}")]
    Credential {
        /// The place.
        place: String,
        /// What is wrong.
        why: CredentialError,
    },
    /// No credential is named anywhere.
    #[error("no API key is set: use CLAVIGER_API_KEY, --api-key-file, or a profile with a key")]
    NoKey,

    /// No server is named anywhere.
    #[error(
        "no server is set: use CLAVIGER_URL, --url or --profile, or add a profile called `default` with `claviger profiles add`"
    )]
    NoServer,
    /// The URL of the server includes the API's path.
    #[error("{named_by} is {url}, which is the API and not the server: leave /v1 out")]
    UrlOfApi {
        /// The source of the URL.
        named_by: String,
        /// The URL.
        url: BaseUrl,
    },

    /// There is no folder for the file of profiles.
    #[error("neither XDG_CONFIG_HOME nor HOME is an absolute path of a folder")]
    NoConfigFolder,
    /// The profile does not exist.
    #[error("the profile {name} does not exist in {file}: see `claviger profiles list`")]
    NoSuchProfile {
        /// The name of the profile.
        name: String,
        /// The file of profiles.
        file: PathBuf,
    },
    /// The profile to add exists already.
    #[error("the profile {name} already exists: edit {file}")]
    ProfileExists {
        /// The name of the profile.
        name: String,
        /// The file of profiles.
        file: PathBuf,
    },
    /// The profile names two sources of its key.
    #[error("{file}: the profile {name} has both api_key_file and api_key_command")]
    TwoKeySources {
        /// The name of the profile.
        name: String,
        /// The file of profiles.
        file: PathBuf,
    },
}

impl UsageError {
    /// Input from `place` that can't be read or does not parse.
    pub(in crate::cli) fn input(place: impl Display, why: impl Display) -> Self {
        Self::Input { place: place.to_string(), why: why.to_string() }
    }
}

/// Why a command failed, where no exit code says it.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Failure {
    /// The answer to a question was not yes.
    #[error("nothing was changed")]
    NotConfirmed,
    /// The async runtime can't be started.
    #[error("the runtime does not start: {0}")]
    Runtime(std::io::Error),
    /// The log can't be started.
    #[error("cannot start the log: {0}")]
    Log(String),
    /// The file can't be written.
    #[error("{path}: {why}")]
    File {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        why: std::io::Error,
    },
    /// The file has another master key than the backup.
    #[error("{0} is not the master key of this backup")]
    OtherMasterKey(PathBuf),
    /// The command that prints a profile's key failed.
    #[error("the profile's api_key_command: {0}")]
    KeyCommand(String),

    /// The server's answer has another form than expected.
    #[error("the server's answer is not understood ({0}): is it of another version?")]
    NotUnderstood(serde_json::Error),
    /// The server's key set breaks a rule.
    #[error("the server's key set is refused: {0}")]
    KeySet(JwksFault),
    /// The server's revocation feed breaks a rule.
    #[error("the server's revocation feed is refused: {0}")]
    Feed(FeedFault),

    /// A server is using the store.
    #[error(
        "a server is using {0}: stop the server, run this command again, and start the server. Only one process at a time can \
         use an SQLite store"
    )]
    StoreInUse(PathBuf),
    /// The administrator's key could not be shown.
    #[error("{why}: the administrator's key is in {path} instead")]
    AdminKeyKept {
        /// The failed write.
        why: OutputError,
        /// The file with the key.
        path: PathBuf,
    },
    /// The administrator's key could neither be shown nor be kept.
    #[error("{why}, and {source}: the administrator's key is lost. Empty the store and start again")]
    AdminKeyLost {
        /// The failed write.
        why: OutputError,
        /// The failed write of the file.
        source: KeyFileError,
    },

    /// An error with a text of its own.
    #[error("{0}")]
    Other(String),
}
