//! The events of the audit trail in an export.

use serde_json::Value;

use crate::domain::audit::RecordedEvent;
use crate::http::export::{Exported, json_lines};
use crate::http::spreadsheet;
use crate::store::StoreError;
use crate::use_cases::management::audit::Export;

impl Exported for Export {
    type Item = RecordedEvent;

    const NAME: &'static str = "audit";

    async fn next(&mut self) -> Result<Option<Vec<RecordedEvent>>, StoreError> {
        let events = Self::next(self).await?;
        Ok((!events.is_empty()).then_some(events))
    }

    fn table(&self, events: &[RecordedEvent], with_header: bool) -> Result<Vec<u8>, csv::Error> {
        csv(events, with_header)
    }

    fn lines(&self, events: &[RecordedEvent]) -> Result<Vec<u8>, serde_json::Error> {
        json_lines(events)
    }
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
