//! The filters and the order of the list of keys, as its address has them.

use axum::http::request::Parts;

use super::sort::Sort;
use crate::base::clock::Timestamp;
use crate::console::page::{address, query};
use crate::console::shell::LIST;
use crate::domain::api_key::{EnvironmentSlug, sought_key};
use crate::domain::key::{OwnerError, TagFilter, TagsError};
use crate::domain::names::{NameError, OrganizationId};
use crate::http::query::Query;
use crate::store::{KeyFilter, KeySort, StatusFilter};
use crate::use_cases::management::keys::KeySearch;
use crate::use_cases::management::{ApiError, InvalidRequest};

/// Seconds before its end from which a key expires soon: 30 days.
pub(super) const SOON_SECONDS: i64 = 30 * DAY;

/// Seconds without use after which a key is marked as stale: 90 days.
pub(super) const STALE_SECONDS: i64 = 90 * DAY;

const DAY: i64 = 86_400;

const KNOWN: [&str; 11] =
    ["q", "status", "project", "environment", "tag", "owner", "soon", "open", "stale", "sort", "cursor"];

/// The filters and the order in the page's query.
#[derive(Clone, Debug)]
pub(super) struct ListFilters {
    pub(super) search: String,
    pub(super) status: String,
    pub(super) project: String,
    pub(super) environment: String,
    /// Tags as `name` or `name:value`.
    pub(super) tags: Vec<String>,
    pub(super) owner: String,
    /// Only keys that end within 30 days.
    pub(super) is_soon: bool,
    /// Only keys that work from every address.
    pub(super) is_open: bool,
    /// Only keys that were not used for 90 days.
    pub(super) is_stale: bool,
    pub(super) sort: &'static Sort,
}

impl ListFilters {
    /// The query of the list.
    pub(super) fn query_of(parts: &Parts) -> Result<Query, ApiError> {
        Query::of_page_with_repeated(parts, &KNOWN, &["tag"])
    }

    /// The filters of a download. It has no pages, and says which parameters it does not know.
    pub(super) fn of_download(parts: &Parts) -> Result<Self, ApiError> {
        Ok(Self::read(&Query::read_with_repeated(parts, &KNOWN[..KNOWN.len() - 1], &["tag"])?))
    }

    pub(super) fn read(query: &Query) -> Self {
        let text = |name| query.text(name).unwrap_or_default().trim().to_owned();
        let is_set = |name| query.text(name).is_some_and(|value| !value.is_empty());
        // People write tags with an equals sign as well. No name of a tag has one.
        let mut tags: Vec<String> = query
            .texts("tag")
            .map(|tag| tag.trim().replacen('=', ":", 1))
            .filter(|tag| !tag.is_empty())
            .collect();
        tags.sort_unstable();
        tags.dedup();
        Self {
            search: text("q"),
            status: text("status"),
            project: text("project"),
            environment: text("environment"),
            tags,
            owner: text("owner"),
            is_soon: is_set("soon"),
            is_open: is_set("open"),
            is_stale: is_set("stale"),
            sort: Sort::read(&text("sort")),
        }
    }

    /// The filters that a form carries as the query of the list.
    pub(super) fn carried(text: &str) -> Result<Self, ApiError> {
        Ok(Self::read(&Query::parse_with(text, &KNOWN, &["tag"])?))
    }

