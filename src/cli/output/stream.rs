//! The two streams that a command writes to.

use std::io::{self, IsTerminal as _};

use super::Tone;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Stream {
    /// Standard output: the answer.
    Out,
    /// Standard error: all else.
    Err,
}

impl Stream {
    /// Whether a person watches it.
    pub(in crate::cli) fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }

    /// Whether it may have colours: a person watches it, on what can show them, and nobody said `NO_COLOR`.
    pub(in crate::cli) fn may_paint(self) -> bool {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        self.is_terminal() && !is_set("NO_COLOR") && !is_dumb
    }

    /// `text` in its tone, if there may be colours here.
    pub(in crate::cli) fn painted(self, text: &str, tone: Tone) -> String {
        if !self.may_paint() {
            return text.to_owned();
        }
        let style = tone.style();
        format!("{style}{text}{style:#}")
    }

    /// Writes a line. Whoever closed the stream does not want to know.
    pub(in crate::cli) fn line(self, text: &str) {
        let _ = self.write(format!("{text}\n").as_bytes());
    }

    /// Writes bytes as they are, at once.
    ///
    /// # Errors
    /// When nobody takes them.
    pub(in crate::cli) fn write(self, bytes: &[u8]) -> io::Result<()> {
        fn all(mut stream: impl io::Write, bytes: &[u8]) -> io::Result<()> {
            stream.write_all(bytes)?;
            stream.flush()
        }
        match self {
            Self::Out => all(io::stdout().lock(), bytes),
            Self::Err => all(io::stderr().lock(), bytes),
        }
    }
}
