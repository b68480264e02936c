//! The OpenID providers at which members can sign in.

/// The providers of a deployment, by the names that its settings give them.
#[derive(Clone, Debug, Default)]
pub struct SignInProviders {
    names: Vec<String>,
}

impl SignInProviders {
    /// The providers with these names, in the order in which the console shows them.
    pub fn named<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect() }
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
}
