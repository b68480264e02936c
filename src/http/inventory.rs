//! The keys of an organization in an export.

use crate::base::clock::Timestamp;
use crate::domain::api_key::display_prefix;
use crate::domain::key::ApiKey;
use crate::http::export::{Exported, json_lines};
use crate::http::spreadsheet;
use crate::store::StoreError;
use crate::use_cases::management::keys::Inventory;

const COLUMNS: [&str; 23] = [
    "id",
    "name",
    "organization",
    "project",
    "environment",
    "status",
    "prefix",
    "scopes",
    "cidrs",
    "dpop",
    "tags",
    "owner",
    "note",
    "created_at",
    "created_by",
    "created_by_name",
    "expires_at",
    "disabled_at",
    "revoked_at",
    "revoked_reason",
    "last_used_at",
    "last_used_address",
    "generation",
];

impl Exported for Inventory {
    type Item = ApiKey;

    const NAME: &'static str = "key";

    async fn next(&mut self) -> Result<Option<Vec<ApiKey>>, StoreError> {
        Self::next(self).await
    }

    fn table(&self, keys: &[ApiKey], with_header: bool) -> Result<Vec<u8>, csv::Error> {
        let now = self.at();
        spreadsheet::table(with_header.then_some(&COLUMNS), keys.iter().map(|key| cells(key, now)))
    }

    fn lines(&self, keys: &[ApiKey]) -> Result<Vec<u8>, serde_json::Error> {
        json_lines(keys.iter().map(|key| key.view(self.at())))
    }
}

/// The key's members as the API names them. Scopes and ranges have spaces between them, and tags are JSON.
fn cells(key: &ApiKey, now: Timestamp) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let moment = |at: Option<Timestamp>| at.map(Timestamp::rfc3339).unwrap_or_default();
    let tags = if key.tags.is_empty() { String::new() } else { key.tags.to_string() };
    let revoked = key.revoked.as_ref();
    [
        key.id.to_string(),
        key.name.clone(),
        key.organization.to_string(),
        key.project.to_string(),
        key.environment.to_string(),
        key.status(now).as_str().to_owned(),
        display_prefix(&key.brand, &key.environment, &key.id),
        key.scopes.to_string(),
        key.cidrs.to_string(),
        key.dpop.to_string(),
        tags,
        key.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        text(&key.note),
        key.created_at.rfc3339(),
        key.created_by.id.clone(),
        text(&key.created_by.name),
        moment(key.expires_at),
        moment(key.disabled_at),
        moment(revoked.map(|revoked| revoked.at)),
        revoked.map(|revoked| text(&revoked.reason)).unwrap_or_default(),
        moment(key.last_used_at),
        key.last_seen.map(|seen| seen.address.to_string()).unwrap_or_default(),
        key.generation.to_string(),
    ]
}
