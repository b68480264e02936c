//! The source of a setting's value, for error messages.

use std::fmt;
use std::path::PathBuf;

use super::{ConfigError, Settings};

/// The source of one setting's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// A variable. Also stands for a missing value, since messages name settings by their variables.
    #[default]
    Variable,
    /// The command line.
    Flag,
    /// The settings file.
    File(PathBuf),
}

/// The sources of all values.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// By their names in the settings file.
    flags: Vec<String>,
    variables: Vec<&'static str>,
    in_file: Vec<&'static str>,
    file: PathBuf,
}

impl Origins {
    /// `upper` holds flags and variables, of which `flags` names the flags. It overrides the file's layer.
    pub fn new(flags: Vec<String>, upper: &Settings, (file, lower): (PathBuf, &Settings)) -> Self {
        Self { flags, variables: upper.given(), in_file: lower.given(), file }
    }

    /// Adds the source of the value to an error.
    #[must_use]
    pub fn locate(&self, error: ConfigError) -> ConfigError {
        match error {
            ConfigError::Setting { setting, why, .. } => {
                ConfigError::Setting { setting, origin: self.of(setting), why }
            }
            other => other,
        }
    }

    /// The setting the way the user wrote it.
    pub fn written(&self, setting: &str) -> String {
        SettingName(setting, &self.of(setting)).to_string()
    }

    /// The source of a setting that is given. `setting` is its variable.
    pub fn of(&self, setting: &str) -> Origin {
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

/// Displays a setting the way the user wrote it: as a flag, as a variable, or by its name in the file.
pub(super) struct SettingName<'a>(pub(super) &'a str, pub(super) &'a Origin);

impl fmt::Display for SettingName<'_> {
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
