//! Brings the public keys and the trust rules of a key to a wanted state, whatever they are now.

use serde_json::Value;

use super::{action, public_keys, trust_rules, update_all};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::domain::api_key::KeyId;
use crate::domain::key::{ApiKey, CredentialId, RegisteredKey};
use crate::domain::trust_rule::TrustRule;
use crate::jose::foreign::{Algorithm, Jwk};
use crate::store::{CredentialRow, Write};
use crate::use_cases::management::{ApiError, Conflict, InvalidRequest};

/// The public keys and the trust rules that a key is to have, each no more than once. Those that are `None` stay.
#[derive(Debug)]
pub(in crate::use_cases::management) struct WantedWaysIn {
    public_keys: Option<Vec<Jwk>>,
    trust_rules: Option<Vec<TrustRule>>,
}

impl WantedWaysIn {
    /// Reads the public keys as JWKs (RFC 7517).
    pub(in crate::use_cases::management) fn read(
        public_keys: Option<&[Value]>,
        trust_rules: Option<&[TrustRule]>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            public_keys: public_keys.map(jwks).transpose()?,
            trust_rules: trust_rules.map(rules).transpose()?,
        })
    }

    /// `altered`, the next state of `before`, with these ways in. What the key has already stays as it is, with its id and
    /// its last use. A key that loses one loses its tokens, too: some may have been issued for it.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for a new public key of an algorithm that is not `accepted`. [`ApiError::Conflict`]
    /// when nothing would be left that works at `now`.
    pub(in crate::use_cases::management) fn of(
        self,
        before: &ApiKey,
        altered: ApiKey,
        accepted: &[Algorithm],
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<ApiKey, ApiError> {
        let mut after = altered;
        if let Some(wanted) = self.public_keys {
            let held = std::mem::take(&mut after.public_keys);
            let jwk = |held: &RegisteredKey| Jwk::parse(held.jwk.as_bytes()).ok();
            let (kept, new) = divided(held, wanted, |held, wanted| jwk(held).as_ref() == Some(wanted));
            after.public_keys = kept;
            for jwk in &new {
                after.public_keys.push(public_keys::new(jwk, accepted, entropy, now)?);
            }
        }
        if let Some(wanted) = self.trust_rules {
            let held = std::mem::take(&mut after.trust_rules);
            let (kept, new) = divided(held, wanted, |held, wanted| held.rule == *wanted);
            after.trust_rules = kept;
            for rule in new {
                after.trust_rules.push(trust_rules::new(rule, entropy, now)?);
            }
        }
        if ids(before).any(|id| lacks(&after)(&id)) {
            after.generation = before.generation + 1;
            if after.live_credentials(now) == 0 {
                return Err(Conflict::LastCredential.into());
            }
        }
        Ok(after)
    }
}

/// Divides into what is held and wanted, and what is wanted only.
fn divided<H, W>(held: Vec<H>, mut wanted: Vec<W>, is: impl Fn(&H, &W) -> bool) -> (Vec<H>, Vec<W>) {
    let mut kept = held;
    kept.retain(|held| {
        let place = wanted.iter().position(|wanted| is(held, wanted));
        place.map(|place| wanted.remove(place)).is_some()
    });
    (kept, wanted)
}

fn jwks(listed: &[Value]) -> Result<Vec<Jwk>, InvalidRequest> {
    if listed.len() > ApiKey::MAX_PUBLIC_KEYS {
        return Err(InvalidRequest::TooManyPublicKeys(ApiKey::MAX_PUBLIC_KEYS));
    }
    let mut read: Vec<Jwk> = Vec::new();
    for jwk in listed {
        let jwk = Jwk::parse(jwk.to_string().as_bytes()).map_err(InvalidRequest::PublicKey)?;
        if read.iter().any(|other| other.kid() == jwk.kid() || other.thumbprint() == jwk.thumbprint()) {
            return Err(InvalidRequest::SamePublicKeyTwice);
        }
        read.push(jwk);
    }
    Ok(read)
}

fn rules(listed: &[TrustRule]) -> Result<Vec<TrustRule>, InvalidRequest> {
    if listed.len() > ApiKey::MAX_TRUST_RULES {
        return Err(InvalidRequest::TooManyTrustRules(ApiKey::MAX_TRUST_RULES));
    }
    let is_repeated = |(place, rule): (usize, &TrustRule)| listed[..place].contains(rule);
    match listed.iter().enumerate().any(is_repeated) {
        true => Err(InvalidRequest::SameTrustRuleTwice),
        false => Ok(listed.to_vec()),
    }
}

/// Stores changed keys together with their public keys and trust rules. The audit trail has one event for each kind of
/// change to a key, as if it had been a request of its own.
pub(in crate::use_cases::management) async fn update_whole(
    write: &mut Write,
    changed: &[(&ApiKey, &ApiKey)],
) -> Result<(), ApiError> {
    let gone: Vec<_> = changed.iter().flat_map(|(before, after)| ids(before).filter(lacks(after))).collect();
    write.retire_credentials(&gone).await?;
    let new: Vec<_> = changed.iter().flat_map(|(before, after)| new_rows(before, after)).collect();
    write.insert_credentials(&new).await?;
    let steps: Vec<Step> = changed.iter().flat_map(|(before, after)| steps(before, after)).collect();
    for action in ACTIONS {
        let of_action = steps.iter().filter(|step| step.action == action);
        let of_action: Vec<_> = of_action.map(|step| (&step.before, &step.after)).collect();
        update_all(write, action, &of_action).await?;
    }
    Ok(())
}

fn ids(key: &ApiKey) -> impl Iterator<Item = CredentialId> {
    let public_keys = key.public_keys.iter().map(|held| held.id.into());
    public_keys.chain(key.trust_rules.iter().map(|held| held.id.into()))
}

