//! Signs people in at OpenID providers (OpenID Connect Core 1.0 §3.1): where they are sent, and whose answer is believed.
//!
//! Anybody can begin an attempt, and answer one. Nothing of it is stored: the browser keeps the sealed attempt. What costs
//! anything is limited for each address: wrong answers as wrong secrets are, the attempts that are answered, and the
//! requests to each provider at once, for which addresses take turns. So nobody delays anybody who signs in from elsewhere,
//! and no provider anybody who signs in at another one.

mod attempt;
mod choice;
mod client;
mod fault;
mod provider;
mod sealed;
mod settings;

use std::net::IpAddr;
use std::sync::Arc;

pub use attempt::{Again, Attempt};
pub use choice::Choice;
pub use fault::SignInFault;
pub use provider::Provider;
pub use settings::{ClientCredential, ConsoleKeys, GroupSettings, ProviderSettings};

use super::{IssuerKeys, Throttle};
use crate::base::clock::{Clock, Timestamp};
use crate::base::entropy::Entropy;
use crate::client::{FetchSettings, Fetcher};
use crate::domain::address::{CallerAddress, network};
use crate::domain::member::ProviderIdentity;
use crate::domain::principal::Principal;
use crate::jose::foreign::{ExpectedIdToken, GroupsFault, IdTokenClaims, Jws};
use crate::sharing::fair_queue::Permit;
use crate::sharing::single_use::{SingleUse, UseLimits, UseRefused, UsedId};

/// The attempts that can be answered in ten minutes from one address, and from the addresses around it.
const ANSWERS: UseLimits = UseLimits { of_owner: 1_000, of_organization: 20_000 };

/// Who chooses the ids of attempts: this deployment, whatever address answers one.
const OURS: &str = "sign-in";

/// What wrong answers and wrong codes of invitations are counted under.
const GUESSES: &str = "sign-in";

/// What a deployment's settings say about signing in.
#[derive(Clone, Debug, Default)]
pub struct SignInSettings {
    /// The providers, in the order in which the console shows them.
    pub providers: Vec<ProviderSettings>,
    /// Which API keys open the console.
    pub console_keys: ConsoleKeys,
}

/// The providers, and what is in memory to sign people in.
#[derive(Debug)]
pub struct SignIn {
    providers: Vec<Arc<Provider>>,
    /// The key sets of the providers.
    pub issuer_keys: Arc<IssuerKeys>,
    fetcher: Arc<Fetcher>,
    clock: Clock,
    entropy: Entropy,
    redirect_uri: String,
    throttle: Throttle,
    answered: SingleUse,
}

/// Who signed in, as the provider says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who it is. Nobody else is ever this person.
    pub identity: ProviderIdentity,
    /// The address, if the provider has verified that it is theirs.
    pub verified_email: Option<String>,
    /// Whether the provider named an address at all.
    pub has_email: bool,
    /// The name.
    pub name: Option<String>,
    /// When they last proved who they are to the provider, if it says so.
    pub authenticated_at: Option<Timestamp>,
    /// The domain that administers the account (`hd`, Google).
    pub hosted_domain: Option<String>,
    /// The tenant of the account (`tid`, Entra).
    pub tenant: Option<String>,
    /// The groups, if the settings name the claim that lists them.
    pub groups: Result<Vec<String>, GroupsFault>,
}

impl SignIn {
    /// Signs people in as the settings say.
    pub fn new(
        settings: &SignInSettings,
        (fetch, issuer): (&FetchSettings, &str),
        clock: &Clock,
        entropy: &Entropy,
    ) -> Self {
        Self {
            providers: settings.providers.iter().cloned().map(Provider::new).map(Arc::new).collect(),
            issuer_keys: Arc::new(IssuerKeys::new(fetch.clone(), clock.clone())),
            fetcher: Arc::new(Fetcher::new(fetch.clone())),
            clock: clock.clone(),
            entropy: entropy.clone(),
            redirect_uri: format!("{issuer}/console/sign-in/callback"),
            throttle: Throttle::default(),
            answered: SingleUse::new(ANSWERS),
        }
    }

