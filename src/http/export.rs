//! A whole list as one streamed response. The stream reads from the store only as fast as the client reads the response,
//! and holds nothing of the store between two reads.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use tracing::{Instrument as _, Span};

use super::format::{ExportFormat, Mark};
use super::spreadsheet;
use crate::sharing::background;
use crate::store::StoreError;
use crate::use_cases::management::ApiError;

/// A list that is read a few items at a time.
pub(crate) trait Exported: Send + 'static {
    type Item: Send;

    /// What the log calls it.
    const NAME: &'static str;

    /// The next items, of which there may be none although the list goes on. `None` after the last.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Self::Item>>, StoreError>> + Send;

    /// The items as CSV, with or without a header row.
    fn table(&self, items: &[Self::Item], with_header: bool) -> Result<Vec<u8>, csv::Error>;

    /// The items as JSON, one on each line.
    fn lines(&self, items: &[Self::Item]) -> Result<Vec<u8>, serde_json::Error>;
}

/// Why an export stops early. The response then ends without its final chunk, so the client sees that it is incomplete.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// The part of the list that is not written yet.
struct ExportStream<E: Exported> {
    export: E,
    format: ExportFormat,
    /// The first items, until they are written.
    first: Option<Vec<E::Item>>,
}

/// Streams all of `export`.
///
/// # Errors
/// [`ApiError`], if the first items can't be read. Later errors cut the response off.
pub(crate) async fn answer<E: Exported>(mut export: E, format: ExportFormat) -> Result<Response, ApiError> {
    let first = Some(export.next().await?.unwrap_or_default());
    let rest = ExportStream { export, format, first };
    // The request has been answered by then, and what goes wrong is still about it.
    let span = Span::current();
    // The response is written on a thread that all clients share.
    let body = stream::try_unfold(rest, move |mut rest| {
        let next = async move {
            let part = rest.next().await.inspect_err(|error| {
                tracing::warn!(%error, "{} export cut off", E::NAME);
            })?;
            Ok::<_, ExportError>(part.map(|part| (part, rest)))
        };
        background::run(next.instrument(span.clone()))
    });
    let content_type = HeaderValue::from_static(format.content_type());
    Ok(([(header::CONTENT_TYPE, content_type)], Body::from_stream(body)).into_response())
}

impl<E: Exported> ExportStream<E> {
    /// The next chunk, or `None` after the last one.
    async fn next(&mut self) -> Result<Option<Bytes>, ExportError> {
        let first = self.first.take();
        let is_first = first.is_some();
        let Some(items) = (match first {
            Some(first) => Some(first),
            None => self.export.next().await?,
        }) else {
            return Ok(None);
        };
        let part = match self.format {
            ExportFormat::JsonLines => self.export.lines(&items)?,
            ExportFormat::Csv(mark) => {
                let table = self.export.table(&items, is_first)?;
                if is_first && mark == Mark::Utf8 { spreadsheet::marked(table) } else { table }
            }
        };
        Ok(Some(part.into()))
    }
}

/// Items as JSON, one on each line.
///
/// # Errors
/// None in practice, since the lines are written in memory.
pub(crate) fn json_lines<T: serde::Serialize>(
    items: impl IntoIterator<Item = T>,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, &item)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
