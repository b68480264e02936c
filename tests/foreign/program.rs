//! A program of another language's, and how it ended.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::left_out;
use crate::world::World;

/// The folder of what is called `name`, if `tests/foreign/prepare` was there; says so if not.
pub(crate) fn prepared(name: &str) -> Option<PathBuf> {
    let parent = if name.starts_with("recipes/") { "examples" } else { "tests/foreign" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(parent).join(name);
    if !folder.join(".prepared").exists() {
        left_out(&format!("what tests/foreign/prepare installs for {name}"));
        return None;
    }
    Some(folder)
}

/// A program that is to be run in `folder`.
pub(crate) fn program(folder: &Path, name: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    // A proxy of this machine's is not for a server on loopback.
    command.args(arguments).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1").current_dir(folder);
    command
}

/// Asserts that a program ends well in this world; returns its standard output and its standard error.
pub(crate) fn succeed(program: Command, world: &World) -> (String, String) {
    succeed_beside(program, || world.log())
}

/// The same beside a server, or none, whose log is this.
pub(crate) fn succeed_beside(mut program: Command, log: impl FnOnce() -> String) -> (String, String) {
    let output = program.output().unwrap_or_else(|error| panic!("{program:?} does not start: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let how = output.status;
    assert!(how.success(), "{program:?}: {how}\n{out}{err}\nthe server's log:\n{}", log());
    (out, err)
}
