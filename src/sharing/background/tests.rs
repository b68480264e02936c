use std::panic::AssertUnwindSafe;
use std::sync::mpsc::channel;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use super::*;

#[tokio::test]
async fn work_runs_elsewhere_and_so_does_what_it_starts() {
    assert!(!is_here());
    let started = run(async { (is_here(), tokio::spawn(async { is_here() }).await.unwrap()) }).await;
    assert_eq!(started, (true, true));
    // This also holds from one background thread to another.
    assert!(run(async { run(async { is_here() }).await }).await);
}

#[tokio::test]
async fn a_panic_reaches_only_the_task_that_waits_for_the_work() {
    let work = run(async { panic!("on purpose") });
    let panicked: Result<(), _> = AssertUnwindSafe(work).catch_unwind().await;
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!(run(async { 7 }).await, 7);
}

#[tokio::test]
async fn work_that_nobody_waits_for_any_more_ends() {
    let (begun, begins) = oneshot::channel();
    let (held, ended) = oneshot::channel::<()>();
    let mut work = Box::pin(run(async move {
        begun.send(()).unwrap();
        std::future::pending::<()>().await;
        drop(held);
    }));
    tokio::select! {
        () = &mut work => unreachable!(),
        begun = begins => begun.unwrap(),
    }
    drop(work);
    // Cancelling the task drops its end of the channel.
    assert!(ended.await.is_err());
}

#[tokio::test]
async fn a_thread_that_is_busy_keeps_nobody_elsewhere_waiting() {
    let (go_on, waits) = channel();
    let busy = tokio::spawn(run(async move { waits.recv().unwrap() }));
    // The test has one thread, so yielding runs everything else on it.
    tokio::task::yield_now().await;
    go_on.send(7).unwrap();
    assert_eq!(busy.await.unwrap(), 7);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_threads_and_those_that_they_start_have_a_lower_priority() {
    let priority = || rustix::process::getpriority_process(None).unwrap();
    let own = priority();
    let lower = (own + NICE).min(19);
    let there = run(async move { (priority(), std::thread::spawn(priority).join().unwrap()) }).await;
    assert_eq!((there, std::thread::spawn(priority).join().unwrap()), ((lower, lower), own));
}
