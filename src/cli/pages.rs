//! Lists in pages.

use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::CliError;
use super::output::{self, OutputError, Reader, Stream, note};
use super::remote::{Remote, read};
use crate::client::Request;

/// The server's maximum page size.
const LARGEST_PAGE: u16 = 200;

/// The options of paged lists.
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

/// One page. Its items are parsed only when they are shown to people.
#[derive(Deserialize)]
struct ListAnswer<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

impl PageArgs {
    /// Whether any of these options is given.
    pub(super) fn is_any(&self) -> bool {
        self.limit.is_some() || self.cursor.is_some() || self.all
    }

    /// Fetches as many pages as requested. With `--json` it prints each page; otherwise it passes the items to `each`,
    /// and returns the cursor of the next page. It skips pages that are empty because the server is still searching.
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
                read::<ListAnswer<serde::de::IgnoredAny>>(&page)?.next_cursor
            } else {
                let page: ListAnswer<T> = read(&page)?;
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

/// Explains how to see more items.
pub(super) fn mention_more(next_cursor: Option<&str>) -> Result<(), OutputError> {
    next_cursor.map_or(Ok(()), |cursor| note(&format!("There may be more: use --all, or --cursor {cursor}")))
}

/// A progress counter on a terminal.
#[derive(Default)]
pub(super) struct Progress {
    done: usize,
    is_shown: bool,
}

impl Progress {
    /// Adds to the counter. The first batch shows nothing, since a fast result needs no progress.
    pub(super) fn add(&mut self, more: usize) {
        self.is_shown = self.done > 0 && Stream::Err.is_terminal();
        self.done += more;
        if self.is_shown {
            // A failed progress line does not matter.
            let _ = Stream::Err.write(format!("\r{} …", self.done).as_bytes());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            // Erases the line.
            let _ = Stream::Err.write(b"\r\x1b[K");
        }
    }
}
