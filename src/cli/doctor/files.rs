//! The files that the server needs, and who may read them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::finding::Report;
use crate::base::certificate::CertificateFacts;
use crate::base::clock::Timestamp;
use crate::server::config::Config;
use crate::store::{Place, files_of};
use crate::use_cases::bootstrap::{MasterKeyFault, MasterKeySources};

/// In seconds. Whoever renews certificates automatically does it before.
const RENEWED_BEFORE: i64 = 14 * 86_400;

pub(super) fn check(
    config: &Config,
    sources: &Result<MasterKeySources, MasterKeyFault>,
    now: Timestamp,
    report: &mut Report,
) {
    check_folder(&config.keys_dir, report);
    check_master_key(config, sources, report);
    check_certificate(config, now, report);
    if let Ok(Place::File(database)) = Place::of(&config.database_url) {
        check_database_files(&database, report);
    }
}

fn check_folder(folder: &Path, report: &mut Report) {
    if let Some(mode) = mode(folder).filter(|mode| mode & 0o022 != 0) {
        report.warn(
            "files",
            format!("others may write to {} (mode {mode:04o})", folder.display()),
            format!("Run chmod 700 {}.", folder.display()),
        );
    }
}

/// Whether there is a master key where the server looks for it. Whether it is the store's, [`super::database`] says.
fn check_master_key(
    config: &Config,
    sources: &Result<MasterKeySources, MasterKeyFault>,
    report: &mut Report,
) {
    let file = config.keys_dir.join("master.key").display().to_string();
    let sources = match sources {
        Ok(sources) => sources,
        Err(fault) => return report.fail("files", fault.to_string(), "Correct master_key_command."),
    };
    match sources.place() {
        Ok(Some(place)) if place == file => {
            report.ok("files", format!("{place} has a master key, and only those who may can read it"));
        }
        Ok(Some(place)) => report.ok("files", format!("the master key is in {place}")),
        Ok(None) => report.warn(
            "files",
            format!("{file} does not exist"),
            "A first start creates it. If the store is not empty, put the master key back from its backup.",
        ),
        Err(MasterKeyFault::Malformed(place, _)) => report.fail(
            "files",
            format!("{place} has no master key: it needs 43 characters"),
            "Put the master key back from its backup.",
        ),
        Err(fault) => report.fail("files", fault.to_string(), "Correct the owner or the mode of the file."),
    }
}

fn check_certificate(config: &Config, now: Timestamp, report: &mut Report) {
    let Some(tls) = &config.tls else { return };
    match tls.check() {
        Ok(facts) => {
            let what = format!("the certificate in {}", tls.certificate.display());
            judge_certificate("files", &what, facts.as_ref(), now, report);
        }
        Err(error) => report.fail(
            "files",
            error.to_string(),
            "Correct the files: the server does not start with them. A running server keeps the certificate that it has.",
        ),
    }
}

/// Judges how long a certificate is still valid.
pub(super) fn judge_certificate(
    check: &'static str,
    what: &str,
    facts: Option<&CertificateFacts>,
    now: Timestamp,
    report: &mut Report,
) {
    let Some(facts) = facts else {
        return report.warn(check, format!("{what} cannot be read"), "Look at it with openssl x509.");
    };
    let renew = "Renew the certificate. A running server reads it within a minute, or at once with SIGHUP.";
    match facts.not_after.since(now) {
        _ if now < facts.not_before => {
            let from = facts.not_before.rfc3339();
            report.fail(
                check,
                format!("{what} is valid only from {from}"),
                "Check the clock, and the certificate.",
            );
        }
        left if left < 0 => report.fail(check, format!("{what} has expired: {facts}"), renew),
        left if left < RENEWED_BEFORE => report.warn(check, format!("{what} expires soon: {facts}"), renew),
        _ => report.ok(check, format!("{what} is {facts}")),
    }
}

fn check_database_files(database: &Path, report: &mut Report) {
    for file in files_of(database) {
        match mode(&file).filter(|mode| mode & 0o077 != 0) {
            Some(mode) => report.warn(
                "files",
                format!("others may use {} (mode {mode:04o})", file.display()),
                format!("Run chmod 600 {}. A start does this, too.", file.display()),
            ),
            None => report.ok("files", format!("{} is its owner's alone", file.display())),
        }
    }
}

fn mode(path: &Path) -> Option<u32> {
    path.metadata().ok().map(|found| found.permissions().mode() & 0o7777)
}
