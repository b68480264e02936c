//! `claviger backup` and `claviger restore`, as operators run them.

mod beside;
mod damage;
mod killed;
mod load;
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
