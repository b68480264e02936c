//! Colours, where they are wanted.

use std::io::IsTerminal;

use clap::builder::styling::{AnsiColor, Style};

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Tone {
    /// Nothing in particular.
    Plain,
    /// As it should be; something is added.
    Good,
    /// To be looked at; something is changed.
    Careful,
    /// Wrong, or over; something is taken away.
    Bad,
    /// A heading or a label.
    Strong,
}

impl Tone {
    pub(super) fn color(self) -> Option<AnsiColor> {
        match self {
            Self::Plain | Self::Strong => None,
            Self::Good => Some(AnsiColor::Green),
            Self::Careful => Some(AnsiColor::Yellow),
            Self::Bad => Some(AnsiColor::Red),
        }
    }
}

/// Whether what is written to `stream` may have colours: people watch it, and nobody said `NO_COLOR`.
pub(super) fn may_paint(stream: &impl IsTerminal) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    stream.is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// `text` in its tone, if `stream` may have colours.
pub(in crate::cli) fn painted(text: &str, tone: Tone, stream: &impl IsTerminal) -> String {
    if !may_paint(stream) {
        return text.to_owned();
    }
    let style = Style::new().fg_color(tone.color().map(Into::into));
    let style = if tone == Tone::Strong { style.bold() } else { style };
    format!("{style}{text}{style:#}")
}
