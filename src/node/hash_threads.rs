//! Threads for slow hashing. They are few and have the lowest priority, so that slow hashes hardly delay clients whose
//! secrets are already known.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

use crate::base::lock::Mutex;
use crate::domain::principal::Principal;
use crate::sharing::background::lower_priority;
use crate::sharing::fair_queue::{FairQueue, Permit, QueueFull, QueueLoad, Quota};

/// The lowest priority (`nice`). At 10, a thousand waiting secrets still raised the p99 of clients with known secrets
/// to nine times its usual value; at 19, to about twice.
const NICE: i32 = 19;

/// The secrets of one organization that may wait for a thread.
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
            Quota { permits: count, per_organization: count, waiting: WAITING, waiting_per_caller: WAITING };
        Self { jobs, permits: FairQueue::new(quota) }
    }

    /// Waits until a thread is free. Organizations share the threads fairly.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub(super) async fn acquire(&self, principal: &Principal) -> Result<Permit, QueueFull> {
        self.permits.acquire(principal).await
    }

    /// The hashes that run and that wait.
    pub(super) fn load(&self) -> QueueLoad {
        self.permits.load()
    }

    /// Runs `work` on the free thread that `permit` stands for. `None` when the work panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        permit: Permit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = oneshot::channel();
        let job = Box::new(move || {
            // The permit is released when the work ends, even if the client has disconnected.
            let _permit = permit;
            let _ = done.send(work());
        });
        self.jobs.send(job).ok()?;
        result.await.ok()
    }
}

fn work_off(waiting: &Mutex<Receiver<Job>>) {
    lower_priority(NICE);
    loop {
        let job = waiting.lock().recv();
        let Ok(job) = job else { return };
        // After a panic, the waiting request sees that there is no result, and the thread takes the next job.
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
