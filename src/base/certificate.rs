//! What a certificate says of itself (RFC 5280), for people who operate the server.

use std::fmt;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::clock::Timestamp;

/// Whom a certificate is for, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The DNS names and the addresses in it (`subjectAltName`, RFC 5280 §4.2.1.6), in the certificate's order.
    pub names: Vec<String>,
    /// The first second at which it is valid.
    pub not_before: Timestamp,
    /// The last second at which it is valid.
    pub not_after: Timestamp,
}

impl CertificateFacts {
    /// Reads a certificate in DER. `None` if it is not one.
    pub fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.into_iter().flat_map(|extension| &extension.value.general_names);
        Some(Self {
            names: names.filter_map(name).collect(),
            not_before: Timestamp::from_unix(certificate.validity().not_before.timestamp()),
            not_after: Timestamp::from_unix(certificate.validity().not_after.timestamp()),
        })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    <[u8; 4]>::try_from(bytes)
        .map(|octets| std::net::Ipv4Addr::from(octets).to_string())
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(|octets| std::net::Ipv6Addr::from(octets).to_string()))
        .ok()
}

impl fmt::Display for CertificateFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "for {}, valid until {}", self.names.join(", "), self.not_after.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_its_hosts_and_its_end() {
        let mut params = rcgen::CertificateParams::new([
            "auth.example.com".into(),
            "192.0.2.7".into(),
            "2001:db8::7".into(),
        ])
        .unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 2);
        params.not_after = rcgen::date_time_ymd(2026, 4, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let facts = CertificateFacts::of(certificate.der()).unwrap();
        assert_eq!(facts.names, ["auth.example.com", "192.0.2.7", "2001:db8::7"]);
        assert_eq!(facts.not_before.rfc3339(), "2026-01-02T00:00:00Z");
        let said = "for auth.example.com, 192.0.2.7, 2001:db8::7, valid until 2026-04-01T00:00:00Z";
        assert_eq!(facts.to_string(), said);
        assert_eq!(CertificateFacts::of(b"no certificate"), None);
    }
}
