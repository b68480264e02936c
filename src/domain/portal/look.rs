//! How the portal looks: in the vendor's name, words and colours.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::PortalOrigin;
use crate::domain::web_url::WebUrl;

/// What the deployment says about the portal.
#[derive(Clone, Debug, Default)]
pub struct PortalSettings {
    /// The vendor's name.
    pub name: Option<String>,
    /// The heading above the list, in place of "API keys".
    pub title: Option<String>,
    /// A sentence or two below the heading.
    pub help: Option<String>,
    /// The vendor's own page about keys.
    pub help_url: Option<WebUrl>,
    /// The vendor's logo.
    pub logo: Option<Logo>,
    /// The accent colour of each theme.
    pub accents: Option<Accents>,
    /// The origins whose pages may have the portal in a frame, and to which it leads back.
    pub frame_origins: Vec<PortalOrigin>,
}

/// A picture that the server serves.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// Its media type.
    pub media_type: &'static str,
    /// The file's bytes.
    pub bytes: Arc<[u8]>,
}

/// The media types of logos, by the endings of their files.
const LOGO_TYPES: [(&str, &str); 5] = [
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
];

impl Logo {
    /// The largest logo, in bytes.
    pub const MAX_BYTES: usize = 100 * 1024;

    /// The logo in a file with this ending. `None` for the ending of another kind of file.
    pub fn new(ending: &str, bytes: Vec<u8>) -> Option<Self> {
        let ending = ending.to_ascii_lowercase();
        let (_, media_type) = LOGO_TYPES.into_iter().find(|(known, _)| *known == ending)?;
        Some(Self { media_type, bytes: bytes.into() })
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// The accent colour of the light theme and that of the dark one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accents {
    light: Color,
    dark: Color,
}

/// An opaque colour: `#` and six hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// The text is not a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a colour is # and six hexadecimal digits, such as #0b5fff")]
pub struct ColorError;

/// Why a pair of colours is refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum AccentError {
    /// The first is too pale.
    #[error(
        "accent has a contrast of {0:.1} to 1 on the light theme, and links and buttons need 4.5 to 1: choose a darker colour"
    )]
    Light(f64),
    /// The second is too dark.
    #[error(
        "{name} has a contrast of {contrast:.1} to 1 on the dark theme, and links and buttons need 4.5 to 1: choose a lighter \
         colour for accent_dark", name = if *is_only { "accent" } else { "accent_dark" }
    )]
    Dark {
        /// The contrast.
        contrast: f64,
        /// Whether the colour is that of the light theme, because there is no other.
        is_only: bool,
    },
}

/// What text stands on in the light theme, from the palest to the darkest: `--surface`, `--bg` and `--sunken`.
const LIGHT: [Color; 3] = [Color([255; 3]), Color([0xf6, 0xf7, 0xf8]), Color([0xf1, 0xf3, 0xf5])];

/// The same of the dark theme.
const DARK: [Color; 3] = [Color([0x0d, 0x10, 0x12]), Color([0x15, 0x19, 0x1c]), Color([0x1c, 0x21, 0x25])];

const BLACK: Color = Color([0; 3]);
const WHITE: Color = Color([255; 3]);

/// WCAG 2.2, 1.4.3.
const LEAST_CONTRAST: f64 = 4.5;

impl Accents {
    /// The colours of both themes. The first serves for both if there is no second.
    ///
    /// # Errors
    /// [`AccentError`] for a colour that can't be read in its theme.
    pub fn new(light: Color, dark: Option<Color>) -> Result<Self, AccentError> {
        let least = |color: Color, on: [Color; 3]| {
            on.map(|on| color.contrast(on)).into_iter().fold(f64::MAX, f64::min)
        };
        let contrast = least(light, LIGHT);
        if contrast < LEAST_CONTRAST {
            return Err(AccentError::Light(contrast));
        }
        let contrast = least(dark.unwrap_or(light), DARK);
        if contrast < LEAST_CONTRAST {
            return Err(AccentError::Dark { contrast, is_only: dark.is_none() });
        }
        Ok(Self { light, dark: dark.unwrap_or(light) })
    }

    /// A style sheet that replaces the console's accent by these.
    pub fn style_sheet(&self) -> String {
        let rules = |color: Color, mixed: &str| {
            format!(
                "--accent:{color};--accent-hover:color-mix(in srgb,{color} 85%,{mixed});\
                 --accent-soft:color-mix(in srgb,{color} 12%,var(--surface));--on-accent:{on};--plot-tokens:{color}",
                on = color.text_on_it()
            )
        };
        let (light, dark) = (rules(self.light, "#000"), rules(self.dark, "#fff"));
        format!(":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n")
    }
}

impl Color {
    /// The contrast to another colour (WCAG 2.2): 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    /// Black or white, whichever reads better on it. One of them always has more than 4.5 to 1.
    fn text_on_it(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }

    fn luminance(self) -> f64 {
        let linear = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
}

impl FromStr for Color {
    type Err = ColorError;

    fn from_str(text: &str) -> Result<Self, ColorError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(ColorError)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ColorError);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| ColorError)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(text: &str) -> Color {
        text.parse().unwrap()
    }

    #[test]
    fn colours_that_cannot_be_read_are_refused() {
        assert!((color("#000000").contrast(color("#ffffff")) - 21.0).abs() < 0.001);
        assert!(Accents::new(color("#0f766e"), Some(color("#3cc4b4"))).is_ok());
        assert!(matches!(Accents::new(color("#ffcc00"), None), Err(AccentError::Light(_))));
        let only = Accents::new(color("#0f766e"), None);
        assert!(matches!(only, Err(AccentError::Dark { is_only: true, .. })), "{only:?}");
        let dark = Accents::new(color("#0f766e"), Some(color("#222222")));
        assert!(matches!(dark, Err(AccentError::Dark { is_only: false, .. })));
        for bad in ["", "#fff", "0f766e0", "#0f766g", "#+f766e", "red", "#0f766e;}"] {
            assert_eq!(bad.parse::<Color>(), Err(ColorError), "{bad}");
        }
        let sheet = Accents::new(color("#0b5fff"), Some(color("#7aa7ff"))).unwrap().style_sheet();
        assert!(sheet.contains("--accent:#0b5fff;") && sheet.contains("--on-accent:#000000"), "{sheet}");
    }
}
