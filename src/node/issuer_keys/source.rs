//! Fetches the keys of one issuer.

use crate::client::{FetchFault, Fetcher};
use crate::domain::trusted_issuer::{KeySource, TrustedIssuer};
use crate::jose::foreign::{Algorithm, DiscoveryFault, JwkSetFault, KeySet, key_set_url};

/// Why there are no keys of an issuer. The text is fixed: it has nothing of what another server sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysFault {
    /// The issuer's description can't be fetched.
    #[error("the issuer's description can't be fetched: {0}")]
    Description(FetchFault),
    /// The issuer's description is refused.
    #[error("the issuer's description {0}")]
    Discovery(#[from] DiscoveryFault),
    /// The key set can't be fetched.
    #[error("the key set can't be fetched: {0}")]
    Fetch(FetchFault),
    /// The key set is refused.
    #[error("the key set {0}")]
    Set(#[from] JwkSetFault),
    /// A fetch failed a moment ago.
    #[error("the keys could not be fetched a moment ago")]
    Resting,
    /// Too many requests wait for the keys of this issuer, or of this organization's issuers.
    #[error("too many requests wait for the keys")]
    Crowded,
}

/// Fetches the set, within the time limit for everything together.
pub(super) async fn fetch(fetcher: &Fetcher, issuer: &TrustedIssuer) -> Result<KeySet, KeysFault> {
    let fetching = async {
        let url = match &issuer.keys {
            KeySource::Inline(_) => return inline(issuer),
            KeySource::At(url) => url.clone(),
            KeySource::Discovery => {
                let description = issuer.url.discovery().map_err(DiscoveryFault::Url)?;
                let description = fetcher.fetch(&description).await.map_err(KeysFault::Description)?;
                key_set_url(&description, &issuer.url)?
            }
        };
        let set = fetcher.fetch(&url).await.map_err(KeysFault::Fetch)?;
        Ok(KeySet::parse(&set, &accepted(issuer))?)
    };
    let fetched = tokio::time::timeout(fetcher.time_limit(), fetching).await;
    fetched.unwrap_or(Err(KeysFault::Fetch(FetchFault::Slow)))
}

/// The set in the record.
pub(super) fn inline(issuer: &TrustedIssuer) -> Result<KeySet, KeysFault> {
    let KeySource::Inline(set) = &issuer.keys else { return Err(JwkSetFault::NoKeys.into()) };
    Ok(KeySet::parse(set.to_string().as_bytes(), &accepted(issuer))?)
}

fn accepted(issuer: &TrustedIssuer) -> Vec<Algorithm> {
    issuer.algorithms.iter().filter_map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trusted_issuer::SignatureAlgorithms;

    #[test]
    fn every_name_of_an_algorithm_stands_for_one() {
        let all = SignatureAlgorithms::KNOWN.map(|name| name.parse::<Algorithm>());
        assert_eq!(all, Algorithm::ALL.map(Ok));
    }
}
