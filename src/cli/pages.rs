//! Lists that come in pages.

use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::CliError;
use super::output::{self, OutputError, Reader, Stream, note};
use super::remote::{Remote, read};
use crate::client::Request;

/// The most that a page can have.
const LARGEST_PAGE: u16 = 200;

/// How much of a list.
#[derive(Clone, Debug, Args)]
pub(super) struct PageArgs {
    /// Page size, newest first [default: 50; 200 with --all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: Option<u16>,

    /// Cursor of the next page, from the previous one
    // A base64url value may begin with a hyphen.
    #[arg(long, value_name = "CURSOR", conflicts_with = "all", allow_hyphen_values = true)]
    cursor: Option<String>,

    /// Get all pages; with --json, one document per page
    #[arg(long)]
    all: bool,
}

/// One page. What it consists of is read only where people look at it.
#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

impl PageArgs {
    /// Whether any of it was said.
    pub(super) fn is_any(&self) -> bool {
        self.limit.is_some() || self.cursor.is_some() || self.all
    }

    /// Asks for as many pages as are wanted, prints each for those who asked for JSON, and gives what is in them
    /// to `each` for others; to those it returns the cursor at which there may be more. They see no page that is empty
    /// because the server has found nothing yet.
    pub(super) async fn walk<T: DeserializeOwned>(
        &self,
        remote: &Remote,
        request: Request,
        mut each: impl FnMut(T),
    ) -> Result<Option<String>, CliError> {
        let limit = self.limit.or(self.all.then_some(LARGEST_PAGE));
        let mut cursor = self.cursor.clone();
        let mut progress = Progress::default();
        loop {
            let page = remote.ask(request.clone().query("limit", limit).query("cursor", cursor)).await?;
            let next_cursor = if remote.as_json() {
                if output::json(&page.body)? == Reader::Gone {
                    return Ok(None);
                }
                read::<Page<serde::de::IgnoredAny>>(&page)?.next_cursor
            } else {
                let page: Page<T> = read(&page)?;
                progress.add(page.data.len());
                page.data.into_iter().for_each(&mut each);
                page.next_cursor
            };
            let goes_on = self.all || (!remote.as_json() && progress.done == 0);
            if !goes_on || next_cursor.is_none() {
                return Ok(next_cursor.filter(|_| !remote.as_json()));
            }
            cursor = next_cursor;
        }
    }
}

/// Says how to see more than was shown.
pub(super) fn mention_more(next_cursor: Option<&str>) -> Result<(), OutputError> {
    next_cursor.map_or(Ok(()), |cursor| note(&format!("There may be more: use --all, or --cursor {cursor}")))
}

/// How far it has come, for whoever waits at a terminal.
#[derive(Default)]
pub(super) struct Progress {
    done: usize,
    is_shown: bool,
}

impl Progress {
    /// So many more. What comes at once needs no progress.
    pub(super) fn add(&mut self, more: usize) {
        self.is_shown = self.done > 0 && Stream::Err.is_terminal();
        self.done += more;
        if self.is_shown {
            // A terminal that takes no progress line loses nothing.
            let _ = Stream::Err.write(format!("\r{} …", self.done).as_bytes());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            // Takes the line away again.
            let _ = Stream::Err.write(b"\r\x1b[K");
        }
    }
}
