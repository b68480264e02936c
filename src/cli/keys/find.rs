//! `claviger keys find`.

use std::str::FromStr;

use clap::Args;

use crate::cli::CliError;
use crate::cli::output::Table;
use crate::cli::pages::{PageArgs, mention_more};
use crate::cli::remote::Remote;
use crate::cli::view::{Key, or_never};
use crate::client::Request;
use crate::domain::api_key::{KeyClue, KeyClueError, claimed_id};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger keys find clv_prd_wgIf
  claviger keys find key_wgIfG8DxmYsdKIm5

The command searches all organizations, and shows the keys that the caller can read.")]
pub(super) struct FindArgs {
    /// The key's id, at least its first 4 characters, the prefix that lists show, or the whole key (its secret is neither
    /// used nor sent)
    key: Clue,

    #[command(flatten)]
    pages: PageArgs,
}

/// The part of the argument that is sent.
#[derive(Clone, Debug)]
struct Clue(String);

impl FromStr for Clue {
    type Err = KeyClueError;

    fn from_str(text: &str) -> Result<Self, KeyClueError> {
        let text = text.trim();
        let clue = claimed_id(text).map_or_else(|| text.to_owned(), |id| id.to_string());
        clue.parse::<KeyClue>().map(|_| Self(clue))
    }
}

impl FindArgs {
    pub(super) async fn run(self, remote: &Remote) -> Result<(), CliError> {
        let request = Request::get(&["v1", "keys"]).query("prefix", Some(&self.key.0));
        let headings = ["id", "organization", "name", "project", "env", "status", "expires", "last used"];
        let mut table = Table::new(&headings);
        let row = |key: Key| {
            table.row([
                (&key.id).into(),
                (&key.organization).into(),
                (&key.name).into(),
                (&key.project).into(),
                (&key.environment).into(),
                key.status_cell(),
                or_never(key.expires_at.as_deref()).into(),
                or_never(key.last_used_at.as_deref()).into(),
            ]);
        };
        let more = self.pages.walk(remote, request, row).await?;
        if table.rows() == 0 {
            remote.remark("No matching key among those that the caller can read.")?;
        }
        table.print()?;
        Ok(mention_more(more.as_deref())?)
    }
}
