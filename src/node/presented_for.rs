//! What a credential of a key is presented for.

use super::Authenticated;
use crate::domain::refusal_reason::RefusalReason;

/// What a credential of a key is presented for. Each judgement of a credential takes one, so that no endpoint can accept a
/// key by itself where the key works only by way of bound tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentedFor {
    /// To get a token. A key that requires a proof of possession then needs one, which is checked for the token.
    Token,
    /// To revoke tokens. This works without a proof, because it only takes away.
    Revocation,
    /// To act as the key at once. Nothing binds the credential itself (RFC 9449 binds tokens), so that a key that requires
    /// proofs can't do this.
    Acting,
}

impl Authenticated {
    /// Why the credential can't be used for this, if it can't.
    pub(super) fn unfit_for(&self, presented_for: PresentedFor) -> Option<RefusalReason> {
        let acts_unproven = presented_for == PresentedFor::Acting && self.cached.key.dpop.is_required();
        acts_unproven.then_some(RefusalReason::Proof)
    }
}
