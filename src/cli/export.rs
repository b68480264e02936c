//! Exports: whole lists that the server streams, copied to standard output.

use clap::ValueEnum;

use super::CliError;
use super::failure::UsageError;
use super::output::{Reader, Stream};
use super::pages::{PageArgs, Progress};
use super::remote::Remote;
use crate::client::{Request, StreamedAnswer};

/// The maximum size in bytes of an error response to an export.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// The format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Jsonl,
    Csv,
}

/// Copies the whole list in this format to standard output.
///
/// # Errors
/// [`CliError`]. [`UsageError::PageOfExport`] if only some pages are wanted.
pub(super) async fn export(
    remote: &Remote,
    pages: &PageArgs,
    request: Request,
    format: &str,
) -> Result<(), CliError> {
    if pages.is_any() {
        return Err(UsageError::PageOfExport.into());
    }
    let answer = remote.client().stream(request.query("format", Some(format))).await;
    let answer = answer.map_err(|error| remote.asking(error))?;
    if !answer.status().is_success() {
        return Err(remote.refused(answer.whole(LONGEST_REFUSAL).await?).await);
    }
    copy(answer).await
}

/// Copies the body to standard output until the body ends or the reader is gone.
async fn copy(mut answer: StreamedAnswer) -> Result<(), CliError> {
    let mut progress = Progress::default();
    while let Some(piece) = answer.next().await? {
        if Stream::Out.write(&piece)? == Reader::Gone {
            return Ok(());
        }
        progress.add(piece.iter().filter(|byte| **byte == b'\n').count());
    }
    Ok(())
}
