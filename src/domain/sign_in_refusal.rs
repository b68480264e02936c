//! The reasons for refusing people whom an OpenID provider vouches for.

/// Why somebody who signed in at a provider is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignInRefusalReason {
    /// They are no member.
    NotAMember,
    /// The invitation was used, replaced or withdrawn, or is too old.
    Invitation,
    /// The invitation is for an account at another provider.
    OtherProvider,
    /// The provider has not verified the address.
    Unverified,
    /// The invitation is for another address.
    OtherAddress,
    /// The account is outside the domains or tenants of the settings.
    Outside,
    /// They are a member of the same place already.
    AlreadyMember,
    /// Somebody removed them, and a group does not bring them back.
    Removed,
    /// The place has as many members as it may.
    Full,
    /// The provider left the groups out.
    GroupsLeftOut,
    /// The claim with the groups has a form that is not accepted.
    GroupsForm,
}

impl SignInRefusalReason {
    /// The reason as text, such as `not_a_member`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAMember => "not_a_member",
            Self::Invitation => "invitation",
            Self::OtherProvider => "other_provider",
            Self::Unverified => "unverified",
            Self::OtherAddress => "other_address",
            Self::Outside => "outside",
            Self::AlreadyMember => "already_member",
            Self::Removed => "removed",
            Self::Full => "full",
            Self::GroupsLeftOut => "groups_left_out",
            Self::GroupsForm => "groups_form",
        }
    }
}
