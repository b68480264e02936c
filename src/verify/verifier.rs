//! From a credential to what it allows.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response};
use tokio::sync::watch;
use tokio::time::Instant;

use super::access::Access;
use super::api_keys::AskedKeys;
use super::background::Background;
use super::builder::{Settings, WhenStale};
use super::issuer_keys::{Asker, IssuerKeys};
use super::metrics::{Counters, Metrics};
use super::refusal::{Refusal, Unavailable};
use super::remembered::{Remembered, digest_of};
use super::resource_metadata::ResourceMetadata;
use super::standing::{Heard, Standing};
use crate::address::CallerAddress;
use crate::claims::{Audience, Rules, TokenFault, verify_access_token};
use crate::client::{BaseUrl, Client};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialFault};
use crate::jws::UnverifiedJws;

/// Verifies the tokens of one issuer for one resource server. Clones share everything; when the last is dropped, nothing
/// goes on in the background.
#[derive(Clone, Debug)]
pub struct Verifier {
    shared: Arc<Shared>,
    _background: Arc<Background>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) client: Client,
    pub(super) keys: Arc<IssuerKeys>,
    pub(super) standing: Standing,
    pub(super) metrics: Counters,
    /// What can change about a token is held against it at every use: times, revocations, addresses.
    remembered: Remembered<Access>,
    asked_keys: Option<AskedKeys>,
    is_ready: watch::Sender<bool>,
}

impl Verifier {
    pub(super) fn begin(settings: Settings, server: BaseUrl, client: Client) -> Self {
        let keys = IssuerKeys::new(client.clone(), settings.issuer.clone(), server.clone());
        let asked_keys = settings.api_keys.map(|api_keys| AskedKeys::new(api_keys, &server, &settings));
        let shared = Arc::new(Shared {
            remembered: Remembered::new(settings.remembered_tokens),
            settings,
            client,
            keys: Arc::new(keys),
            standing: Standing::default(),
            metrics: Counters::default(),
            asked_keys,
            is_ready: watch::Sender::new(false),
        });
        let background = Arc::new(Background::begin(&shared));
        Self { shared, _background: background }
    }

    /// Waits until the issuer was heard for the first time: its keys and its revocations. Until then every credential
    /// is answered with [`Unavailable::NotReady`].
    pub async fn ready(&self) {
        let mut is_ready = self.shared.is_ready.subscribe();
        // It can't fail: the sender is held here.
        let _ = is_ready.wait_for(|is_ready| *is_ready).await;
    }

    /// Whether the issuer was heard.
    pub fn is_ready(&self) -> bool {
        *self.shared.is_ready.borrow()
    }

    /// Verifies an access token that a caller sends from this address. A token that is bound to ranges is refused
    /// where the address is not known.
    ///
    /// The issuer is asked for a key that is not known, once in 30 seconds; otherwise nothing is waited for.
    ///
    /// # Errors
    /// [`Refusal`]. What is said of a token that breaks several rules is about the first of them.
    pub async fn verify(&self, token: &str, caller: CallerAddress) -> Result<Access, Refusal> {
        let verdict = self.shared.verify(token, caller).await;
        self.shared.metrics.decided(verdict.is_ok());
        verdict
    }

    /// Verifies a credential of either kind; API keys only where [`super::Builder::api_keys`] said so.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn authenticate(
        &self,
        credential: Credential<'_>,
        caller: CallerAddress,
    ) -> Result<Access, Refusal> {
        let verdict = self.shared.authenticate(credential, caller).await;
        self.shared.metrics.decided(verdict.is_ok());
        verdict
    }

    /// Verifies the credential in a request's headers. `peer` is the address at the other end of the connection,
    /// which is the caller's unless it is that of a trusted proxy.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn authenticate_request(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Access, Refusal> {
        match Credential::of(headers) {
            Ok(credential) => self.authenticate(credential, self.caller(headers, peer)).await,
            Err(fault) => {
                self.shared.metrics.decided(false);
                Err(fault.into())
            }
        }
    }

    /// The answer to a request that is refused, with the challenge of RFC 6750 §3.
    pub fn refuse<B: From<String>>(&self, refusal: &Refusal) -> Response<B> {
        self.shared.settings.challenge.refused(refusal)
    }

    /// What RFC 9728 has this resource server publish, if its audience is a URL.
    pub fn resource_metadata(&self) -> Option<&ResourceMetadata> {
        self.shared.settings.resource_metadata.as_ref()
    }

    /// What was counted so far.
    pub fn metrics(&self) -> Metrics {
        let now = Instant::now();
        self.shared.metrics.read(self.shared.age(now), self.shared.is_stale(now))
    }

    fn caller(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> CallerAddress {
        let policy = &self.shared.settings.addresses;
        let lines = headers.get_all(policy.header.name()).iter().map(HeaderValue::as_bytes);
        peer.map_or(CallerAddress::Unknown, |peer| policy.caller(peer, lines))
    }
}

impl From<CredentialFault> for Refusal {
    fn from(fault: CredentialFault) -> Self {
        match fault {
            CredentialFault::Missing => Self::NoCredential,
            fault => Self::Credential(fault),
        }
    }
}

impl Shared {
    pub(super) fn announce_ready(&self) {
        self.is_ready.send_if_modified(|is_ready| !std::mem::replace(is_ready, true));
    }