fn lacks(key: &ApiKey) -> impl Fn(&CredentialId) -> bool {
    move |id| !ids(key).any(|held| held == *id)
}

fn new_rows<'k>(before: &ApiKey, after: &'k ApiKey) -> Vec<(KeyId, CredentialRow<'k>)> {
    let is_new = lacks(before);
    let public_keys =
        after.public_keys.iter().filter(|held| is_new(&held.id.into())).map(CredentialRow::from);
    let rules = after.trust_rules.iter().filter(|held| is_new(&held.id.into())).map(CredentialRow::from);
    public_keys.chain(rules).map(|row| (after.id, row)).collect()
}

/// A change of one kind to a key.
struct Step {
    action: &'static str,
    before: ApiKey,
    after: ApiKey,
}

/// The kinds of changes, in the order in which they happen to a key.
const ACTIONS: [&str; 7] = [
    "key.change",
    "key.disable",
    "key.enable",
    "public_key.remove",
    "trust_rule.remove",
    "public_key.register",
    "trust_rule.register",
];

/// The steps from one state of a key to another. The first that takes something away raises the generation.
fn steps(before: &ApiKey, after: &ApiKey) -> Vec<Step> {
    let (public_keys, trust_rules) = (before.public_keys.clone(), before.trust_rules.clone());
    let changed = ApiKey { public_keys, trust_rules, ..after.clone() }.following(before);
    let generation = after.generation;
    let public_keys = common(&before.public_keys, &after.public_keys);
    let without_keys = match public_keys == before.public_keys {
        true => changed.clone(),
        false => ApiKey { public_keys, generation, ..changed.clone() },
    };
    let trust_rules = common(&before.trust_rules, &after.trust_rules);
    let without_rules = match trust_rules == before.trust_rules {
        true => without_keys.clone(),
        false => ApiKey { trust_rules, generation, ..without_keys.clone() },
    };
    let with_keys = ApiKey { public_keys: after.public_keys.clone(), ..without_rules.clone() };
    let states = [
        (action(before, after), changed),
        ("public_key.remove", without_keys),
        ("trust_rule.remove", without_rules),
        ("public_key.register", with_keys),
        ("trust_rule.register", after.clone()),
    ];
    let mut steps = Vec::new();
    let mut present = before;
    for (action, next) in &states {
        if !next.is_as(present) || !next.has_ways_in_of(present) {
            steps.push(Step { action, before: present.clone(), after: next.clone() });
            present = next;
        }
    }
    steps
}

/// What is in both lists.
fn common<T: Clone + PartialEq>(one: &[T], other: &[T]) -> Vec<T> {
    one.iter().filter(|item| other.contains(item)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::{Creator, PublicKeyId};

    const NOW: Timestamp = Timestamp::from_unix(1_000_000);

    fn of(wanted: WantedWaysIn, before: &ApiKey, altered: ApiKey) -> Result<ApiKey, ApiError> {
        wanted.of(before, altered, &[], &Entropy::system(), NOW)
    }

    fn key(rules: &[TrustRule]) -> ApiKey {
        let home = ("acme".parse().unwrap(), "web".parse().unwrap(), "prd".parse().unwrap());
        let id = "key_0000000000000000".parse().unwrap();
        let bare = ApiKey::new(id, home, "clv".parse().unwrap(), Creator::unnamed("bootstrap"), NOW);
        of(of_rules(rules), &bare, bare.clone()).unwrap()
    }

    fn rule(subject: &str) -> TrustRule {
        TrustRule::new("gh".parse().unwrap(), None, Some(subject.into()), Vec::new()).unwrap()
    }

    fn of_rules(rules: &[TrustRule]) -> WantedWaysIn {
        WantedWaysIn::read(None, Some(rules)).unwrap()
    }

    fn told(before: &ApiKey, after: &ApiKey) -> Vec<(&'static str, u64)> {
        steps(before, after).iter().map(|step| (step.action, step.after.generation)).collect()
    }

    #[test]
    fn what_is_wanted_and_held_stays_as_it_is() {
        let before = key(&[rule("a"), rule("b")]);
        let after = of(of_rules(&[rule("c"), rule("b")]), &before, before.clone()).unwrap();
        assert_eq!(after.trust_rules[0], before.trust_rules[1]);
        assert_eq!(after.trust_rules[1].rule, rule("c"));
        assert_eq!(told(&before, &after), [("trust_rule.remove", 2), ("trust_rule.register", 2)]);
        let same = of(of_rules(&[rule("b"), rule("c")]), &after, after.clone()).unwrap();
        assert_eq!((same.generation, told(&after, &same)), (2, Vec::new()));
    }

    #[test]
    fn a_generation_is_raised_once_however_much_is_lost() {
        let id = PublicKeyId::generate(&Entropy::system()).unwrap();
        let held = RegisteredKey::new(id, r#"{"kid":"1","alg":"ES256"}"#.into(), NOW).unwrap();
        let before = ApiKey { public_keys: vec![held], ..key(&[rule("a"), rule("b")]) };
        let disabled = before.clone().disable(NOW).following(&before);
        let wanted = WantedWaysIn::read(Some(&[]), Some(&[rule("b")])).unwrap();
        let after = of(wanted, &before, disabled).unwrap();
        let expected = [("key.disable", 2), ("public_key.remove", 2), ("trust_rule.remove", 2)];
        assert_eq!(told(&before, &after), expected);
        let refused = of(of_rules(&[]), &after, after.clone()).unwrap_err();
        assert_eq!(refused, Conflict::LastCredential.into());
    }
}
