//! Chooses the server.

use std::path::PathBuf;

use super::ServerChoice;
use crate::base::variables;
use crate::cli::CliError;
use crate::cli::failure::UsageError;
use crate::cli::profiles::{Profile, ProfileName, Profiles};
use crate::cli::variables::variable;
use crate::client::{BaseUrl, Trust};
use crate::domain::names::OrganizationId;

/// A server and its profile, if a profile named it. A profile's key is sent to that profile's server only.
pub(super) struct Server {
    pub(super) url: BaseUrl,
    /// The source of the URL, for messages.
    pub(super) named_by: String,
    pub(super) profile: Option<Profile>,
}

impl Server {
    /// The first of these: the flag, the profile of the flag, `CLAVIGER_URL`, the profile of `CLAVIGER_PROFILE`, the
    /// default profile.
    pub(super) fn choose(arguments: &ServerChoice) -> Result<Self, CliError> {
        if let Some(url) = &arguments.url {
            return Ok(Self { url: url.clone(), named_by: "--url".into(), profile: None });
        }
        if let Some(name) = &arguments.profile {
            return Ok(Self::of_profile(name)?);
        }
        if let Some(url) = variable("CLAVIGER_URL")? {
            let url = url.parse().map_err(UsageError::Url)?;
            return Ok(Self { url, named_by: "CLAVIGER_URL".into(), profile: None });
        }
        if let Some(name) = variable("CLAVIGER_PROFILE")? {
            let name = name.parse().map_err(|why| wrong("CLAVIGER_PROFILE", why))?;
            return Ok(Self::of_profile(&name)?);
        }
        let name = ProfileName::default();
        match Profiles::load()?.take(&name) {
            Some(profile) => Ok(Self::of(&name, profile)),
            None => Err(UsageError::NoServer.into()),
        }
    }

    /// The profile's organization, otherwise `CLAVIGER_ORG`.
    pub(super) fn organization(&self) -> Result<Option<OrganizationId>, CliError> {
        if let Some(named) = self.profile.as_ref().and_then(|profile| profile.organization.clone()) {
            return Ok(Some(named));
        }
        let named = variable("CLAVIGER_ORG")?;
        Ok(named.map(|id| id.parse().map_err(|why| wrong("CLAVIGER_ORG", why))).transpose()?)
    }

    /// The trusted authorities: the file of the flag, otherwise of the profile, otherwise of the variable, otherwise
    /// the system's.
    pub(super) fn trust(&self, flag: Option<PathBuf>) -> Trust {
        let of_profile = || self.profile.as_ref().and_then(|profile| profile.ca_file.clone());
        let of_variable = || variables::variable("CLAVIGER_CA_FILE").map(PathBuf::from);
        flag.or_else(of_profile).or_else(of_variable).map_or(Trust::System, Trust::File)
    }

    fn of_profile(name: &ProfileName) -> Result<Self, UsageError> {
        let profiles = Profiles::load()?;
        let file = profiles.path().to_owned();
        let profile = profiles.take(name);
        let profile = profile.ok_or_else(|| UsageError::NoSuchProfile { name: name.to_string(), file })?;
        Ok(Self::of(name, profile))
    }

    fn of(name: &ProfileName, profile: Profile) -> Self {
        Self { url: profile.url.clone(), named_by: format!("the profile {name}"), profile: Some(profile) }
    }
}

fn wrong(name: &'static str, why: impl ToString) -> UsageError {
    UsageError::Variable { name, why: why.to_string() }
}
