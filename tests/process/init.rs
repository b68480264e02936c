//! `claviger init`.

use std::process::Output;

use crate::support::{Backend, Claviger, on_both};

on_both!(init_prints_the_key_alone_on_its_last_line, a_second_init_fails);

async fn init_prints_the_key_alone_on_its_last_line(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let done = claviger.run(&["init"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let stdout = text(&done).0;
    let key = stdout.lines().last().expect("a last line");
    assert!(key.starts_with("clv_prd_") && !key.contains(char::is_whitespace), "{stdout}");
    let server = claviger.serve();
    assert_eq!(server.greeting.lines().count(), 1, "{}", server.greeting);
    assert_eq!(server.client().token(key, "").await.status, 200);
}

async fn a_second_init_fails(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    assert!(claviger.run(&["init"]).status.success());
    let before = database.dump().await;
    let second = claviger.run(&["init"]);
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    let (stdout, stderr) = text(&second);
    assert_eq!((&*stdout, &*stderr), ("", "claviger: the store has been bootstrapped already\n"));
    assert_eq!(database.dump().await, before);
    claviger.serve();
}

fn text(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (text(&output.stdout), text(&output.stderr))
}
