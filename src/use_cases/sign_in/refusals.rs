//! Records who was not let in.

use serde_json::json;

use super::SignInRefusal;
use super::groups::actor;
use crate::domain::address::Origin;
use crate::domain::audit::AuditEvent;
use crate::domain::sign_in_refusal::SignInRefusalReason;
use crate::jose::foreign::GroupsFault;
use crate::node::{Node, ProviderSettings};

impl SignInRefusal {
    /// Why somebody was refused. `None` if this server failed.
    pub fn reason(&self) -> Option<SignInRefusalReason> {
        Some(match self {
            Self::NotAMember => SignInRefusalReason::NotAMember,
            Self::Invitation => SignInRefusalReason::Invitation,
            Self::OtherProvider => SignInRefusalReason::OtherProvider,
            Self::Unverified => SignInRefusalReason::Unverified,
            Self::OtherAddress => SignInRefusalReason::OtherAddress,
            Self::Outside => SignInRefusalReason::Outside,
            Self::AlreadyMember => SignInRefusalReason::AlreadyMember,
            Self::Removed => SignInRefusalReason::Removed,
            Self::Full => SignInRefusalReason::Full,
            Self::Groups(GroupsFault::LeftOut) => SignInRefusalReason::GroupsLeftOut,
            Self::Groups(GroupsFault::Form) => SignInRefusalReason::GroupsForm,
            Self::Store(_) | Self::Internal(_) => return None,
        })
    }
}

/// Counts that somebody whom a provider vouched for was not let in, and records it in the trail of the organization that the
/// invitation is for, or else in that of the deployment. The trail learns the reason and the provider, and nothing about the
/// person. Anybody can cause this, so the events are bounded, and the next flush writes them.
pub async fn record_refusal(
    node: &Node,
    provider: &ProviderSettings,
    invitation: Option<&str>,
    refusal: &SignInRefusal,
    origin: Origin<'_>,
) {
    let Some(reason) = refusal.reason().map(SignInRefusalReason::as_str) else { return };
    node.events.sign_in_refusal(reason);
    let (log, now) = (&node.usage.refusals, node.clock.now());
    let same = [reason, provider.name.as_str(), invitation.unwrap_or_default()];
    if !log.admits_sign_in(&same, origin.address, now) {
        return;
    }
    let invited = match invitation {
        // It may have ended. Without the store, the deployment's trail has the refusal.
        Some(digest) => node.records.store.invited_member(digest).await.ok().flatten(),
        None => None,
    };
    let organization = invited.as_ref().and_then(|invited| invited.organization.clone());
    let Ok(actor) = actor(provider, organization.clone(), origin) else { return };
    let event = AuditEvent {
        action: "member.refuse",
        organization,
        key: None,
        subject: invited.map_or_else(|| actor.who.to_string(), |invited| invited.id.to_string()),
        before: None,
        after: Some(json!({ "reason": reason, "provider": provider.name })),
    };
    log.refused_sign_in(actor, event, now);
}
