use std::fmt::{Debug, Display};

use super::*;
use crate::base::clock::Timestamp;
use crate::base::every_variant::{variant, with_every_variant};
use crate::domain::api_key::{EnvironmentSlugError, KeyClueError, KeyId, KeyIdError};
use crate::domain::audiences::AudiencesError;
use crate::domain::audit::{self, WhoError};
use crate::domain::cidr::{CidrError, CidrRule};
use crate::domain::credential::CredentialFault;
use crate::domain::entity_tag::EntityTags;
use crate::domain::key::labels::LabelError;
use crate::domain::key::{OwnerError, TagsError};
use crate::domain::names::NameError;
use crate::domain::scope::{ScopeError, Verb};
use crate::domain::tenant::EnvironmentsError;
use crate::domain::trust_rule::RuleFault;
use crate::domain::usage::{CalendarError, IntervalError, PeriodError};
use crate::domain::web_url::WebUrlError;
use crate::jose::foreign::{self, JwkSetFault, PublicPemFault};
use crate::jose::jwk::{Algorithm, JwkFault};
use crate::node::cursor::CursorError;
use crate::store::KeyOrderError;

fn key(last: char) -> KeyId {
    format!("key_000000000000000{last}").parse().unwrap()
}

/// One line for each reason: its name and its message. No variant is omitted.
#[track_caller]
fn listed<T: Debug + Display>(all: impl IntoIterator<Item = T>) -> String {
    let lines = with_every_variant(include_str!("reason.rs"), all);
    lines.iter().map(|reason| format!("{}: {reason}", variant(reason))).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_invalid_request_is_explained() {
    use InvalidRequest as I;

    let none: Vec<&[u8]> = vec![b"other"];
    let all = [
        I::At(Place::Parameter("limit"), Box::new(I::NotADay)),
        I::At(Place::Key(3, "ci".into()), Box::new(I::SameKeyTwice)),
        I::At(Place::Project("shop".into()), Box::new(I::Name(LabelError::Empty("name")))),
        I::At(Place::Issuer("gh".into()), Box::new(I::OwnIssuer)),
        I::At(Place::NamedScope("read-invoices".into()), Box::new(I::SameNamedScopeTwice)),
        I::QueryEncoding,
        I::UnknownParameter(vec!["limit".into(), "cursor".into()]),
        I::NoParameters,
        I::ParameterTwice("limit".into()),
        I::NotAFlag("force"),
        I::Limit(200),
        I::Value(NameError.into()),
        I::NotAMoment("from"),
        I::NotADay,
        I::Cursor(CursorError),
        I::Status,
        I::NoPrefix,
        I::Format,
        I::MarkWithoutCsv,
        I::PageOfExport,
        I::IfMatch(EntityTags::parse(none).unwrap_err()),
        I::IdempotencyKeyTwice,
        I::IdempotencyKey(255),
        I::Credential(CredentialFault::Both),
        I::Credential(CredentialFault::Twice("x-api-key")),
        I::IncompleteBody,
        I::Charset,
        I::NotAnObject,
        I::Body("missing field `name` at line 1 column 2".into()),
        I::Check,
        I::CheckWithAction,
        I::ActionWithoutResource,
        I::BothOriginals,
        I::NoGateRequirement,
        I::HeaderMissing("x-original-uri"),
        I::HeaderNotAscii("x-original-uri"),
        I::HeaderTwice("x-original-uri"),
        I::WantsToken,
        I::UnknownAudience("https://api.example".into()),
        I::Name(LabelError::Empty("name")),
        I::Note(LabelError::TooLong("note", 2_000)),
        I::Reason(LabelError::Control("reason")),
        I::ScopeLabel(LabelError::Empty("group")),
        I::Scopes(ScopeError::None),
        I::ScopesOf(key('1'), ScopeError::None),
        I::ScopesOrPreset,
        I::Cidrs(CidrError::Entry { entry: "10.1".into(), rule: CidrRule::Address }),
        I::ExpiryTwice,
        I::ExpiresIn,
        I::ExpiresInThePast,
        I::ExpiresTooLate,
        I::JwkOrPem,
        I::PublicKey(JwkFault::Secret("d").into()),
        I::PublicKeyPem(PublicPemFault::PrivateKey),
        I::UnknownAlgorithm,
        I::PublicKeyAlgorithm(foreign::Algorithm::Rs256),
        I::TooManyPublicKeys(8),
        I::SamePublicKeyTwice,
        I::NoCredential,
        I::NoSuchProject,
        I::NoSuchEnvironment("prd, stg".into()),
        I::Overlap(2_592_000),
        I::SearchText("q", 200),
        I::ScopesOrChanges,
        I::EmptyFilter,
        I::EmptySearch,
        I::TooManySelected(10_000),
        I::Audiences(AudiencesError::Empty),
        I::Environments(EnvironmentsError::Count),
        I::Period(PeriodError::Backwards),
        I::NoOrganization,
        I::PruneAllWithoutPrune,
        I::OtherOrganization("acme".parse().unwrap()),
        I::SameKeyTwice,
        I::SameIssuerTwice,
        I::SameNamedScopeTwice,
        I::IssuerUrl(WebUrlError::Host),
        I::IssuerHttp,
        I::OwnIssuer,
        I::IssuerLifetime,
        I::IssuerKeys(JwkSetFault::SameKid),
        I::NoIssuerKeys,
        I::RoleOfOtherPlace,
        I::ProjectsOfRole,
        I::NoSuchProvider,
        I::AddressOutside { provider: "sso".into(), domains: "example.com, example.org".into() },
        I::ProviderNeeded,
        I::NoSuchIssuer,
        I::TrustRule(RuleFault::Nothing),
        I::TooManyTrustRules(16),
        I::SameTrustRuleTwice,
        I::NotAForm,
        I::FormEncoding,
        I::FormMembers("missing field `name`".into()),
        I::FormField,
        I::NameMismatch,
        I::NumberMismatch,
        I::NothingChosen,
        I::KidMismatch,
        I::NotConfirmed,
        I::NotACode,
        I::PortalProjects(50),
        I::PortalActs,
        I::PortalScopes,
        I::PortalKeys(1_000),
        I::PortalLifetime,
        I::PortalSeconds(3_600),
        I::PortalReturn,
    ];
    insta::assert_snapshot!("invalid_requests", listed(all));
}

#[test]
fn every_wrong_parameter_is_explained() {
    let all: [ParameterError; 12] = [
        NameError.into(),
        EnvironmentSlugError.into(),
        KeyIdError.into(),
        KeyClueError.into(),
        "grant".parse::<Verb>().unwrap_err().into(),
        audit::ActionError.into(),
        WhoError.into(),
        IntervalError.into(),
        CalendarError::NoMonth.into(),
        TagsError::Name("Team".into()).into(),
        OwnerError::Member.into(),
        KeyOrderError.into(),
    ];
    insta::assert_snapshot!("wrong_parameters", listed(all));
}

#[test]
fn every_conflict_is_explained() {
    use Conflict as C;

    let all = [
        C::At(Place::Key(0, "ci".into()), Box::new(C::RevokedId(key('1')))),
        C::LocksOut(Some(Timestamp::from_unix(1_795_255_200))),
        C::LocksOut(None),
        C::TooManyKeys(5_000),
        C::KeysChanged,
        C::OmitsOwnKey,
        C::OmitsIssuerInUse("Deploy".into()),
        C::OmitsMost { left: 6, keys: 10, active_left: 4, active: 7 },
        C::OtherHome(key('1')),
        C::RevokedId(key('1')),
        C::AmbiguousName(key('1'), key('2')),
        C::OrganizationIdTaken,
        C::ProjectIdTaken,
        C::IssuerIdTaken,
        C::TooManyIssuers,
        C::TooManyMembers,
        C::AlreadyMember,
        C::InvitationAccepted,
        C::LastOwner,
        C::RoleFromGroups,
        C::TooManyPortalKeys(10),
        C::TooManyPortalSessions,
        C::NamedScopeIdTaken,
        C::TooManyNamedScopes,
        C::ScopeNamedTwice("read-all".parse().unwrap(), "read-invoices".parse().unwrap()),
        C::SameTrustRule,
        C::TooManyTrustRules(16),
        C::HasKeys,
        C::EnvironmentInUse("prd".parse().unwrap()),
        C::InFlight,
        C::OtherBody,
        C::KeyRevoked,
        C::RevokedKeyUnchangeable,
        C::TwoLiveSecrets,
        C::LastCredential,
        C::TooManyPublicKeys(8),
        C::SamePublicKey,
        C::NoNextMasterKey,
        C::NodesWithoutNextMasterKey(vec!["5d41402abc4b2a76".into(), "9719ca0bf3d1a5e2".into()]),
        C::TagsInUse(7),
        C::TagsInUse(1),
        C::NextSigningKey,
        C::SameSigningKey,
        C::SigningKeyNotMadeHere(Algorithm::Rs256),
        C::ChangedMeanwhile,
        C::Bootstrap("the master key is missing".into()),
    ];
    insta::assert_snapshot!("conflicts", listed(all));
}

#[test]
fn every_refused_permission_is_explained() {
    use Forbidden as F;

    let all = [
        F::At(Place::Project("shop".into()), Box::new(F::BeyondOwnEnd)),
        F::MissingScope("write:claviger/orgs".into()),
        F::BeyondOwnScopes("write:claviger/orgs".into()),
        F::BeyondOwnRanges,
        F::BeyondOwnEnd,
        F::BeyondOwnProofs,
        F::NoAudience("https://api.example".into()),
        F::NoTokenScopes,
        F::NoAction,
        F::NoResource,
        F::ForeignForm,
        F::OtherSession,
        F::NoConsoleScope,
        F::NoKeysInConsole,
        F::WrongCode,
        F::NotInPortal,
        F::BeyondPortalScopes,
        F::BeyondPortalRanges,
        F::BeyondPortalEnd,
        F::DeadPortalCode,
    ];
    insta::assert_snapshot!("refused_permissions", listed(all));
}

#[test]
fn a_refusal_in_a_part_of_a_request_still_names_the_scope() {
    let part = Place::Key(0, "ci".into());
    let error = ApiError::from(Forbidden::MissingScope("read:claviger/**".into())).at(part);
    let ApiError::Forbidden(reason) = error else { panic!("{error:?}") };
    assert_eq!(reason.scope(), Some("read:claviger/**"));
}
