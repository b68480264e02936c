//! The two output streams of a command. Lost output is a failure, so every write is flushed and checked.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _};

use super::Tone;
use crate::base::variables::variable;

/// An output stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Stream {
    /// Standard output, for the result.
    Out,
    /// Standard error, for everything else.
    Err,
}

/// Whether the stream still has a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Reader {
    /// The stream accepted the output.
    Listening,
    /// The reader closed the pipe (`EPIPE`). A reader such as `head` does this on purpose, so it is not a failure.
    Gone,
}

/// A failed write, except to a closed pipe.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {stream}: {source}")]
pub(in crate::cli) struct OutputError {
    stream: Stream,
    source: io::Error,
}

#[cfg(test)]
impl OutputError {
    pub(in crate::cli) fn example() -> Self {
        Self { stream: Stream::Out, source: ErrorKind::StorageFull.into() }
    }
}

impl Stream {
    /// Whether the stream is a terminal.
    pub(in crate::cli) fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }

    /// Whether to use colours: the stream is a terminal that supports them, and `NO_COLOR` is not set.
    pub(in crate::cli) fn may_paint(self) -> bool {
        let is_dumb = variable("TERM").is_some_and(|terminal| terminal == "dumb");
        self.is_terminal() && variable("NO_COLOR").is_none() && !is_dumb
    }

    /// `text` in its tone, if the stream may have colours.
    pub(in crate::cli) fn painted(self, text: &str, tone: Tone) -> String {
        if !self.may_paint() {
            return text.to_owned();
        }
        let style = tone.style();
        format!("{style}{text}{style:#}")
    }

    /// Writes a line. A closed pipe is not a failure.
    pub(in crate::cli) fn line(self, text: &str) -> Result<(), OutputError> {
        self.write(format!("{text}\n").as_bytes()).map(drop)
    }

    /// Writes bytes unchanged and flushes them. The result tells a long-running writer when to stop.
    ///
    /// # Errors
    /// [`OutputError`] when the bytes were not completely written.
    pub(in crate::cli) fn write(self, bytes: &[u8]) -> Result<Reader, OutputError> {
        fn all(mut stream: impl io::Write, bytes: &[u8]) -> io::Result<()> {
            stream.write_all(bytes)?;
            stream.flush()
        }
        let written = match self {
            Self::Out => all(io::stdout().lock(), bytes),
            Self::Err => all(io::stderr().lock(), bytes),
        };
        match written {
            Ok(()) => Ok(Reader::Listening),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
            Err(source) => Err(OutputError { stream: self, source }),
        }
    }

    /// Writes a line that has no other copy, such as a new key. Here, a closed pipe is a failure.
    ///
    /// # Errors
    /// [`OutputError`] when the pipe is closed, or the write failed.
    pub(in crate::cli) fn only_copy(self, text: &str) -> Result<(), OutputError> {
        match self.write(format!("{text}\n").as_bytes())? {
            Reader::Listening => Ok(()),
            Reader::Gone => Err(OutputError { stream: self, source: ErrorKind::BrokenPipe.into() }),
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Out => "standard output",
            Self::Err => "standard error",
        })
    }
}
