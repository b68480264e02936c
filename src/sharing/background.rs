//! Threads of a lower priority, for slow work.
//!
//! A list, a whole organization's configuration or a page of the console uses a processor for milliseconds at a
//! stretch, while rows become keys and keys become JSON. On the threads that serve token requests, those requests
//! would wait. On threads of its own, the kernel preempts such work, and no code has to yield.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// How much lower the priority of these threads is (`nice`). While other threads use all of a processor, these still
/// get a tenth of it. With 19, they would get a seventieth: under a flood of token requests, a revocation would take
/// seven times as long, and so would any wait for a lock that one of these threads holds.
const NICE: i32 = 10;

/// Runs `work` on a background thread. Dropping the future cancels the work. A panic propagates to the caller.
pub(crate) async fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let mut task = Task(handle().spawn(work.in_current_span()));
    // Only `Task` cancels it, so an error is a panic.
    (&mut task.0).await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// Marks slow code. In tests, it panics on any other thread.
pub(crate) fn expect_here() {
    debug_assert!(is_here(), "what takes long is for background threads");
}

fn is_here() -> bool {
    Handle::try_current().is_ok_and(|current| current.id() == handle().id())
}

/// The runtime of the background threads. Threads that they start inherit their priority.
pub(crate) fn handle() -> Handle {
    static THREADS: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        let mut threads = Builder::new_multi_thread();
        threads.thread_name("background").on_thread_start(|| lower_priority(NICE)).enable_all();
        threads
            .build()
            .inspect_err(|error| tracing::error!(%error, "the background threads can't be started"))
            .ok()
    };
    // One for each processor. If they can't be started, their work has the normal priority.
    THREADS.get_or_init(start).as_ref().map_or_else(Handle::current, |threads| threads.handle().clone())
}

/// Lowers the priority of the calling thread, and of those that it starts later. Has no effect where that is not
/// allowed.
pub(crate) fn lower_priority(by: i32) {
    // On other systems, this would change the whole process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(by);
    #[cfg(not(target_os = "linux"))]
    let _ = by;
}

/// A task that is canceled when this value is dropped.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