    /// The providers, in the order in which the console shows them.
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.providers
    }

    /// The provider with this name.
    pub fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers.iter().find(|provider| provider.settings.name == name)
    }

    /// Where a provider sends people back to.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The address at the provider to which an attempt leads.
    ///
    /// # Errors
    /// [`SignInFault`] when the provider's description can't be had.
    pub async fn authorization_url(
        &self,
        provider: &Arc<Provider>,
        attempt: &Attempt,
    ) -> Result<String, SignInFault> {
        let metadata = provider.metadata(&self.fetcher, &self.clock).await?;
        client::authorization_url(&provider.settings, &metadata, &self.redirect_uri, attempt)
    }

    /// Whether an answer with this `iss` is from the provider (RFC 9207 §2.4). A provider that says that it names itself has
    /// to; any other may.
    ///
    /// # Errors
    /// [`SignInFault`] when the provider's description can't be had.
    pub async fn is_from(&self, provider: &Arc<Provider>, named: Option<&str>) -> Result<bool, SignInFault> {
        match named {
            Some(named) => Ok(named == provider.settings.issuer.as_str()),
            None => Ok(!provider.metadata(&self.fetcher, &self.clock).await?.names_itself),
        }
    }

    /// Seconds until somebody at this address may try again, if they have to wait.
    pub fn wait(&self, address: CallerAddress) -> Option<i64> {
        self.throttle.wait(GUESSES, address.known(), self.clock.now())
    }

    /// Counts a wrong answer or a wrong code.
    pub fn guessed(&self, address: CallerAddress) {
        self.throttle.failed(GUESSES, address.known(), self.clock.now());
    }

    /// Uses an attempt or a choice, which counts once, by its id and its end. Returns whether it may be used.
    ///
    /// # Errors
    /// [`SignInFault::Crowded`] when too many were answered from this address.
    pub fn use_once(&self, (id, until): (&str, i64), address: CallerAddress) -> Result<bool, SignInFault> {
        let (owner, around) = neighbourhood(address);
        let id = UsedId { organization: &around, owner: &owner, chosen_by: OURS, id, until };
        match self.answered.accept(id, self.clock.now().unix()) {
            Ok(()) => Ok(true),
            Err(UseRefused::Again) => Ok(false),
            Err(UseRefused::Full) => Err(SignInFault::Crowded),
        }
    }

    /// Who signed in, for the code in the provider's answer.
    ///
    /// # Errors
    /// [`SignInFault`].
    pub async fn person(
        &self,
        provider: &Arc<Provider>,
        (code, attempt): (&str, &Attempt),
        address: CallerAddress,
    ) -> Result<Person, SignInFault> {
        let _permit = turn(provider, address).await?;
        let metadata = provider.metadata(&self.fetcher, &self.clock).await?;
        let (settings, now) = (&provider.settings, self.clock.now());
        let exchange = client::exchange(
            &self.fetcher,
            (settings, &metadata),
            &self.redirect_uri,
            (code, attempt),
            (&self.entropy, now),
        );
        let token = exchange.await?;
        let token = Jws::parse(&token).map_err(SignInFault::Token)?;
        if token.header().has_type() && !token.header().is_one_of(&["jwt"]) {
            return Err(SignInFault::Type);
        }
        let payload = self.verified(provider, &token).await?;
        let (issuer, client_id) = (settings.issuer.as_str(), &*settings.client_id);
        let expected = ExpectedIdToken { issuer, client_id, nonce: &attempt.nonce };
        let claims = IdTokenClaims::read(payload, expected, self.clock.now())?;
        Ok(Person::of(settings, &claims))
    }

    /// The payload of a token that the provider signed.
    async fn verified<'j>(&self, provider: &Provider, token: &'j Jws<'_>) -> Result<&'j [u8], SignInFault> {
        let issuer = provider.keys.as_ref().ok_or(SignInFault::UnknownKey)?;
        let set = self.issuer_keys.keys_for(issuer, token.header()).await.map_err(SignInFault::Keys)?;
        let mut fault = SignInFault::UnknownKey;
        for candidate in set.candidates(token.header()) {
            match candidate.verify(token) {
                Ok(payload) => return Ok(payload),
                Err(_) => fault = SignInFault::Signature,
            }
        }
        Err(fault)
    }
}

impl Person {
    fn of(settings: &ProviderSettings, claims: &IdTokenClaims<'_>) -> Self {
        let text = |claim: &str| claims.text(claim).map(str::to_owned);
        let email = text("email");
        let is_verified = claims.is_true(&settings.email_verified_claim);
        Self {
            identity: ProviderIdentity {
                issuer: settings.issuer.as_str().to_owned(),
                subject: claims.subject.clone(),
            },
            has_email: email.is_some(),
            verified_email: email.filter(|_| is_verified),
            name: text("name"),
            authenticated_at: claims.authenticated_at,
            hosted_domain: text("hd"),
            tenant: text("tid"),
            groups: settings.groups.as_ref().map_or(Ok(Vec::new()), |groups| claims.groups(&groups.claim)),
        }
    }
}

/// The turn of an address at a provider.
async fn turn(provider: &Provider, address: CallerAddress) -> Result<Permit, SignInFault> {
    let (owner, _) = neighbourhood(address);
    // The queue takes turns between organizations. Here, each address is one.
    let principal = Principal { organization: owner.parse().ok(), caller: None };
    provider.exchanges.acquire(&principal).await.map_err(|_| SignInFault::Crowded)
}

/// The network of an address, in which one owner is counted, and the larger one around it. Both are slugs.
fn neighbourhood(address: CallerAddress) -> (String, String) {
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match address.known().map(network) {
        Some(IpAddr::V4(address)) => {
            let bytes = address.octets();
            (format!("v4-{}", hexadecimal(&bytes)), format!("v4-{}", hexadecimal(&bytes[..2])))
        }
        Some(IpAddr::V6(address)) => {
            let bytes = address.octets();
            (format!("v6-{}", hexadecimal(&bytes[..8])), format!("v6-{}", hexadecimal(&bytes[..4])))
        }
        None => ("unknown".to_owned(), "unknown".to_owned()),
    }
}
