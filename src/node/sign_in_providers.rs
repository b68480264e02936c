//! The OpenID providers at which members can sign in.

use super::SignInSettings;
use crate::domain::member::EmailAddress;

/// The providers of a deployment, by the names that its settings give them.
#[derive(Clone, Debug, Default)]
pub struct SignInProviders {
    names: Vec<String>,
    /// The domains of the addresses that each provider takes, in the same order. Empty means any.
    domains: Vec<Vec<String>>,
}

impl SignInProviders {
    /// The providers in these settings, in the order in which the console shows them.
    pub fn of(settings: &SignInSettings) -> Self {
        let of =
            |provider: &super::ProviderSettings| (provider.name.clone(), provider.allowed_domains.clone());
        let (names, domains) = settings.providers.iter().map(of).unzip();
        Self { names, domains }
    }

    /// The providers with these names, which take all addresses.
    pub fn named<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), domains: Vec::new() }
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there is a provider with this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// The name of the provider, if there is exactly one.
    pub fn only(&self) -> Option<&str> {
        match &self.names[..] {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The domains of the addresses with which an invitation at this provider can be accepted, if `address` is in none of
    /// them.
    pub fn domains_without(&self, name: &str, address: &EmailAddress) -> Option<&[String]> {
        let index = self.names.iter().position(|known| known == name)?;
        let domains = self.domains.get(index).filter(|domains| !domains.is_empty())?;
        let is_in = |domain: &String| domain.eq_ignore_ascii_case(address.domain());
        (!domains.iter().any(is_in)).then_some(domains)
    }
}
