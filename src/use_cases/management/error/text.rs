//! The messages of the management API's refusals, all in one place.

use std::fmt::{Display, Formatter, Result};

use super::reason::{Conflict, Forbidden, InvalidRequest, Place};
use crate::domain::api_key::KeyClueError;
use crate::domain::member::Member;
use crate::domain::named_scope::Catalogue;
use crate::domain::portal::PortalGrant;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::node::keyring::RotateError;

impl Display for InvalidRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::At(place, inner) => return write!(f, "{place}: {inner}"),

            Self::QueryEncoding => "the query must be percent-encoded UTF-8 without NUL",
            Self::UnknownParameter(known) => {
                return write!(f, "the query parameters of this operation are {}", known.join(", "));
            }
            Self::NoParameters => "this operation has no query parameters",
            Self::ParameterTwice(name) => return write!(f, "{name} appears twice"),
            Self::NotAFlag(name) => return write!(f, "{name} must be true or false"),
            Self::Limit(most) => return write!(f, "limit must be 1 to {most}"),
            Self::Value(error) => return error.fmt(f),
            Self::NotAMoment(name) => {
                return write!(f, "{name} is not an RFC 3339 time such as 2030-01-31T12:00:00Z");
            }
            Self::NotADay => "must be a date such as 2026-11-21",
            Self::Cursor(error) => return error.fmt(f),
            Self::Status => "status must be active, disabled, expired, revoked or all",
            Self::NoPrefix => return write!(f, "prefix is missing: {KeyClueError}"),
            Self::Format => "format must be json, jsonl or csv",
            Self::MarkWithoutCsv => "bom requires format=csv",
            Self::PageOfExport => "an export contains everything that matches; limit and cursor are not supported",

            Self::IfMatch(error) => return write!(f, "If-Match is {error}"),
            Self::IdempotencyKeyTwice => "the request has two Idempotency-Key headers",
            Self::IdempotencyKey(most) => {
                return write!(f, "Idempotency-Key is 1 to {most} characters of visible ASCII");
            }
            Self::Credential(error) => return error.fmt(f),

            Self::IncompleteBody => "the request body is incomplete",
            Self::Charset => "the charset of the request body must be UTF-8",
            Self::NotAnObject => "the body: not a JSON object",
            Self::Body(error) => return write!(f, "the body: {error}"),

            Self::Check => "check must be credential",
            Self::CheckWithAction => "check=credential does not accept action or resource",
            Self::ActionWithoutResource => "action and resource must appear together",
            Self::BothOriginals => {
                "both X-Original-… and X-Forwarded-… headers are present; configure the gateway to remove the ones \
                 that it does not set"
            }
            Self::NoGateRequirement => {
                "use action and resource, or check=credential, or send X-Original-Method and X-Original-URI, or \
                 X-Forwarded-Method and X-Forwarded-Uri"
            }
            Self::HeaderMissing(name) => return write!(f, "{name} is missing"),
            Self::HeaderNotAscii(name) => return write!(f, "{name} is not ASCII"),
            Self::HeaderTwice(name) => return write!(f, "the request has two {name} headers"),
            Self::WantsToken => "token must be 1 or 0",
            Self::UnknownAudience(audience) => {
                return write!(f, "{audience} is not an audience of this deployment");
            }

            Self::Name(error) | Self::Note(error) | Self::Reason(error) | Self::ScopeLabel(error) => {
                return error.fmt(f);
            }
            Self::Scopes(error) => return error.fmt(f),
            Self::ScopesOf(key, error) => return write!(f, "{key}: {error}"),
            Self::ScopesOrPreset => "a key needs either scopes or a preset",
            Self::Cidrs(error) => return error.fmt(f),
            Self::ExpiryTwice => "expires_at and expires_in exclude each other",
            Self::ExpiresIn => {
                "expires_in must be 30d, 60d, 90d, 180d, 1y or a positive number of seconds"
            }
            Self::ExpiresInThePast => "expires_at must be in the future",
            Self::ExpiresTooLate => "the key would expire after the year 9999",
            Self::JwkOrPem => {
                "a public key is either jwk, with alg and kid in itself, or pem, with alg and kid beside it"
            }
            Self::PublicKey(fault) => return write!(f, "the public key is refused: {fault}"),
            Self::PublicKeyPem(fault) => return write!(f, "the public key is refused: {fault}"),
            Self::UnknownAlgorithm => "alg must be ES256, ES384, EdDSA, PS256 or RS256",
            Self::PublicKeyAlgorithm(algorithm) => {
                return write!(
                    f,
                    "the public key is for {algorithm}, which this server does not accept from clients; its metadata                      lists what it does"
                );
            }
            Self::TooManyPublicKeys(most) => return write!(f, "a key has at most {most} public keys"),
            Self::SamePublicKeyTwice => "public_keys has the same key, or the same kid, twice",
            Self::NoCredential => "a key without a secret needs at least one public key or trust rule",
            Self::NoSuchProject => "the project does not exist",
            Self::NoSuchEnvironment(there) => {
                return write!(f, "the project does not have this environment; it has {there}");
            }
            Self::Overlap(most) => return write!(f, "overlap_seconds must be 0 to {most}"),
            Self::SearchText(parameter, most) => {
                return write!(f, "{parameter} has more than {most} characters, or a NUL");
            }
            Self::ScopesOrChanges => "the body needs either scopes, or add, remove or both",
            Self::EmptyFilter => {
                "filter needs at least one of project, environment, created_by, unused_since, q, tag, owner and earlier_master_key"
            }
            Self::EmptySearch => "q must not be empty, because every name contains the empty text",
            Self::TooManySelected(most) => {
                return write!(f, "the filter selects more than {most} keys; narrow it");
            }

            Self::Audiences(error) => return error.fmt(f),
            Self::Environments(error) => return error.fmt(f),
            Self::Period(error) => return error.fmt(f),

            Self::NoOrganization => {
                "organization.id is missing: a document names the organization that it is for"
            }
            Self::PruneAllWithoutPrune => "prune_all requires prune",
            Self::OtherOrganization(id) => {
                return write!(f, "the document describes the organization {id}");
            }
            Self::SameKeyTwice => "an earlier entry is for the same key",
            Self::SameIssuerTwice => "an earlier entry is for the same issuer",
            Self::SameNamedScopeTwice => "an earlier entry has the same id",

            Self::IssuerUrl(error) => return write!(f, "issuer {error}"),
            Self::IssuerHttp => "the URL does not begin with https://",
            Self::OwnIssuer => "this server cannot be trusted as another issuer",
            Self::IssuerLifetime => {
                let (least, most) = (TrustedIssuer::LIFETIMES.start(), TrustedIssuer::LIFETIMES.end());
                return write!(f, "max_lifetime must be {least} to {most} seconds");
            }
            Self::IssuerKeys(fault) => return write!(f, "the key set {fault}"),
            Self::NoSuchIssuer => "the trust rule names no trusted issuer of the organization",
            Self::TrustRule(fault) => return fault.fmt(f),
            Self::TooManyTrustRules(most) => return write!(f, "a key has at most {most} trust rules"),
            Self::SameTrustRuleTwice => "trust_rules has the same rule twice",
            Self::RoleOfOtherPlace => {
                "members of an organization are owner, admin, developer or auditor; members of the deployment are operator"
            }
            Self::ProjectsOfRole => {
                return write!(f, "a developer needs 1 to {} projects; other roles have none", Member::MAX_PROJECTS);
            }
            Self::NoSuchProvider => "provider names no sign-in provider of this deployment",
            Self::ProviderNeeded => {
                "members sign in at an OpenID provider: configure one, or name one of several as provider"
            }
            Self::AddressOutside { provider, domains } => {
                return write!(
                    f,
                    "an invitation at the provider {provider} can be accepted only with an e-mail address of {domains}"
                );
            }
            Self::NoIssuerKeys => "the key set has no public key for a signature algorithm of the issuer",

            Self::NotAForm => "this is not a form of the console",
            Self::FormEncoding => "the form is not UTF-8 without NUL",
            Self::FormMembers(error) => error,
            Self::FormField => "a form field is invalid",
            Self::NameMismatch => "the name does not match, so nothing was changed",
            Self::NumberMismatch => "the number does not match, so nothing was changed",
            Self::NothingChosen => "choose at least one key; nothing was changed",
            Self::KidMismatch => "this does not match the key’s ID, so nothing was changed",
            Self::NotConfirmed => "confirm with the checkbox as well; nothing was changed",
            Self::NotACode => "the input is not a set-up code",
            Self::PortalProjects(most) => return write!(f, "projects must name 1 to {most} projects, each once"),
            Self::PortalActs => {
                "may must have list, or be create alone: whoever does anything else to a key has to find it first"
            }
            Self::PortalScopes => "scopes_within must have no scope under claviger/",
            Self::PortalKeys(most) => return write!(f, "max_keys must be 0 to {most}"),
            Self::PortalLifetime => {
                let (least, most) = (PortalGrant::MIN_LIFETIME, PortalGrant::MAX_LIFETIME);
                return write!(f, "max_key_lifetime must be {least} to {most} seconds");
            }
            Self::PortalSeconds(most) => return write!(f, "expires_in must be 1 to {most} seconds"),
            Self::PortalReturn => {
                "return_url must be of one of the origins in the portal’s setting frame_origins"
            }
        })
    }
}

