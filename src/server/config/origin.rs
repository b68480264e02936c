//! Where a setting's value was given, for messages about it.

use std::fmt;
use std::path::PathBuf;

use super::{ConfigError, Settings};

/// Where the value of one setting comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The environment; or nowhere, since variables are what settings are known by.
    #[default]
    Variable,
    /// The command line.
    Flag,
    /// The file of settings.
    File(PathBuf),
}

/// Where the values of all settings come from.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// By their names in the file.
    flags: Vec<String>,
    variables: Vec<&'static str>,
    in_file: Vec<&'static str>,
    file: PathBuf,
}

impl Origins {
    /// Of `upper`, the flags and variables, of which `flags` are flags, over what `file` has.
    pub fn new(flags: Vec<String>, upper: &Settings, (file, lower): (PathBuf, &Settings)) -> Self {
        Self { flags, variables: upper.given(), in_file: lower.given(), file }
    }

    /// The error, with the place that its setting's value comes from.
    #[must_use]
    pub fn locate(&self, error: ConfigError) -> ConfigError {
        match error {
            ConfigError::Setting { setting, why, .. } => {
                ConfigError::Setting { setting, origin: self.of(setting), why }
            }
            other => other,
        }
    }

    fn of(&self, setting: &str) -> Origin {
        let name = name_in_file(setting);
        if self.flags.contains(&name) {
            Origin::Flag
        } else if !self.variables.contains(&name.as_str()) && self.in_file.contains(&name.as_str()) {
            Origin::File(self.file.clone())
        } else {
            Origin::Variable
        }
    }
}

/// A setting, by the name of its variable, as its user has written it.
pub(super) struct Written<'a>(pub(super) &'a str, pub(super) &'a Origin);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(setting, origin) = self;
        match origin {
            Origin::Variable => f.write_str(setting),
            Origin::Flag => write!(f, "--{}", name_in_file(setting).replace('_', "-")),
            Origin::File(path) => write!(f, "{}: {}", path.display(), name_in_file(setting)),
        }
    }
}

fn name_in_file(setting: &str) -> String {
    setting.trim_start_matches("CLAVIGER_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_place_of_the_value() {
        let upper = Settings { brand: Some("x".into()), issuer: Some("x".into()), ..Settings::default() };
        let lower = Settings { brand: Some("y".into()), log: Some("y".into()), ..Settings::default() };
        let origins = Origins::new(vec!["issuer".into()], &upper, ("claviger.toml".into(), &lower));
        for (setting, words) in [
            ("CLAVIGER_ISSUER", "--issuer: no"),
            ("CLAVIGER_BRAND", "CLAVIGER_BRAND: no"),
            ("CLAVIGER_LOG", "claviger.toml: log: no"),
            ("CLAVIGER_LISTEN", "CLAVIGER_LISTEN: no"),
        ] {
            let error = ConfigError::Setting { setting, origin: Origin::Variable, why: "no".into() };
            assert_eq!(origins.locate(error).to_string(), words);
        }
    }
}
