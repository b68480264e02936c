//! Waiting for what has to come, and not for ever.

use std::time::{Duration, Instant};

/// Far longer than anything here takes, on whatever machine.
const PATIENCE: Duration = Duration::from_secs(60);

const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// What `coming` comes to.
pub async fn in_time<T>(what: &str, coming: impl Future<Output = T>) -> T {
    let Ok(came) = tokio::time::timeout(PATIENCE, coming).await else { panic!("{what}: it takes for ever") };
    came
}

/// Looks until `seen` is true, and says how long that took.
pub async fn until(what: &str, seen: impl AsyncFn() -> bool) -> Duration {
    let begun = Instant::now();
    let looking = async {
        while !seen().await {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    };
    in_time(what, looking).await;
    begun.elapsed()
}