    /// Seconds since what is known of revocations was true.
    pub(super) fn age(&self, instant: Instant) -> Option<i64> {
        let Settings { clock, leeway, .. } = &self.settings;
        self.standing.heard()?.age(clock.now(), *leeway, instant)
    }

    /// Whether what was heard is too old.
    pub(super) fn is_stale(&self, instant: Instant) -> bool {
        let heard = self.standing.heard();
        heard.is_some_and(|heard| !self.holds(&heard, self.settings.clock.now(), instant))
    }

    pub(super) fn log_staleness(&self, is_stale: bool, age: Option<i64>) {
        let Settings { issuer, when_stale, .. } = &self.settings;
        match (is_stale, when_stale) {
            (false, _) => tracing::info!(issuer, "the issuer is heard again"),
            (true, WhenStale::Refuse) => {
                tracing::error!(issuer, age, "the issuer is not heard: every credential is refused");
            }
            (true, WhenStale::Accept) => {
                tracing::error!(
                    issuer,
                    age,
                    "the issuer is not heard: revoked tokens are accepted, as configured"
                );
            }
        }
    }

    async fn authenticate(
        &self,
        credential: Credential<'_>,
        caller: CallerAddress,
    ) -> Result<Access, Refusal> {
        match (credential, &self.asked_keys) {
            (Credential::Token(token), _) => self.verify(token, caller).await,
            (Credential::ApiKey(key), Some(asked)) => asked.access(self, key, caller).await,
            (Credential::ApiKey(_), None) => Err(Refusal::NoApiKeys),
        }
    }

    pub(super) async fn verify(&self, token: &str, caller: CallerAddress) -> Result<Access, Refusal> {
        let now = self.settings.clock.now();
        let digest = digest_of(token);
        if let Some(access) = self.remembered.get(&digest) {
            self.metrics.was_remembered();
            return self.admit(access, caller, now).inspect_err(|refusal| {
                if matches!(refusal, Refusal::Revoked | Refusal::Token(_)) {
                    self.remembered.forget(&digest);
                }
            });
        }
        let access = match self.read(token, now) {
            Err(TokenFault::UnknownKey) => self.read_with_new_key(token, now).await?,
            verdict => verdict?,
        };
        let access = self.admit(access, caller, now)?;
        self.remembered.keep(digest, access.clone());
        Ok(access)
    }

    /// Holds a token whose signature is good against what can be otherwise at each use.
    pub(super) fn admit(
        &self,
        access: Access,
        caller: CallerAddress,
        now: Timestamp,
    ) -> Result<Access, Refusal> {
        let claims = access.claims();
        self.rules(now, &[&self.settings.audience]).check(claims)?;
        let heard = self.standing.heard().ok_or(Refusal::Unavailable(Unavailable::NotReady))?;
        if heard.document().revokes(claims, access.kid()) {
            return Err(Refusal::Revoked);
        }
        let is_accepted = self.settings.organizations.has(&claims.organization)
            && self.settings.environments.has(&claims.environment);
        if !is_accepted {
            return Err(Refusal::Tenant);
        }
        if !access.cidrs().admits(caller.known()) {
            return Err(Refusal::Address(caller));
        }
        self.check_staleness(&heard, now)?;
        Ok(access)
    }

    /// Asked last: so it is counted how often it alone decided.
    fn check_staleness(&self, heard: &Heard, now: Timestamp) -> Result<(), Refusal> {
        if self.holds(heard, now, Instant::now()) {
            return Ok(());
        }
        let is_accepted = self.settings.when_stale == WhenStale::Accept;
        self.metrics.stale(is_accepted);
        if is_accepted { Ok(()) } else { Err(Refusal::Unavailable(Unavailable::Stale)) }
    }

    fn holds(&self, heard: &Heard, now: Timestamp, instant: Instant) -> bool {
        heard.holds(now, self.settings.leeway, instant, self.settings.max_stale)
    }

    /// A token whose signature and claims are good.
    fn read(&self, token: &str, now: Timestamp) -> Result<Access, TokenFault> {
        let mut kid = None;
        let key_for = |named: &str| {
            let key = self.keys.get(named)?;
            kid = Some(key.kid().to_owned());
            Some(key)
        };
        let claims = verify_access_token(token, key_for, &self.rules(now, &[&self.settings.audience]))?;
        let (scopes, cidrs) = claims.rights()?;
        let challenge = Arc::clone(&self.settings.challenge);
        Ok(Access::new(claims, scopes, cidrs, kid.unwrap_or_default(), challenge))
    }

    async fn read_with_new_key(&self, token: &str, now: Timestamp) -> Result<Access, Refusal> {
        if !self.keys.are_known() {
            return Err(Refusal::Unavailable(Unavailable::NotReady));
        }
        let unverified = UnverifiedJws::parse(token).map_err(TokenFault::from)?;
        self.keys.look_for(unverified.header().kid(), Asker::Token).await;
        Ok(self.read(token, now)?)
    }

    fn rules<'a>(&'a self, now: Timestamp, audience: &'a [&'a str]) -> Rules<'a> {
        let Settings { issuer, leeway, .. } = &self.settings;
        Rules { issuer, audience: Audience::OneOf(audience), now, leeway: *leeway }
    }
}
