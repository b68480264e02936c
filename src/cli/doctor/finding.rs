//! What a check found, how bad it is, and what to do.

use serde::Serialize;

use crate::cli::output::{OutputError, Stream, Tone, plain};

/// How bad a finding is, in ascending order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// In order.
    #[default]
    Ok,
    /// Works for now.
    Warning,
    /// Does not work, or will not at the next start.
    Error,
}

/// One finding of a check.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The stable name of the check.
    check: &'static str,
    severity: Severity,
    message: String,
    /// What to do.
    advice: Option<String>,
}

/// All findings, in the order of the checks.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

impl Report {
    pub(super) fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.0.push(Finding { check, severity: Severity::Ok, message, advice: None });
    }

    pub(super) fn warn(
        &mut self,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Severity::Warning, message, advice);
    }

    pub(super) fn fail(
        &mut self,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Severity::Error, message, advice);
    }

    pub(super) fn add(
        &mut self,
        check: &'static str,
        severity: Severity,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.0.push(Finding { check, severity, message: message.into(), advice: Some(advice.into()) });
    }

    pub(super) fn findings(&self) -> &[Finding] {
        &self.0
    }

    pub(super) fn worst(&self) -> Severity {
        self.0.iter().map(|finding| finding.severity).max().unwrap_or_default()
    }
}

impl Finding {
    /// Prints the finding, and below it what to do.
    pub(super) fn print(&self, to: Stream) -> Result<(), OutputError> {
        let (word, tone) = match self.severity {
            Severity::Ok => ("ok", Tone::Good),
            Severity::Warning => ("warning", Tone::Careful),
            Severity::Error => ("error", Tone::Bad),
        };
        let word = to.painted(&format!("{word:<7}"), tone);
        to.line(&format!("{word}  {:<12}  {}", self.check, plain(&self.message)))?;
        let advice = self.advice.as_ref().map(|advice| format!("{:23}{}", "", plain(advice)));
        advice.map_or(Ok(()), |advice| to.line(&advice))
    }
}
