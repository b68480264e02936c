//! Finds out which member somebody is who signed in at an OpenID provider.

mod groups;
mod refusals;

pub use groups::{NotJoined, follow_groups};
pub use refusals::record_refusal;

use crate::domain::address::Origin;
use crate::domain::audit::AuditEvent;
use crate::domain::key::labels;
use crate::domain::member::{Member, ProviderIdentity};
use crate::jose::foreign::GroupsFault;
use crate::node::{Node, Person, ProviderSettings};
use crate::store::{ChangeKind, StoreError};
use crate::use_cases::access::Caller;
use crate::use_cases::management::members::InvitationCode;

/// The issuer of Google, which names the domain of an account that a company administers in `hd`. Anybody can have
/// another account there under a company's address.
const GOOGLE: &str = "https://accounts.google.com";

/// Why somebody whom a provider knows is not let in. The text is for them, and says nothing about anybody else.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefusal {
    /// They are no member.
    #[error("You signed in, but you are not a member here. Ask an administrator for an invitation.")]
    NotAMember,
    /// The invitation was used, replaced or withdrawn, or is too old.
    #[error(
        "This invitation is not valid. It may have been used or replaced, or it is more than seven days old."
    )]
    Invitation,
    /// The invitation is for an account at another provider.
    #[error("This invitation is for an account at another provider.")]
    OtherProvider,
    /// The provider doesn't say that the address is verified.
    #[error(
        "Your provider does not say that your e-mail address is verified, so it cannot prove that you were invited."
    )]
    Unverified,
    /// The invitation is for another address.
    #[error(
        "This invitation is for another e-mail address than that of the account with which you signed in."
    )]
    OtherAddress,
    /// The account is outside the domains or tenants of the settings.
    #[error("Accounts of this domain cannot accept invitations here.")]
    Outside,
    /// They are a member of the same place already.
    #[error("You are a member here already. Sign in without the invitation.")]
    AlreadyMember,
    /// The groups give them a membership, but somebody removed them.
    #[error(
        "You were removed from here, and your groups at the provider do not bring you back. Ask an administrator for an invitation."
    )]
    Removed,
    /// The groups give them a membership, but there are as many members as there may be.
    #[error("There is no room for another member here. Ask an administrator.")]
    Full,
    /// The provider does not say which groups they are in.
    #[error("{}", groups_in_words(*.0))]
    Groups(GroupsFault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This server failed. The text is for the log.
    #[error("{0}")]
    Internal(String),
}

fn groups_in_words(fault: GroupsFault) -> &'static str {
    match fault {
        GroupsFault::LeftOut => {
            "You are in so many groups that your provider did not say in which. Nothing was changed. Ask an administrator to let \
             the provider send only the groups that matter here."
        }
        GroupsFault::Form => {
            "Your provider lists your groups in a form that is not accepted here. Nothing was changed. Ask an administrator."
        }
    }
}

/// The digest under which the store has an invitation. `None` for a text that can't be a code.
pub fn invitation_digest(code: &str) -> Option<String> {
    code.parse::<InvitationCode>().ok().map(|code| code.digest())
}

/// The open invitation whose code has this digest, and who is invited.
///
/// # Errors
/// [`SignInRefusal::Invitation`], or the store's error.
pub async fn invited(node: &Node, digest: &str) -> Result<Member, SignInRefusal> {
    let invited = node.records.store.invited_member(digest).await?;
    let now = node.clock.now();
    let is_open = |member: &Member| member.invitation_expires_at.is_some_and(|end| now < end);
    invited.filter(is_open).ok_or(SignInRefusal::Invitation)
}

/// Makes an invited person the member that the invitation is for. From then on, the member is the person whom the provider
/// knows by `iss` and `sub`, and no address matters.
///
/// # Errors
/// [`SignInRefusal`]. Then nothing has changed.
pub async fn accept(
    node: &Node,
    provider: &ProviderSettings,
    person: &Person,
    digest: &str,
    origin: Origin<'_>,
) -> Result<Member, SignInRefusal> {
    if let Err(fault) = &person.groups {
        return Err(SignInRefusal::Groups(*fault));
    }
    let invitation = invited(node, digest).await?;
    let now = node.clock.now();
    let actor = Caller::member(invitation.clone(), origin).actor();
    let mut write = node.records.store.write(now, &actor).await?;
    let before = write.invited_member(digest).await?.ok_or(SignInRefusal::Invitation)?;
    check(provider, person, &before)?;
    let known = write.memberships(&person.identity).await?;
    if known.iter().any(|member| member.organization == before.organization) {
        return Err(SignInRefusal::AlreadyMember);
    }
    let named = person.name.clone().and_then(|name| labels::name(name).ok());
    let name = named.unwrap_or_else(|| before.name.clone());
    if !write.accept_invitation(digest, &person.identity, &name).await? {
        return Err(SignInRefusal::Invitation);
    }
    let after = write.member(before.organization.as_ref(), &before.id).await?;
    let after = after.ok_or(SignInRefusal::Invitation)?;
    let event = AuditEvent {
        action: "member.accept",
        organization: after.organization.clone(),
        key: None,
        subject: Caller::member(after.clone(), origin).id().to_string(),
        before: Some(before.recorded(now)),
        after: Some(after.recorded(now)),
    };
    write.record(ChangeKind::Member, event).await?;
    node.records.commit(write).await?;
    Ok(after)
}

/// The memberships of somebody who signed in at the provider with this name, the one that was used last first.
///
/// # Errors
/// [`SignInRefusal::NotAMember`], or what `not_joined` says; or the store's error.
pub async fn memberships(
    node: &Node,
    provider: &str,
    identity: &ProviderIdentity,
    not_joined: NotJoined,
) -> Result<Vec<Member>, SignInRefusal> {
    let mut known = node.records.store.memberships(identity).await?;
    known.retain(|member| member.is_active() && member.provider == provider);
    known.sort_by_key(|member| std::cmp::Reverse((member.last_seen_at, member.created_at)));
    match not_joined {
        _ if !known.is_empty() => Ok(known),
        NotJoined { was_removed: true, .. } => Err(SignInRefusal::Removed),
        NotJoined { is_full: true, .. } => Err(SignInRefusal::Full),
        NotJoined { .. } => Err(SignInRefusal::NotAMember),
    }
}

/// Whether this person may accept the invitation.
fn check(provider: &ProviderSettings, person: &Person, invited: &Member) -> Result<(), SignInRefusal> {
    if invited.provider != provider.name {
        return Err(SignInRefusal::OtherProvider);
    }
    let email = person.verified_email.as_deref().ok_or(SignInRefusal::Unverified)?;
    if !email.eq_ignore_ascii_case(&invited.email) {
        return Err(SignInRefusal::OtherAddress);
    }
    if is_within(provider, person, email) { Ok(()) } else { Err(SignInRefusal::Outside) }
}

fn is_within(provider: &ProviderSettings, person: &Person, email: &str) -> bool {
    let is_listed =
        |domain: &str| provider.allowed_domains.iter().any(|known| known.eq_ignore_ascii_case(domain));
    let is_of_domain = provider.allowed_domains.is_empty() || {
        let hosted = match person.hosted_domain.as_deref() {
            Some(domain) => is_listed(domain),
            None => provider.issuer.as_str() != GOOGLE,
        };
        hosted && email.rsplit_once('@').is_some_and(|(_, domain)| is_listed(domain))
    };
    let is_of_tenant = provider.allowed_tenants.is_empty()
        || person.tenant.as_ref().is_some_and(|tenant| provider.allowed_tenants.contains(tenant));
    is_of_domain && is_of_tenant
}
