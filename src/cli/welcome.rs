//! Shows the secret of a new store once, with the next steps: the administrator's key, or the set-up code.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output::{OutputError, Stream, announce};
use crate::base::key_file;
use crate::domain::api_key::PlainKey;
use crate::use_cases::bootstrap::BootstrapContext;
use crate::use_cases::set_up::Code;

/// The destination of a secret.
#[derive(Debug)]
pub(super) enum SecretDestination {
    /// The terminal, where a person sees it.
    Terminal,
    /// A file, because standard output may be a log that is kept.
    File(PathBuf),
}

impl SecretDestination {
    /// The terminal if there is one, otherwise `file`.
    pub(super) fn choose(file: PathBuf) -> Self {
        if Stream::Out.is_terminal() { Self::Terminal } else { Self::File(file) }
    }

    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Terminal => None,
            Self::File(path) => Some(path),
        }
    }

    /// Shows the code or the path of its file, and the address of the page that asks for it.
    ///
    /// # Errors
    /// [`OutputError`] when the code could not be written to the terminal.
    pub(super) fn show_code(&self, code: &Code, issuer: &str) -> Result<(), OutputError> {
        let place = match self {
            Self::Terminal => format!("The page asks for this one-time code:\n\n  {}\n", &*code.expose()),
            Self::File(path) => format!("The page asks for the one-time code in {}.\n", path.display()),
        };
        self.show(&format!(
            "\nThe store is empty. To set it up, open this page:\n\n  {issuer}/console/set-up\n\n{}",
            place
        ))
    }

    /// Shows the key or the path of its file, and the next steps.
    ///
    /// # Errors
    /// [`OutputError`] when the key could not be written to the terminal.
    pub(super) fn show_key(&self, key: &PlainKey, issuer: &str) -> Result<(), OutputError> {
        match self {
            Self::Terminal => self.show(&format!(
                "\nThe administrator's key, shown only once:\n\n  {key}\n\n{}",
                first_steps(issuer, key.expose()),
                key = key.expose()
            )),
            Self::File(path) => {
                let path = path.display();
                self.show(&format!(
                    "\nThe administrator's key is in {path}. Copy it to a safe place, and delete the file.\n\n{}",
                    first_steps(issuer, &format!("$(cat {path})"))
                ))
            }
        }
    }

    /// A secret in a file survives if this text is lost.
    fn show(&self, text: &str) -> Result<(), OutputError> {
        match self {
            Self::Terminal => Stream::Out.only_copy(text),
            Self::File(_) => {
                announce(text);
                Ok(())
            }
        }
    }
}

/// Saves an administrator's key that could not be shown to its file, and returns an error with the path.
pub(super) fn keep_unseen(admin: &PlainKey, context: &BootstrapContext, why: OutputError) -> Failure {
    let path = context.admin_file();
    match key_file::create(&path, admin.expose(), &context.entropy) {
        Ok(()) => Failure::AdminKeyKept { why, path },
        Err(source) => Failure::AdminKeyLost { why, source },
    }
}

/// Shell commands that create a first key and get a token with it.
fn first_steps(issuer: &str, admin_key: &str) -> String {
    format!(
        r#"Create a key, and get a token with it:

  ADMIN_KEY={admin_key}
  API_KEY=$(curl -sS {issuer}/v1/orgs/default/keys \
    -H "Authorization: Bearer $ADMIN_KEY" -H 'Content-Type: application/json' \
    -d '{{"name":"first","project":"default","environment":"prd","preset":"query_only"}}' \
    | sed -n 's/.*"key":"\([^"]*\)".*/\1/p')
  curl -sS {issuer}/oauth/token -d grant_type=client_credentials -d "client_secret=$API_KEY"
"#
    )
}
