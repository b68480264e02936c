//! E-mail addresses of invitations.

use std::fmt;
use std::str::FromStr;

use crate::base::text::{reorders, serde_as_text};

/// An e-mail address: something, an @, and a domain. Whether it exists shows when its owner signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(Box<str>);

/// The text is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address of at most 254 characters, such as someone@example.com")]
pub struct EmailError;

impl EmailAddress {
    /// The most bytes (RFC 5321 §4.5.3.1.3, without the angle brackets).
    const MAX_BYTES: usize = 254;

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form by which addresses are compared. ASCII letters of either case count as the same.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The part after the @.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The part before the @.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(local, _)| local)
    }
}

impl FromStr for EmailAddress {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let is_refused =
            |c: char| c.is_whitespace() || c.is_control() || reorders(c) || "<>()[],;:\\\"".contains(c);
        let Some((local, domain)) = text.split_once('@') else { return Err(EmailError) };
        let is_plain = text.len() <= Self::MAX_BYTES && !text.chars().any(is_refused);
        let is_complete = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
        if is_plain && is_complete { Ok(Self(text.into())) } else { Err(EmailError) }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(EmailAddress);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_and_nothing_that_hides_another() {
        for good in ["a@b", "first.last+tag@example.com", "ü@example.com"] {
            assert!(good.parse::<EmailAddress>().is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in
            ["", "@", "a@", "@b", "a", "a@b@c", "a b@c", "a@b\n", "A <a@b>", "a@b,c@d", "\u{202e}a@b", &long]
        {
            assert_eq!(bad.parse::<EmailAddress>(), Err(EmailError), "{bad}");
        }
        let address: EmailAddress = "First.Last@Example.COM".parse().unwrap();
        assert_eq!(
            (address.folded().as_str(), address.local_part(), address.domain()),
            ("first.last@example.com", "First.Last", "Example.COM")
        );
    }
}
