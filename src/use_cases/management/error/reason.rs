//! The reasons for which the management API refuses a request. `text.rs` has the message of each.

use crate::base::clock::Timestamp;
use crate::base::text::Excerpt;
use crate::domain::api_key::{EnvironmentSlug, EnvironmentSlugError, KeyClueError, KeyId, KeyIdError};
use crate::domain::audiences::AudiencesError;
use crate::domain::audit::{self, WhoError};
use crate::domain::cidr::CidrError;
use crate::domain::credential::CredentialFault;
use crate::domain::entity_tag::NotEntityTags;
use crate::domain::key::labels::LabelError;
use crate::domain::key::{OwnerError, TagsError};
use crate::domain::names::{NameError, NamedScopeId, OrganizationId};
use crate::domain::scope::{self, ScopeError};
use crate::domain::tenant::EnvironmentsError;
use crate::domain::trust_rule::RuleFault;
use crate::domain::usage::{CalendarError, IntervalError, PeriodError};
use crate::domain::web_url::WebUrlError;
use crate::jose::foreign::{self, ForeignJwkFault, JwkSetFault, PublicPemFault};
use crate::jose::jwk::Algorithm;
use crate::node::cursor::CursorError;
use crate::store::KeyOrderError;

/// Why a request is malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidRequest {
    /// The same, in this part of the request.
    At(Place, Box<InvalidRequest>),

    /// The query is not percent-encoded UTF-8, or contains a NUL.
    QueryEncoding,
    /// A query parameter is unknown. The operation has only these.
    UnknownParameter(Vec<String>),
    /// The operation has no query parameters.
    NoParameters,
    /// This query parameter appears twice.
    ParameterTwice(String),
    /// This query parameter is neither `true` nor `false`.
    NotAFlag(&'static str),
    /// `limit` is not between 1 and this number.
    Limit(u16),
    /// A value has the wrong form.
    Value(ParameterError),
    /// This member is not an RFC 3339 time.
    NotAMoment(&'static str),
    /// The text is not a day.
    NotADay,
    /// The cursor belongs to another list, or is not a cursor.
    Cursor(CursorError),
    /// `status` names no status.
    Status,
    /// `prefix` is missing.
    NoPrefix,
    /// `format` names no format.
    Format,
    /// Only CSV can have a byte order mark.
    MarkWithoutCsv,
    /// An export has no pages.
    PageOfExport,

    /// `If-Match` does not parse.
    IfMatch(NotEntityTags),
    /// There are two `Idempotency-Key` headers.
    IdempotencyKeyTwice,
    /// `Idempotency-Key` does not have 1 to this many visible characters.
    IdempotencyKey(usize),
    /// The request has more than one credential.
    Credential(CredentialFault),

    /// The client disconnected before the end of the body.
    IncompleteBody,
    /// The body is declared to be in another charset than UTF-8.
    Charset,
    /// The body is not a JSON object.
    NotAnObject,
    /// The JSON of the body has the wrong members. The value is the parser's message, without the request's values.
    Body(String),

    /// `check` names no check.
    Check,
    /// A check of the credential alone can't name an action.
    CheckWithAction,
    /// Only one of `action` and `resource` is present.
    ActionWithoutResource,
    /// The request has both pairs of gateway headers.
    BothOriginals,
    /// The request to the gate names no action in any way.
    NoGateRequirement,
    /// This header is missing.
    HeaderMissing(&'static str),
    /// This header is not ASCII.
    HeaderNotAscii(&'static str),
    /// This header appears twice.
    HeaderTwice(&'static str),
    /// `token` is neither 1 nor 0.
    WantsToken,
    /// The deployment does not have this audience.
    UnknownAudience(Excerpt),

    /// The name is not valid.
    Name(LabelError),
    /// The note is not valid.
    Note(LabelError),
    /// The reason is not valid.
    Reason(LabelError),
    /// The description or the group of a named scope is not valid.
    ScopeLabel(LabelError),
    /// The scopes are not valid.
    Scopes(ScopeError),
    /// The scopes that this key would have are not valid.
    ScopesOf(KeyId, ScopeError),
    /// The request has both scopes and a preset, or neither.
    ScopesOrPreset,
    /// The network ranges are not valid.
    Cidrs(CidrError),
    /// The request has both `expires_at` and `expires_in`.
    ExpiryTwice,
    /// `expires_in` is not a time span.
    ExpiresIn,
    /// The key would have expired already.
    ExpiresInThePast,
    /// The key would expire after the last moment that RFC 3339 can write.
    ExpiresTooLate,
    /// A public key is neither a JWK nor PEM, or both.
    JwkOrPem,
    /// The JWK is no usable public key.
    PublicKey(ForeignJwkFault),
    /// The PEM contains no usable public key.
    PublicKeyPem(PublicPemFault),
    /// `alg` beside PEM is no algorithm.
    UnknownAlgorithm,
    /// The public key is for an algorithm that this deployment does not accept.
    PublicKeyAlgorithm(foreign::Algorithm),
    /// A key would have more than this many public keys.
    TooManyPublicKeys(usize),
    /// A key would have the same public key, or the same `kid`, twice.
    SamePublicKeyTwice,
    /// A new key would have neither a secret nor a public key.
    NoCredential,
    /// The project does not exist.
    NoSuchProject,
    /// The project does not have the environment of the key. The value lists those that it has.
    NoSuchEnvironment(String),
    /// `overlap_seconds` is not between 0 and this number.
    Overlap(i64),
    /// This search parameter has more than this many characters, or contains a NUL.
    SearchText(&'static str, usize),
    /// A change of many keys has both replacement scopes and scopes to add or remove, or neither.
    ScopesOrChanges,
    /// The filter of a change of many keys is empty.
    EmptyFilter,
    /// The text to search for is empty.
    EmptySearch,
    /// The filter selects more than this many keys.
    TooManySelected(u16),

    /// The audiences are not valid.
    Audiences(AudiencesError),
    /// The environments are not valid.
    Environments(EnvironmentsError),
    /// Usage is not available for this period.
    Period(PeriodError),

    /// A configuration does not name its organization.
    NoOrganization,
    /// `prune_all` is set without `prune`.
    PruneAllWithoutPrune,
    /// The configuration is for this other organization.
    OtherOrganization(OrganizationId),
    /// An earlier entry of the configuration is for the same key.
    SameKeyTwice,
    /// An earlier entry of the configuration is for the same trusted issuer.
    SameIssuerTwice,
    /// An earlier entry of the configuration is for the same named scope.
    SameNamedScopeTwice,

    /// The URL of an issuer is not valid.
    IssuerUrl(WebUrlError),
    /// An issuer or its keys are at a plain http URL, which the settings don't allow.
    IssuerHttp,
    /// The issuer is this server.
    OwnIssuer,
    /// `max_lifetime` is not within its range.
    IssuerLifetime,
    /// The key set of an issuer is refused.
    IssuerKeys(JwkSetFault),
    /// The key set of an issuer has no key for its algorithms.
    NoIssuerKeys,
    /// A trust rule names no trusted issuer of the organization.
    NoSuchIssuer,
    /// A trust rule doesn't pin what its issuer's platform needs.
    TrustRule(RuleFault),
    /// A key would have more than this many trust rules.
    TooManyTrustRules(usize),
    /// A key would have the same trust rule twice.
    SameTrustRuleTwice,

    /// The role is for members of the deployment, and the member is of an organization, or the other way round.
    RoleOfOtherPlace,
    /// A developer would have no project or too many, or somebody else would have one.
    ProjectsOfRole,
    /// No provider of this name is configured.
    NoSuchProvider,
    /// The request names no provider, and not exactly one is configured.
    ProviderNeeded,
    /// Nobody could accept the invitation: the provider takes only addresses of these domains.
    AddressOutside {
        /// The provider's name.
        provider: String,
        /// The domains that its settings allow.
        domains: String,
    },

    /// The body is not a form of the console.
    NotAForm,
    /// The form is not UTF-8, or contains a NUL.
    FormEncoding,
    /// The form has the wrong fields. The value is the parser's message, without the form's values.
    FormMembers(String),
    /// A field of a form is wrong. The form shows which one.
    FormField,
    /// The name that confirms a deletion does not match.
    NameMismatch,
    /// The number that should confirm an act on many keys is another one.
    NumberMismatch,
    /// No key of a list is chosen.
    NothingChosen,
    /// The id that confirms a withdrawal does not match.
    KidMismatch,
    /// The box that confirms a withdrawal is not ticked.
    NotConfirmed,
    /// The text is not a set-up code.
    NotACode,
    /// A session of the portal is for no project, or for too many.
    PortalProjects(usize),
    /// A session of the portal may do something and not `list`, although that is not `create`.
    PortalActs,
    /// `scopes_within` has a scope under `claviger/`.
    PortalScopes,
    /// `max_keys` is more than this number.
    PortalKeys(u32),
    /// `max_key_lifetime` is out of bounds.
    PortalLifetime,
    /// `expires_in` is not between 1 and this number of seconds.
    PortalSeconds(i64),
    /// `return_url` is of none of the origins that may have the portal in a frame.
    PortalReturn,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A query parameter.
    Parameter(&'static str),
    /// A key of a configuration, by its place in the list and its name.
    Key(usize, String),
    /// A project of a configuration, by its id.
    Project(String),
    /// A trusted issuer of a configuration, by its id.
    Issuer(String),
    /// A named scope of a configuration, by its id.
    NamedScope(String),
}

/// Why a parameter has the wrong form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub enum ParameterError {
    /// The value is not the id of an organization or a project.
    Name(#[from] NameError),
    /// The value is not the slug of an environment.
    Environment(#[from] EnvironmentSlugError),
    /// The value is not the id of a key.
    KeyId(#[from] KeyIdError),
    /// The value is not the beginning of a key.
    KeyClue(#[from] KeyClueError),
    /// The value is not an action of a scope.
    ScopeAction(#[from] scope::ActionError),
    /// The value is not an action of an audit event.
    AuditAction(#[from] audit::ActionError),
    /// The value does not name a possible actor.
    Who(#[from] WhoError),
    /// The value is not an interval.
    Interval(#[from] IntervalError),
    /// The value is not a calendar period, or one without totals.
    Calendar(#[from] CalendarError),
    /// The value is not a condition on tags.
    Tag(#[from] TagsError),
    /// The value is not an owner.
    Owner(#[from] OwnerError),
    /// The value is not an order of keys.
    KeyOrder(#[from] KeyOrderError),
}

/// Why a request contradicts the present state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The same, in this part of the request.
    At(Place, Box<Conflict>),
    /// The last administrator key would end at this moment, or at once.
    LocksOut(Option<Timestamp>),
    /// The organization has more than this many keys.
    TooManyKeys(u16),
    /// Another request changed the keys meanwhile.
    KeysChanged,
    /// The configuration omits the key of its caller.
    OmitsOwnKey,
    /// The configuration omits a trusted issuer, and the key with this name has a trust rule for it.
    OmitsIssuerInUse(String),
    /// The configuration omits more than half of the keys.
    OmitsMost {
        /// The keys that it omits.
        left: usize,
        /// All keys.
        keys: usize,
        /// The active keys that it omits.
        active_left: usize,
        /// All active keys.
        active: usize,
    },
    /// This key belongs to another project or environment.
    OtherHome(KeyId),
    /// This key of the configuration is revoked.
    RevokedId(KeyId),
    /// These two keys have the name.
    AmbiguousName(KeyId, KeyId),
    /// The id of the organization is or was in use.
    OrganizationIdTaken,
    /// The id of the project is or was in use.
    ProjectIdTaken,
    /// The id of the trusted issuer is or was in use.
    IssuerIdTaken,
    /// The organization has as many trusted issuers as it may.
    TooManyIssuers,
    /// The organization, or the deployment, has as many members as it may.
    TooManyMembers,
    /// Somebody with the same e-mail address is a member already, or invited.
    AlreadyMember,
    /// The member has signed in, so there is nothing left to invite them to.
    InvitationAccepted,
    /// The member is the last owner of the organization.
    LastOwner,
    /// Groups at the provider decide about the member's role and projects.
    RoleFromGroups,
    /// The id of the named scope is in use.
    NamedScopeIdTaken,
    /// The catalogue has as many scopes as it may.
    TooManyNamedScopes,
    /// Two entries of a catalogue would name the same scope.
    ScopeNamedTwice(NamedScopeId, NamedScopeId),
    /// The key already has the trust rule.
    SameTrustRule,
    /// The key has this many trust rules, the most that are allowed.
    TooManyTrustRules(usize),
    /// The organization or project to delete has unrevoked keys.
    HasKeys,
    /// This environment has unrevoked keys.
    EnvironmentInUse(EnvironmentSlug),
    /// The same idempotent request is in progress.
    InFlight,
    /// An earlier request with this idempotency key had another body.
    OtherBody,
    /// The key is revoked.
    KeyRevoked,
    /// The key is revoked, and the console can't change it.
    RevokedKeyUnchangeable,
    /// The key has two live secrets.
    TwoLiveSecrets,
    /// The secret or public key is the last credential of the key that works.
    LastCredential,
    /// The key has this many public keys, which is the most.
    TooManyPublicKeys(usize),
    /// The key has this public key already, or another one with this `kid`.
    SamePublicKey,
    /// A next signing key is already published.
    NextSigningKey,
    /// The configured signing key was already used.
    SameSigningKey,
    /// The server does not make signing keys for this algorithm.
    SigningKeyNotMadeHere(Algorithm),
    /// The node that answers has no master key that could take over.
    NoNextMasterKey,
    /// These nodes run without the master key that is to take over.
    NodesWithoutNextMasterKey(Vec<String>),
    /// This many live secrets, counted up to 10,000, have a tag of the replaced master key.
    TagsInUse(i64),
    /// The record that a form of the console shows has changed.
    ChangedMeanwhile,
    /// Existing files prevent the set-up of the store. The value is the message of the bootstrap.
    Bootstrap(String),
    /// The user of the portal has as many keys as the session allows.
    TooManyPortalKeys(u32),
    /// The organization or the key has as many sessions of the portal as it may.
    TooManyPortalSessions,
}

/// Why a caller may not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// The same, in this part of the request.
    At(Place, Box<Forbidden>),
    /// The caller lacks this scope.
    MissingScope(String),
    /// The caller would grant or change this scope, but does not have it.
    BeyondOwnScopes(String),
    /// The caller would give a key with scopes under `claviger/` wider address ranges than their own key has.
    BeyondOwnRanges,
    /// The caller would give a key with scopes under `claviger/` a later end than their own key has.
    BeyondOwnEnd,
    /// The caller would give a key with scopes under `claviger/` tokens that need no proof of possession, which those of
    /// their own key need.
    BeyondOwnProofs,
    /// The project of the key has no access to this audience.
    NoAudience(String),
    /// The key has no scope that a gateway token could carry.
    NoTokenScopes,
    /// The method stands for no action.
    NoAction,
    /// The target is not a resource.
    NoResource,
    /// The form was sent from another site.
    ForeignForm,
    /// The form belongs to another session.
    OtherSession,
    /// The key has no scope for the console.
    NoConsoleScope,
    /// The console of this deployment is closed to API keys.
    NoKeysInConsole,
    /// The set-up code is wrong.
    WrongCode,
    /// The session of the portal does not allow this.
    NotInPortal,
    /// The key has a scope that the session of the portal does not cover.
    BeyondPortalScopes,
    /// The key has wider ranges than the session of the portal.
    BeyondPortalRanges,
    /// The key has no end, or a later one than the session of the portal allows.
    BeyondPortalEnd,
    /// The code of the portal is wrong, or was used, or is too old.
    DeadPortalCode,
}

impl Forbidden {
    /// The scope that would help, if there is one.
    pub fn scope(&self) -> Option<&str> {
        match self {
            Self::MissingScope(scope) | Self::BeyondOwnScopes(scope) => Some(scope),
            Self::At(_, inner) => inner.scope(),
            _ => None,
        }
    }
}
