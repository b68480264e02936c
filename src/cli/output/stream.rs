//! The two streams that a command writes to. Output that is lost is a failure: every write is flushed and checked.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _};

use super::Tone;
use crate::base::variables::variable;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Stream {
    /// Standard output: the answer.
    Out,
    /// Standard error: everything else.
    Err,
}

/// Whether anybody still reads a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Reader {
    /// The stream took what was written.
    Listening,
    /// The reader closed the pipe (`EPIPE`). As `head` does, it has had enough, which is no failure.
    Gone,
}

/// A write failed, and not because the reader closed the pipe.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {stream}: {source}")]
pub(in crate::cli) struct OutputError {
    stream: Stream,
    source: io::Error,
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
        let is_dumb = variable("TERM").is_some_and(|terminal| terminal == "dumb");
        self.is_terminal() && variable("NO_COLOR").is_none() && !is_dumb
    }

    /// `text` in its tone, if there may be colours here.
    pub(in crate::cli) fn painted(self, text: &str, tone: Tone) -> String {
        if !self.may_paint() {
            return text.to_owned();
        }
        let style = tone.style();
        format!("{style}{text}{style:#}")
    }

    /// Writes a line. A closed pipe is no failure.
    pub(in crate::cli) fn line(self, text: &str) -> Result<(), OutputError> {
        self.write(format!("{text}\n").as_bytes()).map(drop)
    }

    /// Writes bytes as they are, and flushes them. A write that goes on for long stops when the reader is gone.
    ///
    /// # Errors
    /// [`OutputError`] when not all of it was written.
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

    /// Writes a line that exists nowhere else, such as a new key. Here a closed pipe is a failure, too.
    ///
    /// # Errors
    /// [`OutputError`] when nobody has read it, or the stream did not take it.
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