impl Display for Conflict {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::At(place, inner) => return write!(f, "{place}: {inner}"),
            Self::LocksOut(Some(end)) => {
                return write!(
                    f,
                    "this change would lock out all administrators: the last key that can create keys in every \
                     organization would end at {}; ?force=true overrides this check",
                    end.rfc3339()
                );
            }
            Self::LocksOut(None) => {
                "this change would lock out all administrators: no key that can create keys in every organization \
                 would still work from your address; ?force=true overrides this check"
            }
            Self::TooManyKeys(most) => return write!(f, "the organization has more than {most} keys"),
            Self::KeysChanged => "somebody changed the keys at the same time; try again",
            Self::OmitsOwnKey => {
                "the document omits the key that you are using, and would revoke it; ?force=true confirms that"
            }
            Self::OmitsIssuerInUse(key) => {
                return write!(f, "the document omits this issuer, but the key {key:?} has a trust rule for it");
            }
            Self::OmitsMost { left, keys, active_left, active } => {
                return write!(
                    f,
                    "the document omits {left} of the organization's {keys} keys, more than half ({active_left} of \
                     {active} active ones), and would revoke them; ?prune_all=true confirms that"
                );
            }
            Self::OtherHome(id) => {
                return write!(f, "{id} belongs to another project or environment, which cannot change");
            }
            Self::RevokedId(id) => return write!(f, "{id} is revoked; remove its id to create a new key"),
            Self::AmbiguousName(one, other) => {
                return write!(f, "{one} and {other} have this name; specify one by its id");
            }
            Self::OrganizationIdTaken => "this organization id is in use or was used before",
            Self::ProjectIdTaken => "this project id is in use or was used before in the organization",
            Self::SameTrustRule => "the key already has this trust rule",
            Self::TooManyTrustRules(most) => {
                return write!(f, "the key has {most} trust rules, the most that are allowed");
            }
            Self::IssuerIdTaken => "this issuer id is in use or was used before in the organization",
            Self::NamedScopeIdTaken => "this id is in use in the catalogue",
            Self::TooManyNamedScopes => {
                return write!(f, "the catalogue has {} scopes, the most that are allowed", Catalogue::MAX_COUNT);
            }
            Self::ScopeNamedTwice(one, other) => {
                return write!(f, "{one} and {other} would name the same scope; the catalogue lists a scope once");
            }
            Self::TooManyIssuers => {
                return write!(f, "the organization has {} trusted issuers, the most that are allowed", TrustedIssuer::MAX_COUNT);
            }
            Self::TooManyMembers => return write!(f, "there are {} members, the most that are allowed", Member::MAX_COUNT),
            Self::AlreadyMember => "somebody with this e-mail address is a member already, or invited",
            Self::InvitationAccepted => "the member has accepted the invitation",
            Self::LastOwner => "this is the last owner who can sign in; make somebody else an owner first",
            Self::RoleFromGroups => {
                "the groups at the provider decide about this role; change them there, or remove the member and invite them"
            }
            Self::HasKeys => "it has unrevoked keys",
            Self::EnvironmentInUse(gone) => return write!(f, "the environment {gone} has unrevoked keys"),
            Self::InFlight => "a request with this Idempotency-Key is in progress",
            Self::OtherBody => "this Idempotency-Key was used with a different body",
            Self::KeyRevoked => "the key is revoked",
            Self::RevokedKeyUnchangeable => "the key is revoked and cannot be changed",
            Self::TwoLiveSecrets => {
                "the key already has two live secrets; retire one, or rotate with an overlap of 0"
            }
            Self::LastCredential => {
                "this is the last way to use the key; give it another secret, public key or trust rule first, or revoke the key"
            }
            Self::TooManyPublicKeys(most) => {
                return write!(f, "the key already has {most} public keys; remove one first");
            }
            Self::SamePublicKey => "the key already has this public key, or another one with the same kid",
            Self::NoNextMasterKey => {
                "this node has no master key that could take over: give the next one to every node, for example in the \
                 file next-master.key beside master.key"
            }
            Self::NodesWithoutNextMasterKey(nodes) => {
                return write!(
                    f,
                    "these nodes run without the next master key: {}; give it to them, or stop them for a minute",
                    nodes.join(", ")
                );
            }
            Self::TagsInUse(secrets) => {
                let (have, whose) = match secrets {
                    1 => (" has", "its API key"),
                    _ => ("s have", "their API keys"),
                };
                return write!(
                    f,
                    "{secrets} live secret{have} a tag of this master key; rotate or revoke {whose} first \
                     (the list of keys has the filter earlier_master_key)"
                );
            }
            Self::NextSigningKey => return RotateError::NextIsWaiting.fmt(f),
            Self::SameSigningKey => return RotateError::SameKey.fmt(f),
            Self::SigningKeyNotMadeHere(algorithm) => return RotateError::NotMadeHere(*algorithm).fmt(f),
            Self::ChangedMeanwhile => "it has been changed since, so nothing was done",
            Self::Bootstrap(error) => error,
            Self::TooManyPortalKeys(most) => {
                return write!(f, "you have {most} API keys, the most that are allowed; revoke one first");
            }
            Self::TooManyPortalSessions => {
                "there are too many portal sessions, open or waiting to be opened; try again in some minutes"
            }
        })
    }
}

