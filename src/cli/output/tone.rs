//! What colours stand for.

use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{Attribute, Color};

/// What a text is, for the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Tone {
    /// Nothing in particular.
    Plain,
    /// As it should be, or added.
    Good,
    /// To be looked at, or changed.
    Careful,
    /// Wrong or over, or taken away.
    Bad,
    /// A heading or a label.
    Strong,
}

impl Tone {
    pub(super) fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Careful => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Strong => Style::new().bold(),
        }
    }

    pub(super) fn paint(self, cell: comfy_table::Cell) -> comfy_table::Cell {
        match self {
            Self::Plain => cell,
            Self::Good => cell.fg(Color::DarkGreen),
            Self::Careful => cell.fg(Color::DarkYellow),
            Self::Bad => cell.fg(Color::DarkRed),
            Self::Strong => cell.add_attribute(Attribute::Bold),
        }
    }
}