    /// The search that the filters stand for.
    pub(super) fn search(
        &self,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<KeySearch, ApiError> {
        let key = sought_key(&self.search);
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        let project = given(&self.project).map(|project| project.parse()).transpose();
        let environment = given(&self.environment).map(|slug| slug.parse::<EnvironmentSlug>()).transpose();
        let tags = self.tags.iter().map(|tag| tag.parse()).collect::<Result<Vec<TagFilter>, TagsError>>();
        let owner = given(&self.owner).map(|owner| owner.parse()).transpose();
        let filter = KeyFilter {
            project: project.map_err(|error: NameError| InvalidRequest::Value(error.into()))?,
            environment: environment.map_err(|error| InvalidRequest::Value(error.into()))?,
            status: self.status(),
            ids: key.map(|key| vec![key]),
            name_contains: given(&self.search).filter(|_| key.is_none()),
            or_elsewhere: true,
            tags: tags.map_err(|error| InvalidRequest::Value(error.into()))?,
            owner: owner.map_err(|error: OwnerError| InvalidRequest::Value(error.into()))?,
            unused_since: self.is_stale.then(|| now.plus(-STALE_SECONDS)),
            expires_before: self.is_soon.then(|| now.plus(SOON_SECONDS)),
            any_address: self.is_open,
            ..KeyFilter::all_of(organization.clone())
        };
        Ok(KeySearch::new(filter)?.sorted(self.sort.order))
    }

    fn status(&self) -> StatusFilter {
        match self.status.as_str() {
            "disabled" => StatusFilter::Disabled,
            "expired" => StatusFilter::Expired,
            "revoked" => StatusFilter::Revoked,
            "unrevoked" => StatusFilter::Unrevoked,
            "all" => StatusFilter::All,
            _ => StatusFilter::Active,
        }
    }

    /// Whether any filter differs from the default.
    pub(super) fn is_narrowed(&self) -> bool {
        let texts = [&self.search, &self.project, &self.environment, &self.owner];
        let is_set = self.is_soon || self.is_open || self.is_stale || !self.tags.is_empty();
        is_set || self.status() != StatusFilter::Active || texts.iter().any(|text| !text.is_empty())
    }

    pub(super) fn hides_revoked(&self) -> bool {
        !matches!(self.status(), StatusFilter::All | StatusFilter::Revoked)
    }

    /// The link that shows or hides revoked keys.
    pub(super) fn toggled(&self, root: &str) -> String {
        let status = if self.hides_revoked() { "all" } else { "unrevoked" };
        Self { status: status.into(), ..self.clone() }.link(root, "")
    }

    /// The link that sorts by the column `by`.
    pub(super) fn sorted(&self, root: &str, by: KeySort) -> String {
        Self { sort: self.sort.after_click(by), ..self.clone() }.link(root, "")
    }

    /// The link without one of the tags.
    pub(super) fn without_tag(&self, root: &str, tag: &str) -> String {
        let tags = self.tags.iter().filter(|kept| *kept != tag).cloned().collect();
        Self { tags, ..self.clone() }.link(root, "")
    }

    /// The address of the list's page at `cursor`.
    pub(super) fn link(&self, root: &str, cursor: &str) -> String {
        address(&format!("{root}/keys"), self.pairs(cursor))
    }

    /// The query of that address.
    pub(super) fn query(&self, cursor: &str) -> String {
        query(self.pairs(cursor))
    }

    /// The address of the form for a new key, with the project and the environment of the filters.
    pub(super) fn create(&self, root: &str, cursor: &str) -> String {
        let list = self.query(cursor);
        let here = [("project", &*self.project), ("environment", &*self.environment), (LIST, &*list)];
        address(&format!("{root}/keys/new"), here)
    }

    /// The parameters of that address.
    pub(super) fn pairs<'a>(&'a self, cursor: &'a str) -> Vec<(&'static str, &'a str)> {
        let flag = |is_set| if is_set { "yes" } else { "" };
        let mut pairs = vec![
            ("q", &*self.search),
            ("status", &*self.status),
            ("project", &*self.project),
            ("environment", &*self.environment),
        ];
        pairs.extend(self.tags.iter().map(|tag| ("tag", &**tag)));
        pairs.extend([
            ("owner", &*self.owner),
            ("soon", flag(self.is_soon)),
            ("open", flag(self.is_open)),
            ("stale", flag(self.is_stale)),
            ("sort", self.sort.word),
            ("cursor", cursor),
        ]);
        pairs
    }
}
