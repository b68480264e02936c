//! Tells an administrator whether an issuer's keys can be had, and what is wrong with a token.

use serde::{Deserialize, Serialize};

use super::{IssuerPath, read};
use crate::domain::api_key::KeyId;
use crate::domain::scope::Verb;
use crate::domain::trust_rule::TrustRule;
use crate::node::{Federation, Records};
use crate::use_cases::access::Caller;
use crate::use_cases::management::ApiError;
use crate::use_cases::management::keys::{self, KeyPath};

/// The body of a request to check an issuer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with token and key, or neither")]
pub struct IssuerCheckRequest {
    token: Option<String>,
    key: Option<KeyId>,
}

/// What a check found. All reasons are fixed texts.
#[derive(Debug, Serialize)]
pub struct IssuerCheck {
    /// Whether the issuer's keys can be had.
    pub keys: KeysOutcome,
    /// Whether the token is valid. `None` if the request had none.
    pub token: Option<CheckOutcome>,
    /// The rules of the key for this issuer, if the token is valid.
    pub rules: Vec<RuleOutcome>,
}

/// Whether an issuer's keys can be had.
#[derive(Debug, Serialize)]
pub struct KeysOutcome {
    /// Whether they can.
    #[serde(flatten)]
    pub outcome: CheckOutcome,
    /// The number of keys for the issuer's algorithms.
    pub usable: usize,
}

/// Whether a token fulfils a rule.
#[derive(Debug, Serialize)]
pub struct RuleOutcome {
    /// The id of the rule.
    pub id: String,
    /// Whether it does.
    #[serde(flatten)]
    pub outcome: CheckOutcome,
}

/// The outcome of one check.
#[derive(Debug, Serialize)]
pub struct CheckOutcome {
    /// Whether all is well.
    pub ok: bool,
    /// What is not.
    pub reason: Option<String>,
}

impl IssuerCheck {
    /// Whether the request had a token, and it is valid.
    pub fn token_is_good(&self) -> bool {
        self.token.as_ref().is_some_and(|token| token.ok)
    }
}

impl CheckOutcome {
    fn of<T>(result: &Result<T, impl ToString>) -> Self {
        Self { ok: result.is_ok(), reason: result.as_ref().err().map(ToString::to_string) }
    }
}

/// Fetches the keys of an issuer, unless that was done a moment ago, and examines a token and the rules of a key.
///
/// # Errors
/// [`ApiError`].
pub async fn check(
    records: &Records,
    federation: &Federation,
    caller: &Caller,
    path: &IssuerPath,
    request: IssuerCheckRequest,
) -> Result<IssuerCheck, ApiError> {
    let issuer = read(records, caller, path).await?;
    let key = match request.key {
        Some(key) => {
            let path = KeyPath { organization: path.organization.clone(), key };
            Some(keys::find(records, caller, &path, Verb::Read).await?)
        }
        None => None,
    };
    let held: Vec<_> = key.iter().flat_map(|key| &key.trust_rules).collect();
    let held: Vec<_> = held.into_iter().filter(|held| *held.rule.issuer() == issuer.id).collect();
    let set = federation.issuer_keys.look(&issuer).await;
    let usable = set.as_ref().map_or(0, |set| set.keys().len());
    let keys = KeysOutcome { outcome: CheckOutcome::of(&set), usable };
    let Some(token) = request.token else { return Ok(IssuerCheck { keys, token: None, rules: Vec::new() }) };
    let rules: Vec<&TrustRule> = held.iter().map(|held| &held.rule).collect();
    let examined = federation.examine(&issuer, &token, &rules, records.clock.now()).await;
    let token = Some(CheckOutcome::of(&examined));
    let judged = held.iter().zip(examined.unwrap_or_default());
    let rules = judged
        .map(|(held, judged)| RuleOutcome { id: held.id.to_string(), outcome: CheckOutcome::of(&judged) })
        .collect();
    Ok(IssuerCheck { keys, token, rules })
}