impl Display for Forbidden {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::At(place, inner) => return write!(f, "{place}: {inner}"),
            Self::MissingScope(scope) => return write!(f, "this requires the scope {scope}"),
            Self::BeyondOwnScopes(scope) => {
                return write!(f, "you cannot grant or change a scope that you do not have: {scope}");
            }
            Self::BeyondOwnRanges => {
                "a key with scopes under claviger/ cannot have wider network ranges than your own key"
            }
            Self::BeyondOwnEnd => "a key with scopes under claviger/ cannot expire later than your own key",
            Self::BeyondOwnProofs => {
                "a key with scopes under claviger/ has to require DPoP if your own key does"
            }
            Self::NoAudience(audience) => {
                return write!(f, "the key's project has no access to {audience}");
            }
            Self::NoTokenScopes => "the key has no scope for a resource server",
            Self::NoAction => "this method maps to no action",
            Self::NoResource => "this is not a resource: a resource is 1 to 16 literals joined by slashes",
            Self::ForeignForm => "this form was not sent from a page of this server, so nothing was changed",
            Self::OtherSession => {
                "this form belongs to another session. Go back, reload the page and submit the form again"
            }
            Self::NoConsoleScope => {
                "this key is valid, but it has no scope under claviger/, which the console requires"
            }
            Self::NoKeysInConsole => {
                "API keys cannot open the console of this deployment, except those that claviger admin-key made"
            }
            Self::WrongCode => "wrong set-up code",
            Self::NotInPortal => "this session does not allow that",
            Self::BeyondPortalScopes => "a key of this session cannot have these permissions",
            Self::BeyondPortalRanges => "a key of this session cannot be used from these addresses",
            Self::BeyondPortalEnd => "a key of this session has to expire earlier",
            Self::DeadPortalCode => {
                "this link has been used, or is too old; go back and open your API keys again"
            }
        })
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Parameter(name) => f.write_str(name),
            Self::Key(place, name) => write!(f, "keys[{place}]: {name:?}"),
            Self::Project(id) => write!(f, "projects {id:?}"),
            Self::Issuer(id) => write!(f, "issuers {id:?}"),
            Self::NamedScope(id) => write!(f, "scopes {id:?}"),
        }
    }
}
