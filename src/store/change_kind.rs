//! What kinds of things change, and their names in the store.

/// What kind of thing a mutation changed. Nodes use it to find the copies in memory that are outdated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// An API key or one of its secrets. The subject is the key's id.
    Key,
    /// A token was revoked. The subject is its `jti`.
    Token,
    /// The signing keys. The subject is the kid.
    SigningKey,
    /// An organization. The subject is its id.
    Organization,
    /// A project. The subject is `organization/project`.
    Project,
    /// The store was created.
    Bootstrap,
    /// The store was created or replaced from a backup. The subject is the new epoch.
    Restore,
    /// Nothing changed: a request was refused, and the refusal is recorded.
    Refusal,
    /// Somebody signed in to the console or signed out. The subject is the id of the key or
    /// member.
    ConsoleSession,
    /// A master key took over, or the tags of a replaced one ended. The subject is its number.
    MasterKey,
    /// The issuer or the brand. Running nodes keep the old value until they restart.
    Deployment,
    /// A trusted issuer. The subject is `organization/issuer`.
    TrustedIssuer,
    /// A scope of a catalogue. The subject is `organization/scope`, or the scope's id for the deployment's.
    NamedScope,
    /// A member of an organization or of the deployment. The subject is the member's id.
    Member,
    /// A session of the customers' portal was made, opened or ended. The subject is its user.
    PortalSession,
}

impl ChangeKind {
    const ALL: [Self; 15] = [
        Self::Key,
        Self::Token,
        Self::SigningKey,
        Self::Organization,
        Self::Project,
        Self::Bootstrap,
        Self::Restore,
        Self::Refusal,
        Self::ConsoleSession,
        Self::MasterKey,
        Self::Deployment,
        Self::TrustedIssuer,
        Self::NamedScope,
        Self::Member,
        Self::PortalSession,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
            Self::SigningKey => "signing_key",
            Self::Organization => "organization",
            Self::Project => "project",
            Self::Bootstrap => "bootstrap",
            Self::Restore => "restore",
            Self::Refusal => "refusal",
            Self::ConsoleSession => "console_session",
            Self::MasterKey => "master_key",
            Self::Deployment => "deployment",
            Self::TrustedIssuer => "trusted_issuer",
            Self::NamedScope => "named_scope",
            Self::Member => "member",
            Self::PortalSession => "portal_session",
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
