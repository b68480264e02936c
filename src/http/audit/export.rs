//! The whole audit trail as one streamed response. The stream reads from the store only as fast as the client reads the
//! response.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use tracing::{Instrument as _, Span};

use super::format::{ExportFormat, Mark};
use crate::domain::audit::RecordedEvent;
use crate::http::spreadsheet;
use crate::sharing::background;
use crate::store::StoreError;
use crate::use_cases::management::ApiError;
use crate::use_cases::management::audit::Export;

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

/// The part of the trail that is not written yet.
struct ExportStream {
    export: Export,
    format: ExportFormat,
    /// Events that are read and not yet written.
    events: Vec<RecordedEvent>,
    has_begun: bool,
}

/// Streams all of `export`.
///
/// # Errors
/// [`ApiError`], if the first events can't be read. Later errors cut the response off.
pub(super) async fn answer(mut export: Export, format: ExportFormat) -> Result<Response, ApiError> {
    let events = export.next().await?;
    let rest = ExportStream { export, format, events, has_begun: false };
    // The request has been answered by then, and what goes wrong is still about it.
    let span = Span::current();
    // The response is written on a thread that all clients share.
    let body = stream::try_unfold(rest, move |mut rest| {
        let next = async move {
            let part = rest.next().await.inspect_err(|error| {
                tracing::warn!(%error, "audit export cut off");
            })?;
            Ok::<_, ExportError>(part.map(|part| (part, rest)))
        };
        background::run(next.instrument(span.clone()))
    });
    let content_type = HeaderValue::from_static(format.content_type());
    Ok(([(header::CONTENT_TYPE, content_type)], Body::from_stream(body)).into_response())
}

impl ExportStream {
    /// The next chunk, or `None` after the last one.
    async fn next(&mut self) -> Result<Option<Bytes>, ExportError> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        if !is_first {
            self.events = self.export.next().await?;
        }
        let part = match self.format {
            ExportFormat::JsonLines => json_lines(&self.events)?,
            ExportFormat::Csv(mark) => {
                let table = csv(&self.events, is_first)?;
                if is_first && mark == Mark::Utf8 { spreadsheet::marked(table) } else { table }
            }
        };
        Ok((!part.is_empty()).then(|| part.into()))
    }
}

fn json_lines(events: &[RecordedEvent]) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for event in events {
        serde_json::to_writer(&mut lines, event)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

const COLUMNS: [&str; 13] = [
    "id",
    "at",
    "actor",
    "address",
    "request_id",
    "action",
    "organization",
    "key",
    "subject",
    "before",
    "after",
    "actor_name",
    "operator_id",
];

/// The events as CSV, with or without a header row.
///
/// # Errors
/// None in practice, since the table is written in memory.
pub(crate) fn csv(events: &[RecordedEvent], with_header: bool) -> Result<Vec<u8>, csv::Error> {
    spreadsheet::table(with_header.then_some(&COLUMNS), events.iter().map(cells))
}

fn cells(event: &RecordedEvent) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let json = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
    [
        event.id.to_string(),
        event.at.rfc3339(),
        event.actor.clone(),
        text(&event.address),
        text(&event.request_id),
        event.action.clone(),
        text(&event.organization),
        text(&event.key),
        event.subject.clone(),
        json(&event.before),
        json(&event.after),
        text(&event.actor_name),
        text(&event.operator_id),
    ]
}
