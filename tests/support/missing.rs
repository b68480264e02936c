//! What a test can't do without.

use std::io::Write as _;

/// Says that something was left out because `what` is not here; in CI that is a failure.
pub fn left_out(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} is missing, and CI leaves nothing out");
    // Past the capture of passing tests' output, which would hide it.
    let _ = writeln!(std::io::stderr(), "left out: {what} is missing");
}
