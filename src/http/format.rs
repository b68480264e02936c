//! The format in which a client wants a list: a page of it, or the whole list as a stream.

use axum::http::{HeaderMap, header};

use super::query::Query;
use crate::use_cases::management::{ApiError, InvalidRequest};

/// A page, or the whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One page, as JSON.
    Json,
    /// The whole list.
    Whole(ExportFormat),
}

/// A format that can be streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExportFormat {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values (RFC 4180).
    Csv(Mark),
}

/// Whether the CSV begins with a byte order mark. Without one, Excel reads UTF-8 in the system's legacy code page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    None,
    Utf8,
}

impl ExportFormat {
    /// The value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/x-ndjson",
            Self::Csv(_) => "text/csv; charset=utf-8; header=present",
        }
    }
}

impl Format {
    /// The format that the parameter `format` names, or else the one that the `Accept` header prefers.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] when `format` is unknown, or when `bom` is combined with a format other than CSV.
    pub(crate) fn wanted(headers: &HeaderMap, query: &Query) -> Result<Self, ApiError> {
        let format = match query.text("format") {
            None => Self::accepted(headers),
            Some("json") => Self::Json,
            Some("jsonl") => Self::Whole(ExportFormat::JsonLines),
            Some("csv") => Self::Whole(ExportFormat::Csv(Mark::None)),
            Some(_) => return Err(InvalidRequest::Format.into()),
        };
        match (query.flag("bom")?, format) {
            (false, format) => Ok(format),
            (true, Self::Whole(ExportFormat::Csv(_))) => Ok(Self::Whole(ExportFormat::Csv(Mark::Utf8))),
            (true, _) => Err(InvalidRequest::MarkWithoutCsv.into()),
        }
    }

    /// RFC 9110 §12.5.1: the format with the highest weight wins; among equals, the first. A client that accepts none
    /// of them gets a page, as elsewhere in the API.
    fn accepted(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
        let mut best = (Self::Json, 0.0);
        for range in lines.flat_map(|line| line.split(',')) {
            let (media_type, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight(parameters);
            if let Some(format) = Self::of(media_type.trim())
                && weight > best.1
            {
                best = (format, weight);
            }
        }
        best.0
    }

    fn of(media_type: &str) -> Option<Self> {
        match media_type.to_ascii_lowercase().as_str() {
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            "application/x-ndjson" => Some(Self::Whole(ExportFormat::JsonLines)),
            "text/csv" | "text/*" => Some(Self::Whole(ExportFormat::Csv(Mark::None))),
            _ => None,
        }
    }
}

/// RFC 9110 §12.4.2. A missing weight is 1, and a malformed one counts as 0.
fn weight(parameters: &str) -> f32 {
    let mut parameters = parameters.split(';').map(str::trim);
    let given =
        parameters.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
    given.map_or(1.0, |weight| weight.parse().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_what_it_prefers() {
        let (lines, csv) = (ExportFormat::JsonLines, ExportFormat::Csv(Mark::None));
        let (lines, csv) = (Format::Whole(lines), Format::Whole(csv));
        for (accept, format) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/html", Format::Json),
            ("application/x-ndjson", lines),
            ("Text/CSV", csv),
            ("text/csv; charset=utf-8", csv),
            ("text/csv;q=0.5, application/x-ndjson", lines),
            ("text/csv, application/x-ndjson", csv),
            ("text/html, */*;q=0.8, text/csv;q=0.9", csv),
            ("text/csv;q=0", Format::Json),
            ("text/csv;q=x", Format::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(Format::accepted(&headers), format, "{accept}");
        }
        assert_eq!(Format::accepted(&HeaderMap::new()), Format::Json);
    }
}
