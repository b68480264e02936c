//! Invites people, and gives them another link.

use serde::Deserialize;

use super::{InvitationCode, MemberPath, check_role, find, may, may_invite, may_raise, record, sorted};
use crate::base::clock::Timestamp;
use crate::domain::key::{Creator, labels};
use crate::domain::member::{EmailAddress, Member, MemberSource, Role};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::person::MemberId;
use crate::domain::scope::Verb;
use crate::node::{Records, SignInProviders};
use crate::use_cases::access::Caller;
use crate::use_cases::management::idempotency::IdempotencyGuard;
use crate::use_cases::management::{
    ApiError, Conflict, Etag, Idempotent, IdempotentRequest, InvalidRequest, Versioned,
};

/// The body of a request that invites somebody.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a member's members")]
pub struct NewMemberRequest {
    /// The address that the provider has to confirm.
    pub email: EmailAddress,
    /// The name; by default what stands before the @.
    pub name: Option<String>,
    /// What the member may do.
    pub role: Role,
    /// The projects of a developer.
    #[serde(default)]
    pub projects: Vec<ProjectId>,
    /// Where the member signs in; by default at the only provider.
    pub provider: Option<String>,
}

/// An invited member, with the code of the link. This is the only time that the code is visible.
#[derive(Debug)]
pub struct Invited {
    /// The member as it is stored.
    pub member: Member,
    /// The code of the link.
    pub code: InvitationCode,
}

impl Versioned for Invited {
    fn etag(&self) -> Etag {
        self.member.etag()
    }
}

/// Invites somebody into an organization, or into the deployment.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed.
pub async fn invite(
    records: &Records,
    providers: &SignInProviders,
    caller: &Caller,
    organization: Option<OrganizationId>,
    request: NewMemberRequest,
    idempotent: Option<IdempotentRequest>,
) -> Result<Idempotent<Invited>, ApiError> {
    may_invite(caller, organization.as_ref())?;
    let (now, address) = (records.clock.now(), request.email.clone());
    let member = request.into_member(records, providers, caller, organization, now)?;
    may_raise(caller, &member)?;
    let guard = IdempotencyGuard::begin(records, caller, idempotent)?;
    let code = InvitationCode::generate(&records.entropy).map_err(ApiError::internal)?;
    let mut write = records.store.write(now, &caller.actor()).await?;
    let place = member.organization.as_ref();
    if let Some(organization) = place {
        write.organization(organization).await?.ok_or(ApiError::NotFound)?;
    }
    if let Some(answer) = guard.replay(&mut write).await? {
        return Ok(Idempotent::Replayed(answer));
    }
    check_role(&mut write, &member).await?;
    if write.member_at(place, &address).await?.is_some() {
        return Err(Conflict::AlreadyMember.into());
    }
    if write.count_members(place).await? >= Member::MAX_COUNT {
        return Err(Conflict::TooManyMembers.into());
    }
    write.insert_member(&member, Some(&code.digest())).await?;
    record(&mut write, "member.invite", None, Some(&member)).await?;
    guard.save(&mut write, &member.view(now)).await?;
    records.commit(write).await?;
    Ok(Idempotent::New(Invited { member, code }))
}

/// Gives somebody who has not signed in yet another link. The earlier link ends.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] when the member has signed in already.
pub async fn renew(records: &Records, caller: &Caller, path: &MemberPath) -> Result<Invited, ApiError> {
    may(caller, path, Verb::Write)?;
    let code = InvitationCode::generate(&records.entropy).map_err(ApiError::internal)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = find(&mut write, path).await?;
    may_raise(caller, &before)?;
    if before.identity.is_some() {
        return Err(Conflict::InvitationAccepted.into());
    }
    let end = write.at().plus(Member::INVITATION_SECONDS);
    let member = Member { invitation_expires_at: Some(end), ..before.clone() };
    write.renew_invitation(&member.id, &code.digest(), end).await?;
    record(&mut write, "member.invite", Some(&before), Some(&member)).await?;
    records.commit(write).await?;
    Ok(Invited { member, code })
}

impl NewMemberRequest {
    fn into_member(
        self,
        records: &Records,
        providers: &SignInProviders,
        caller: &Caller,
        organization: Option<OrganizationId>,
        now: Timestamp,
    ) -> Result<Member, ApiError> {
        let provider = match self.provider {
            Some(provider) if providers.has(&provider) => provider,
            Some(_) => return Err(InvalidRequest::NoSuchProvider.into()),
            None => providers.only().ok_or(InvalidRequest::ProviderNeeded)?.to_owned(),
        };
        if let Some(domains) = providers.domains_without(&provider, &self.email) {
            return Err(InvalidRequest::AddressOutside { provider, domains: domains.join(", ") }.into());
        }
        let name = self.name.unwrap_or_else(|| self.email.local_part().to_owned());
        Ok(Member {
            id: MemberId::generate(&records.entropy).map_err(ApiError::internal)?,
            created_by: match &organization {
                Some(organization) => caller.as_creator(organization),
                // The deployment's members know each other.
                None => Creator { id: caller.id().internal(), name: Some(caller.name().to_owned()) },
            },
            organization,
            provider,
            identity: None,
            email: self.email.to_string(),
            name: labels::name(name).map_err(InvalidRequest::Name)?,
            role: self.role,
            projects: sorted(self.projects),
            generation: 0,
            source: MemberSource::Invitation,
            created_at: now,
            last_seen_at: None,
            removed_at: None,
            invitation_expires_at: Some(now.plus(Member::INVITATION_SECONDS)),
        })
    }
}
