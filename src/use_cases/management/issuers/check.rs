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
    keys: KeysOutcome,
    token: Option<Outcome>,
    rules: Vec<RuleOutcome>,
}

#[derive(Debug, Serialize)]
struct KeysOutcome {
    #[serde(flatten)]
    outcome: Outcome,
    usable: usize,
}

#[derive(Debug, Serialize)]
struct RuleOutcome {
    id: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
struct Outcome {
    ok: bool,
    reason: Option<String>,
}

impl Outcome {
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
    let usable = set.as_ref().map_or(0, |set| set.len());
    let keys = KeysOutcome { outcome: Outcome::of(&set), usable };
    let Some(token) = request.token else { return Ok(IssuerCheck { keys, token: None, rules: Vec::new() }) };
    let rules: Vec<&TrustRule> = held.iter().map(|held| &held.rule).collect();
    let examined = federation.examine(&issuer, &token, &rules, records.clock.now()).await;
    let token = Some(Outcome::of(&examined));
    let judged = held.iter().zip(examined.unwrap_or_default());
    let rules = judged
        .map(|(held, judged)| RuleOutcome { id: held.id.to_string(), outcome: Outcome::of(&judged) })
        .collect();
    Ok(IssuerCheck { keys, token, rules })
}
