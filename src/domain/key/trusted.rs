//! Trust rules that are registered for a key: whose tokens may open it.

use super::TrustRuleId;
use crate::base::clock::Timestamp;
use crate::domain::trust_rule::TrustRule;

/// A registered trust rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredRule {
    /// The id of the registration.
    pub id: TrustRuleId,
    /// What a token must say.
    pub rule: TrustRule,
    /// When the rule was registered.
    pub created_at: Timestamp,
    /// When a token last opened the key by it, to within the flush interval.
    pub last_used_at: Option<Timestamp>,
}

impl RegisteredRule {
    /// A rule that is not used yet.
    pub fn new(id: TrustRuleId, rule: TrustRule, created_at: Timestamp) -> Self {
        Self { id, rule, created_at, last_used_at: None }
    }
}
