//! Fits the connection limit to the system's limit on open files.

use std::num::NonZeroU32;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::listener::Limits;

/// Open files besides connections: the database, the log, keys, certificates and the runtime.
const OTHERS: u64 = 128;

/// Raises the soft limit on open files to the hard limit, and lowers the number of connections if they do not fit.
pub(super) fn within_limit(limits: Limits) -> Limits {
    let wanted = limits.connections;
    let Some(files) = raised() else { return limits };
    let connections = wanted.min(room(files));
    if connections < wanted {
        tracing::warn!(
            open_files = files,
            connections,
            wanted,
            "the limit on open files leaves room for fewer connections: raise it (ulimit -n, LimitNOFILE=)"
        );
    }
    Limits { connections, ..limits }
}

/// The raised limit on open files. `None` means unlimited.
fn raised() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Some systems have no hard limit but refuse an unlimited soft limit. The soft limit then stays.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    getrlimit(Resource::Nofile).current
}

/// The number of connections that fit into `files`. If files are scarce, connections get half of them.
fn room(files: u64) -> NonZeroU32 {
    let connections = files.saturating_sub(OTHERS).max(files / 2);
    NonZeroU32::new(u32::try_from(connections).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        for (files, connections) in [(0, 1), (64, 32), (256, 128), (1_024, 896), (20_000, 19_872)] {
            assert_eq!(room(files).get(), connections, "{files} files");
        }
        assert_eq!(room(u64::MAX).get(), u32::MAX);
    }
}
