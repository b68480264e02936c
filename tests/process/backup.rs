//! `claviger backup` and `claviger restore`, as operators run them.

mod beside;
mod damage;
mod killed;
mod load;
mod members;
mod refused;
mod replace;
mod whole;

use std::path::{Path, PathBuf};

use crate::support::{Backend, Claviger, Database, Process};

/// What a command printed; it must succeed.
fn printed(claviger: &Claviger, arguments: &[&str]) -> String {
    let done = claviger.run(arguments);
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

/// What a command complained of; it must fail.
fn complaint(claviger: &Claviger, arguments: &[&str]) -> String {
    let done = claviger.run(arguments);
    assert_eq!(done.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&done.stdout));
    String::from_utf8(done.stderr).expect("text").trim_end().to_owned()
}

/// A backup of this name in the folder that `claviger` runs in.
fn backed_up(claviger: &Claviger, database: &Database, name: &str) -> PathBuf {
    printed(claviger, &["backup", name]);
    database.folder.path().join(name)
}

/// The same deployment over another database.
fn moved(from: &Database, to: &Database) -> Claviger {
    Claviger::over(to).moved_to(from.folder.path())
}

/// Ends a server as operators do.
fn stop(server: Process) {
    server.signal("TERM");
    assert!(server.end().0.success());
}

/// A backup, to be looked into.
fn looked_into(file: &Path) -> Database {
    Database {
        url: format!("sqlite://{}?mode=ro", file.display()),
        folder: tempfile::tempdir().expect("a folder"),
    }
}

/// Both databases, as far as they are here.
fn backends() -> impl Iterator<Item = Backend> {
    [Some(Backend::Sqlite), Backend::postgres()].into_iter().flatten()
}

/// What a backup's file ends with: a mark, and the SHA-256 of all before it.
const MARK: &[u8; 32] = b"claviger backup, sealed SHA-256:";

/// Carries out a statement in a backup, and leaves it without its seal.
async fn unsealed(file: &Path, statement: &str) {
    let content = std::fs::read(file).expect("a file");
    let end = content.len() - MARK.len() - 32;
    let length = if &content[end..end + MARK.len()] == MARK { end } else { content.len() };
    std::fs::write(file, &content[..length]).expect("a file");
    let database = Database {
        url: format!("sqlite://{}", file.display()),
        folder: tempfile::tempdir().expect("a folder"),
    };
    database.execute(statement).await;
}

/// The same, sealed anew, as by somebody who wants it to be believed.
async fn resealed(file: &Path, statement: &str) {
    unsealed(file, statement).await;
    let mut content = std::fs::read(file).expect("a file");
    let digest = ring::digest::digest(&ring::digest::SHA256, &content);
    content.extend_from_slice(MARK);
    content.extend_from_slice(digest.as_ref());
    std::fs::write(file, content).expect("a file");
}
