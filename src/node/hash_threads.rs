//! Threads for slow hashing: few, and the last to be given a processor, so that clients whose secrets are
//! known hardly notice those whose secrets are not.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

use crate::base::lock::Mutex;
use crate::domain::principal::Principal;
use crate::sharing::fair_queue::{FairQueue, Permit, QueueFull, Quota};

/// The lowest priority that there is (`nice`). At 10 a thousand waiting secrets still made the p99 of clients
/// whose secrets are known nine times what it is without them; at 19 it was about twice.
const NICE: i32 = 19;

/// Secrets of one organization that may wait to be hashed.
const WAITING: usize = 10_000;

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads. They end when this is dropped.
pub(super) struct HashThreads {
    jobs: Sender<Job>,
    permits: FairQueue,
}

impl HashThreads {
    /// Starts `count` threads.
    pub(super) fn start(count: usize) -> Self {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..count {
            let waiting = Arc::clone(&waiting);
            std::thread::spawn(move || work_off(&waiting));
        }
        let quota =
            Quota { permits: count, per_organization: count, waiting: WAITING, waiting_per_key: WAITING };
        Self { jobs, permits: FairQueue::new(quota) }
    }

    /// Waits until a thread is free. They are divided fairly among organizations.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub(super) async fn acquire(&self, principal: &Principal) -> Result<Permit, QueueFull> {
        self.permits.acquire(principal).await
    }

    /// Runs `work` on the thread that is free for this turn. `None` when the work panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        permit: Permit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = oneshot::channel();
        let job = Box::new(move || {
            // The turn ends with the work, even when the client that asked for it is gone.
            let _permit = permit;
            let _ = done.send(work());
        });
        self.jobs.send(job).ok()?;
        result.await.ok()
    }
}

fn work_off(waiting: &Mutex<Receiver<Job>>) {
    // Of this thread alone (on Linux). Where it is not allowed, the threads compete like any other.
    let _ = rustix::process::setpriority_process(None, NICE);
    loop {
        let job = waiting.lock().recv();
        let Ok(job) = job else { return };
        // Whoever waits for the result sees that there is none; the thread is there for the next.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

impl fmt::Debug for HashThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashThreads").field("permits", &self.permits).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_its_own_result_and_nothing_else() {
        let threads = HashThreads::start(1);
        let permit = threads.acquire(&Principal::default()).await.unwrap();
        assert_eq!(threads.run(permit, || -> u8 { panic!("on purpose") }).await, None);
        let permit = threads.acquire(&Principal::default()).await.unwrap();
        assert_eq!(threads.run(permit, || 7).await, Some(7));
    }
}
