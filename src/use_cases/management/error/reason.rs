//! Why the management API refuses a request, case by case. `text.rs` says each in words.

use crate::base::clock::Timestamp;
use crate::base::text::Excerpt;
use crate::domain::api_key::{EnvironmentSlug, EnvironmentSlugError, KeyClueError, KeyId, KeyIdError};
use crate::domain::audiences::AudiencesError;
use crate::domain::audit::{self, WhoError};
use crate::domain::cidr::CidrError;
use crate::domain::credential::CredentialFault;
use crate::domain::entity_tag::NotEntityTags;
use crate::domain::key::labels::LabelError;
use crate::domain::names::{NameError, OrganizationId};
use crate::domain::scope::{self, ScopeError};
use crate::domain::tenant::EnvironmentsError;
use crate::domain::usage::{CalendarError, IntervalError, PeriodError};
use crate::jose::jwk::Algorithm;
use crate::node::cursor::CursorError;

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidRequest {
    /// The same, in this part of the request.
    At(Place, Box<InvalidRequest>),

    /// The query is not percent-encoded UTF-8, or has a NUL.
    QueryEncoding,
    /// The operation has these query parameters, and no others.
    UnknownParameter(Vec<String>),
    /// The operation has no query parameters.
    NoParameters,
    /// This query parameter appears twice.
    ParameterTwice(String),
    /// This query parameter is neither `true` nor `false`.
    NotAFlag(&'static str),
    /// `limit` is not from 1 to this.
    Limit(u16),
    /// A value is not what it has to be.
    Value(ParameterError),
    /// This member is no RFC 3339 time.
    NotAMoment(&'static str),
    /// The text is no day.
    NotADay,
    /// The cursor is of another list, or of none.
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
    /// `Idempotency-Key` is not 1 to so many visible characters.
    IdempotencyKey(usize),
    /// There is more than one credential.
    Credential(CredentialFault),

    /// The client went away before the end of the body.
    IncompleteBody,
    /// The body is declared to be in another charset than UTF-8.
    Charset,
    /// The body is no JSON object.
    NotAnObject,
    /// The body is not the JSON that it has to be; what the parser says, without the values.
    Body(String),

    /// `check` names no check.
    Check,
    /// A check of the credential is not about any action.
    CheckWithAction,
    /// One of `action` and `resource` is there without the other.
    ActionWithoutResource,
    /// Both pairs of a gateway's headers are there.
    BothOriginals,
    /// Nothing is asked.
    NoQuestion,
    /// This header is missing.
    HeaderMissing(&'static str),
    /// This header is not ASCII.
    HeaderNotAscii(&'static str),
    /// This header is there twice.
    HeaderTwice(&'static str),
    /// `token` is neither 1 nor 0.
    WantsToken,
    /// The deployment does not have this audience.
    UnknownAudience(Excerpt),

    /// The name will not do.
    Name(LabelError),
    /// The note will not do.
    Note(LabelError),
    /// The reason will not do.
    Reason(LabelError),
    /// The scopes will not do.
    Scopes(ScopeError),
    /// The scopes that this key would have will not do.
    ScopesOf(KeyId, ScopeError),
    /// There are both scopes and a preset, or neither.
    ScopesOrPreset,
    /// The network ranges will not do.
    Cidrs(CidrError),
    /// There are both `expires_at` and `expires_in`.
    ExpiryTwice,
    /// `expires_in` is no span.
    ExpiresIn,
    /// The key would have expired already.
    ExpiresInThePast,
    /// The key would expire after the last moment that RFC 3339 can write.
    ExpiresTooLate,
    /// The project does not exist.
    NoSuchProject,
    /// The project has these environments, and not the one of the key.
    NoSuchEnvironment(String),
    /// `overlap_seconds` is not from 0 to this.
    Overlap(i64),
    /// This parameter of a search is longer than so many characters, or has a NUL.
    SearchText(&'static str, usize),
    /// A change of many keys has both new scopes and changes of scopes, or neither.
    ScopesOrChanges,
    /// A filter of keys to be changed selects all of them.
    EmptyFilter,
    /// The text to search for is empty.
    EmptySearch,
    /// The filter selects more than so many keys.
    TooManySelected(u16),

    /// The audiences will not do.
    Audiences(AudiencesError),
    /// The environments will not do.
    Environments(EnvironmentsError),
    /// There is no usage of this period.
    Period(PeriodError),

    /// A configuration does not say whose it is.
    NoOrganization,
    /// `prune_all` is there without `prune`.
    PruneAllWithoutPrune,
    /// The configuration is of this organization.
    OtherOrganization(OrganizationId),
    /// An earlier entry of the configuration is for the same key.
    SameKeyTwice,

    /// What was sent is no form of the console.
    NotAForm,
    /// The form is not UTF-8, or has a NUL.
    FormEncoding,
    /// The form's members are not what they have to be; what the parser says, without the values.
    FormMembers(String),
    /// A field of a form is wrong, and the form says which.
    FormField,
    /// The name that confirms a deletion is another one.
    NameMismatch,
    /// The id that confirms a withdrawal is another one.
    KidMismatch,
    /// The box that confirms a withdrawal is not ticked.
    NotConfirmed,
    /// What was typed is no code of a set-up.
    NotACode,
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
}

/// Why a value is not what its parameter has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub enum ParameterError {
    /// No id of an organization or a project.
    Name(#[from] NameError),
    /// No slug of an environment.
    Environment(#[from] EnvironmentSlugError),
    /// No id of a key.
    KeyId(#[from] KeyIdError),
    /// No beginning of a key.
    KeyClue(#[from] KeyClueError),
    /// No action of a scope.
    ScopeAction(#[from] scope::ActionError),
    /// No action of an audit event.
    AuditAction(#[from] audit::ActionError),
    /// Nobody who can have acted.
    Who(#[from] WhoError),
    /// No interval.
    Interval(#[from] IntervalError),
    /// No month, or one without totals.
    Calendar(#[from] CalendarError),
}

/// What the request is at odds with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The same, in this part of the request.
    At(Place, Box<Conflict>),
    /// The last administrator key would end at this moment, or at once.
    LocksOut(Option<Timestamp>),
    /// The organization has more than so many keys.
    TooManyKeys(u16),
    /// Somebody changed the keys meanwhile.
    KeysChanged,
    /// The configuration omits the key that it is applied with.
    OmitsOwnKey,
    /// The configuration omits more than half of the keys.
    OmitsMost {
        /// How many it omits.
        left: usize,
        /// Of so many.
        keys: usize,
        /// How many active ones it omits.
        active_left: usize,
        /// Of so many.
        active: usize,
    },
    /// This key is of another project or environment.
    OtherHome(KeyId),
    /// This key of the configuration is revoked.
    RevokedId(KeyId),
    /// These two keys have the name.
    AmbiguousName(KeyId, KeyId),
    /// The id of the organization is taken.
    OrganizationIdTaken,
    /// The id of the project is taken.
    ProjectIdTaken,
    /// What is to be deleted has unrevoked keys.
    HasKeys,
    /// This environment has unrevoked keys.
    EnvironmentInUse(EnvironmentSlug),
    /// The same idempotent request is in progress.
    InFlight,
    /// The idempotent request came before with another body.
    OtherBody,
    /// The key is revoked.
    KeyRevoked,
    /// The key is revoked, and the console offers no change of it.
    RevokedKeyUnchangeable,
    /// The key has two live secrets.
    TwoLiveSecrets,
    /// The secret is the key's last live one.
    LastSecret,
    /// A next signing key is published already.
    NextSigningKey,
    /// The configured signing key was used before.
    SameSigningKey,
    /// The server makes no signing keys of this algorithm.
    SigningKeyNotMadeHere(Algorithm),
    /// What a form of the console is about has changed.
    ChangedMeanwhile,
    /// The store cannot be set up with the files that are there; why, in the words of the bootstrap.
    Bootstrap(String),
}

/// Why a caller may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// The same, in this part of the request.
    At(Place, Box<Forbidden>),
    /// The caller lacks this scope.
    MissingScope(String),
    /// The caller would grant or change this scope without having it.
    BeyondOwnScopes(String),
    /// The caller would let a key with scopes under `claviger/` in from more places than its own.
    BeyondOwnRanges,
    /// The caller would let a key with scopes under `claviger/` outlast its own.
    BeyondOwnEnd,
    /// The project of the key has no access to this audience.
    NoAudience(String),
    /// The key has no scope that a gateway token could carry.
    NoTokenScopes,
    /// No action stands for the method.
    NoAction,
    /// The target is no resource.
    NoResource,
    /// The form was sent from elsewhere.
    ForeignForm,
    /// The form is of another session.
    OtherSession,
    /// The key administers nothing.
    NoConsoleScope,
    /// The code of the set-up is wrong.
    WrongCode,
}

impl Forbidden {
    /// The scope that would help, if one would.
    pub fn scope(&self) -> Option<&str> {
        match self {
            Self::MissingScope(scope) | Self::BeyondOwnScopes(scope) => Some(scope),
            Self::At(_, inner) => inner.scope(),
            _ => None,
        }
    }
}
