//! The space on the disk of an SQLite store.

use std::path::Path;

use super::finding::Report;
use crate::server::config::Config;
use crate::store::Place;

/// Below this there is a warning, in MiB.
const SCARCE: u64 = 1_024;

/// Below this, writes fail soon, in MiB.
const TOO_LITTLE: u64 = 64;

pub(super) fn check(config: &Config, report: &mut Report) {
    let Ok(Place::File(database)) = Place::of(&config.database_url) else { return };
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let free = match rustix::fs::statvfs(folder) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize) >> 20,
        Err(error) => {
            let message = format!("{}: {error}", folder.display());
            return report.fail("disk", message, "Create the folder, or correct database_url.");
        }
    };
    judge(free, format!("{} has {free} MiB free", folder.display()), report);
}

fn judge(free: u64, message: String, report: &mut Report) {
    let advice = "Free some space. If the disk is full, changes get 503, and tokens are still issued.";
    match free {
        free if free < TOO_LITTLE => report.fail("disk", message, advice),
        free if free < SCARCE => report.warn("disk", message, advice),
        _ => report.ok("disk", message),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity;
    use super::*;

    #[test]
    fn little_space_is_a_warning_and_less_an_error() {
        for (free, severity) in [
            (SCARCE, Severity::Ok),
            (SCARCE - 1, Severity::Warning),
            (TOO_LITTLE, Severity::Warning),
            (TOO_LITTLE - 1, Severity::Error),
            (0, Severity::Error),
        ] {
            let mut report = Report::default();
            judge(free, String::new(), &mut report);
            assert_eq!(report.worst(), severity, "{free}");
        }
    }
}
