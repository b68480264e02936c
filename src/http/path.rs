//! Ids in paths. A malformed id gets the same answer as one that does not exist.

use axum::extract::{FromRequestParts, Path, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use crate::domain::key::{PublicKeyId, SecretId, TrustRuleId};
use crate::domain::named_scope::Catalogue;
use crate::domain::names::OrganizationId;
use crate::use_cases::management::ApiError;
use crate::use_cases::management::issuers::IssuerPath;
use crate::use_cases::management::keys::KeyPath;
use crate::use_cases::management::members::MemberPath;
use crate::use_cases::management::projects::ProjectPath;
use crate::use_cases::management::scopes::NamedScopePath;

/// `{org}`
pub(crate) struct InOrganization(pub(crate) OrganizationId);

/// `{org}` and `{project}`
pub(crate) struct OfProject(pub(crate) ProjectPath);

/// `{org}` and `{key}`
pub(crate) struct OfKey(pub(crate) KeyPath);

/// `{org}`, `{key}` and `{secret}`
pub(crate) struct OfSecret(pub(crate) KeyPath, pub(crate) SecretId);

/// `{org}`, `{key}` and `{public_key}`
pub(crate) struct OfPublicKey(pub(crate) KeyPath, pub(crate) PublicKeyId);

/// `{org}`, `{key}` and `{trust_rule}`
pub(crate) struct OfTrustRule(pub(crate) KeyPath, pub(crate) TrustRuleId);

/// `{org}` and `{issuer}`
pub(crate) struct OfIssuer(pub(crate) IssuerPath);

/// The catalogue of scopes of `{org}`, or of the deployment in a path without it
pub(crate) struct InCatalogue(pub(crate) Catalogue);

/// `{scope}` in such a catalogue
pub(crate) struct OfNamedScope(pub(crate) NamedScopePath);

/// `{org}`, or none for the deployment
pub(crate) struct OfPlace(pub(crate) Option<OrganizationId>);

/// `{usr}`, and `{org}` unless the member is of the deployment
pub(crate) struct OfMember(pub(crate) MemberPath);

/// `{number}` of a master key
pub(crate) struct OfMasterKey(pub(crate) i64);

/// `{kid}`, which is not validated
pub(crate) struct OfSigningKey(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for InOrganization {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let id: String = segments(parts, state).await?;
        Ok(Self(known(&id)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfProject {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let (organization, project): (String, String) = segments(parts, state).await?;
        Ok(Self(ProjectPath { organization: known(&organization)?, project: known(&project)? }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let (organization, key): (String, String) = segments(parts, state).await?;
        Ok(Self(KeyPath { organization: known(&organization)?, key: known(&key)? }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfSecret {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let (organization, key, secret): (String, String, String) = segments(parts, state).await?;
        let path = KeyPath { organization: known(&organization)?, key: known(&key)? };
        Ok(Self(path, known(&secret)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfPublicKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let (organization, key, public_key): (String, String, String) = segments(parts, state).await?;
        let path = KeyPath { organization: known(&organization)?, key: known(&key)? };
        Ok(Self(path, known(&public_key)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfTrustRule {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let (organization, key, rule): (String, String, String) = segments(parts, state).await?;
        let path = KeyPath { organization: known(&organization)?, key: known(&key)? };
        Ok(Self(path, known(&rule)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfIssuer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let (organization, issuer): (String, String) = segments(parts, state).await?;
        Ok(Self(IssuerPath { organization: known(&organization)?, issuer: known(&issuer)? }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for InCatalogue {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let named = named(parts, state).await?;
        Ok(Self(catalogue(&named)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfNamedScope {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let named = named(parts, state).await?;
        let scope = value(&named, "scope").ok_or(ApiError::NotFound)?;
        Ok(Self(NamedScopePath { catalogue: catalogue(&named)?, scope: known(scope)? }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfPlace {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        Ok(Self(value(&named(parts, state).await?, "org").map(known).transpose()?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfMember {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let named = named(parts, state).await?;
        let member = value(&named, "usr").ok_or(ApiError::NotFound)?;
        let organization = value(&named, "org").map(known).transpose()?;
        Ok(Self(MemberPath { organization, member: known(member)? }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfMasterKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let number: String = segments(parts, state).await?;
        Ok(Self(known(&number)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfSigningKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        Ok(Self(segments(parts, state).await?))
    }
}

async fn segments<S, T>(parts: &mut Parts, state: &S) -> Result<T, ApiError>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    let Path(segments) = Path::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)?;
    Ok(segments)
}

/// The parameters of a path that may lack some.
async fn named<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, ApiError> {
    RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)
}

fn value<'p>(named: &'p RawPathParams, name: &str) -> Option<&'p str> {
    named.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
}

fn catalogue(named: &RawPathParams) -> Result<Catalogue, ApiError> {
    value(named, "org")
        .map_or(Ok(Catalogue::Deployment), |organization| Ok(Catalogue::Of(known(organization)?)))
}

fn known<T: std::str::FromStr>(id: &str) -> Result<T, ApiError> {
    id.parse().map_err(|_| ApiError::NotFound)
}
