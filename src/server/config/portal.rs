//! The settings of the customers' portal, which only a settings file has.

use std::fmt::Display;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Origin};
use crate::domain::key::labels;
use crate::domain::portal::{Accents, Color, Logo, PortalOrigin, PortalSettings};
use crate::domain::web_url::WebUrl;

/// The table `[portal]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PortalTable {
    name: Option<String>,
    title: Option<String>,
    help: Option<String>,
    help_url: Option<String>,
    logo: Option<PathBuf>,
    accent: Option<String>,
    accent_dark: Option<String>,
    frame_origins: Vec<String>,
}

/// The most origins. Each is in a header of every page of the portal.
const MOST_ORIGINS: usize = 20;

const SETTING: &str = "CLAVIGER_PORTAL";

fn wrong(setting: &'static str, why: impl Display) -> ConfigError {
    ConfigError::Setting { setting, origin: Origin::Variable, why: why.to_string() }
}

impl PortalTable {
    pub(super) fn read(self) -> Result<PortalSettings, ConfigError> {
        let line = |name: &'static str, text: Option<String>| {
            text.map(labels::name).transpose().map_err(|error| wrong(SETTING, format!("{name}: {error}")))
        };
        let origin = |text: &String| {
            text.parse::<PortalOrigin>().map_err(|error| wrong(SETTING, format!("frame_origins: {error}")))
        };
        let help_url = self.help_url.map(|url| url.parse::<WebUrl>()).transpose();
        let help = self.help.map(labels::note).transpose();
        if self.frame_origins.len() > MOST_ORIGINS {
            return Err(wrong(SETTING, format!("frame_origins: at most {MOST_ORIGINS} origins")));
        }
        Ok(PortalSettings {
            name: line("name", self.name)?,
            title: line("title", self.title)?,
            help: help.map_err(|error| wrong(SETTING, format!("help: {error}")))?,
            help_url: help_url.map_err(|error| wrong(SETTING, format!("help_url: the URL {error}")))?,
            logo: self.logo.map(logo).transpose()?,
            accents: accents(self.accent, self.accent_dark)?,
            frame_origins: self.frame_origins.iter().map(origin).collect::<Result<_, _>>()?,
        })
    }
}

fn accents(light: Option<String>, dark: Option<String>) -> Result<Option<Accents>, ConfigError> {
    let read = |name: &'static str, text: Option<String>| {
        text.map(|text| text.parse::<Color>())
            .transpose()
            .map_err(|error| wrong(SETTING, format!("{name}: {error}")))
    };
    match (read("accent", light)?, read("accent_dark", dark)?) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(wrong(SETTING, "accent_dark needs accent beside it")),
        (Some(light), dark) => Ok(Some(Accents::new(light, dark).map_err(|error| wrong(SETTING, error))?)),
    }
}

fn logo(path: PathBuf) -> Result<Logo, ConfigError> {
    let bytes = std::fs::read(&path);
    let bytes =
        bytes.map_err(|error| wrong(SETTING, format!("logo: {} cannot be read: {error}", path.display())))?;
    if bytes.len() > Logo::MAX_BYTES {
        return Err(wrong(SETTING, format!("logo: the file has more than {} KiB", Logo::MAX_BYTES / 1024)));
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    Logo::new(ending, bytes).ok_or_else(|| wrong(SETTING, "logo: must be a file in svg, png, webp or jpg"))
}
