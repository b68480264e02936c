//! What a terminal is shown, and what a pipe is not.

use std::process::Stdio;

use crate::shell::{BINARY, Scene};
use crate::support::{Backend, is_here, on_both};

on_both!(colours_are_for_terminals_alone, whoever_closes_the_pipe_gets_no_complaint);

const COLOUR: &str = "\x1b[";

async fn colours_are_for_terminals_alone(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = scene.shell_of(&scene.server.admin_key());
    let (list, fail) = (["keys", "list"], ["keys", "get", "key_aaaaaaaaaaaaaaaa"]);
    let piped = [admin.run(&list), admin.run(&fail), admin.run(&["--help"])];
    assert!(
        piped.iter().all(|said| !said.stdout.contains(COLOUR) && !said.stderr.contains(COLOUR)),
        "{piped:?}"
    );
    if !is_here("script") {
        return;
    }
    let admin = admin.set("TERM", "xterm");
    let (code, shown) = admin.on_a_terminal("", &list);
    assert!(code == 0 && shown.contains("\x1b[1mID"), "{shown}");
    assert_eq!(admin.on_a_terminal("", &fail).0, 4);
    assert!(admin.on_a_terminal("", &fail).1.contains("\x1b[31mclaviger:\x1b[0m"));
    let admin = admin.set("NO_COLOR", "1");
    for arguments in [&list[..], &fail] {
        assert!(!admin.on_a_terminal("", arguments).1.contains(COLOUR), "{arguments:?}");
    }
    let admin = admin.set("NO_COLOR", "").set("TERM", "dumb");
    assert!(!admin.on_a_terminal("", &list).1.contains(COLOUR));
}

async fn whoever_closes_the_pipe_gets_no_complaint(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    for arguments in [&["keys", "list"][..], &["keys", "list", "--json"], &["orgs", "list", "--all"]] {
        let mut command = admin.command(BINARY);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        drop(child.stdout.take());
        let done = child.wait_with_output().unwrap();
        assert_eq!((done.status.code(), done.stderr.as_slice()), (Some(0), &b""[..]), "{arguments:?}");
    }
}
