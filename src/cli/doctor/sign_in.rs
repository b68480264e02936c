//! The OpenID providers at which members sign in, as this machine reaches them.

use super::finding::Report;
use crate::client::{FetchFault, Fetcher};
use crate::jose::foreign::{
    Algorithm, DiscoveryFault, JwkSet, ProviderAbilities, ProviderMetadata, key_set_url,
};
use crate::node::{ClientCredential, ProviderSettings};
use crate::server::config::Config;
use crate::store::Contents;

const CHECK: &str = "sign_in";

/// What is wrong, and what to do.
type Fault = (String, &'static str);

/// Asks each provider about itself, and compares what it can with what signing in needs.
pub(super) async fn check(config: &Config, contents: Option<&Contents>, report: &mut Report) {
    let deployment = config.deployment(config.listen);
    let fetcher = Fetcher::new(deployment.issuers);
    for provider in &deployment.sign_in_settings.providers {
        let name = &provider.name;
        match described(&fetcher, provider).await {
            Ok(notes) => {
                let redirect_uri = format!("{}/console/sign-in/callback", deployment.issuer);
                let message = format!(
                    "provider {name}: {} can sign people in{notes}; it has to know the redirect URI {redirect_uri}",
                    provider.issuer
                );
                report.ok(CHECK, message);
            }
            Err((why, advice)) => report.fail(CHECK, format!("provider {name}: {why}"), advice),
        }
        let (Some(groups), Some(contents)) = (&provider.groups, contents) else { continue };
        for missing in groups.without_effect(&contents.places) {
            let advice =
                "Create it, or correct the table in [[sign_in.groups]]. Until then, the table has no effect.";
            report.warn(CHECK, format!("provider {name}: {missing}"), advice);
        }
    }
}

/// Reads the description and the keys of a provider. Returns what is worth a remark.
async fn described(fetcher: &Fetcher, provider: &ProviderSettings) -> Result<&'static str, Fault> {
    let issuer = &provider.issuer;
    let url = issuer.discovery().map_err(|error| {
        (format!("the issuer's URL {error}"), "Set issuer to the `iss` of the provider, byte for byte.")
    })?;
    let description =
        fetcher.fetch(&url).await.map_err(|fault| fetched(&format!("its description {url}"), fault))?;
    ProviderMetadata::parse(&description, issuer)
        .map_err(|fault| (format!("its description {fault}"), advice(fault)))?;
    let abilities = ProviderAbilities::parse(&description)
        .map_err(|fault| (format!("its description {fault}"), advice(fault)))?;
    can_sign_in(&abilities, provider)?;
    let keys = key_set_url(&description, issuer)
        .map_err(|fault| (format!("its description {fault}"), advice(fault)))?;
    let set = fetcher.fetch(&keys).await.map_err(|fault| fetched(&format!("its key set {keys}"), fault))?;
    let set = JwkSet::parse(&set, &Algorithm::ALL).map_err(|fault| {
        (format!("the key set {fault}"), "Correct it at the provider. Nobody can sign in before.")
    })?;
    if set.keys().is_empty() {
        let why = "the key set has no public key for an algorithm that is accepted".to_owned();
        return Err((why, ALGORITHMS));
    }
    Ok(match abilities.knows_s256 {
        Some(_) => "",
        None => " (it does not say whether it checks PKCE with S256, which Claviger sends)",
    })
}

const ALGORITHMS: &str = "Let the provider sign ID tokens with ES256, ES384, EdDSA, PS256, RS256, RS384 or RS512, and publish the key.";

/// Whether the provider can do what signing in needs, as far as it says.
fn can_sign_in(abilities: &ProviderAbilities, provider: &ProviderSettings) -> Result<(), Fault> {
    if abilities.gives_codes == Some(false) {
        return Err((
            "it says that it does not know the response type code".into(),
            "Allow the authorization code flow at the provider.",
        ));
    }
    if abilities.signs_acceptably == Some(false) {
        return Err((
            "it says that it signs ID tokens with no algorithm that is accepted".into(),
            ALGORITHMS,
        ));
    }
    let (is_taken, method) = match provider.credential {
        ClientCredential::Secret(_) => (abilities.takes_secrets, "client_secret_basic or client_secret_post"),
        ClientCredential::Key(_) => (abilities.takes_keys, "private_key_jwt"),
    };
    if is_taken == Some(false) {
        return Err((
            format!("it says that clients cannot authenticate with {method}"),
            "Use the other one of client_secret_file and private_key_file, or allow the method at the provider.",
        ));
    }
    Ok(())
}

fn fetched(what: &str, fault: FetchFault) -> Fault {
    let advice = match fault {
        FetchFault::Network => "Add the provider's network to issuer_networks, if it is one of yours.",
        FetchFault::Http => "Set issuer to an https URL.",
        FetchFault::NoAddress => "Check the name in issuer, and this machine's DNS.",
        FetchFault::Tls | FetchFault::Authorities => {
            "Check the provider's certificate, and the certificate authorities that this machine trusts."
        }
        FetchFault::Status(_) | FetchFault::Redirect => {
            "Check issuer: its description is at {issuer}/.well-known/openid-configuration, without a redirect."
        }
        FetchFault::Proxy => "Check issuer_proxy.",
        _ => "Check that the provider runs, and that a firewall lets this machine reach it.",
    };
    (format!("{what} can't be fetched: {fault}"), advice)
}

fn advice(fault: DiscoveryFault) -> &'static str {
    match fault {
        DiscoveryFault::Issuer => {
            "Set issuer to the `issuer` in that document, byte for byte. At Microsoft Entra, use your tenant's, and not that of common."
        }
        DiscoveryFault::NoPkce => "Allow PKCE with S256 at the provider.",
        _ => "Check issuer. If it is right, the provider's description has to be corrected.",
    }
}
