use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::base::every_variant::with_every_variant;
use crate::domain::address::CallerAddress;
use crate::domain::credential::CredentialFault;
use crate::domain::scope::ScopeError;
use crate::jose::assertion::AssertionFault;
use crate::jose::claims::TokenFault;
use crate::jose::dpop::ProofFault;

const REASONS: &str = include_str!("reason.rs");

/// Every error with every reason.
fn all() -> Vec<OAuthError> {
    let requests = with_every_variant(REASONS, {
        use InvalidRequest as I;
        let mut all = vec![
            I::NotAForm,
            I::Charset,
            I::IncompleteBody,
            I::ParametersInUrl,
            I::NotUtf8,
            I::Escape,
            I::Nul,
            I::ParameterMissing("grant_type"),
            I::ParameterMissing("token"),
            I::ParameterTwice(Some("scope")),
            I::ParameterTwice(None),
            I::AuthorizationTwice,
            I::MalformedBasic,
            I::SecretTwice,
            I::OtherClientId,
            I::SecretBesideBearer,
            I::AssertionBesideOther,
            I::AssertionType("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            I::SubjectTokenType,
            I::ActorToken,
            I::RequestedTokenType("urn:ietf:params:oauth:token-type:access_token"),
            I::NotAnAddress,
            I::NoSubjectAddress,
            I::SubjectAddress,
            I::TooManyExchanges,
        ];
        all.extend(subject_tokens().into_iter().map(I::SubjectToken));
        all
    });
    let clients = with_every_variant(REASONS, {
        use InvalidClient as I;
        [
            I::Failed,
            I::NoCredentials,
            I::NoSecret,
            I::EmptySecret,
            I::EmptyUserName,
            I::KeyAsUserName,
            I::KeyAsClientId,
            I::EmptyAuthorization,
            I::EmptyBasic,
            I::Bearer,
            I::OtherScheme,
            I::Assertion(AssertionFault::Replayed),
            I::KeyRevoked,
            I::KeyExpired,
            I::KeyDisabled,
            I::Address(CallerAddress::Known([192, 0, 2, 7].into())),
            I::Address(CallerAddress::Unknown),
            I::ProofRequired,
        ]
    });
    let rights = [UnauthorizedClient::OtherClientsToken, UnauthorizedClient::Exchange];
    let holders = with_every_variant(REASONS, [ScopeHolder::Key, ScopeHolder::Subject]);
    let of_holder = |holder| {
        [InvalidScope::None(holder), InvalidScope::NotCovered(holder, "write:projects/web".to_owned())]
    };
    let scopes = holders.into_iter().flat_map(of_holder).chain([InvalidScope::Malformed(ScopeError::Commas)]);
    let targets = [
        InvalidTarget::NotOfProject("https://other.example".into()),
        InvalidTarget::None,
        InvalidTarget::ManagementBesideOthers,
        InvalidTarget::ManagementByExchange,
    ];
    let too_many = [
        TooMany::WrongSecrets(42),
        TooMany::RevokedTokens,
        TooMany::Proofs,
        TooMany::Requests,
        TooMany::Assertions,
    ];

    let mut all: Vec<OAuthError> = requests.into_iter().map(OAuthError::from).collect();
    all.extend(clients.into_iter().map(OAuthError::from));
    all.extend(with_every_variant(REASONS, rights).into_iter().map(OAuthError::from));
    all.extend(with_every_variant(REASONS, scopes).into_iter().map(OAuthError::from));
    all.extend(with_every_variant(REASONS, targets).into_iter().map(OAuthError::from));
    all.extend(with_every_variant(REASONS, too_many).into_iter().map(OAuthError::from));
    all.extend(proofs().into_iter().map(OAuthError::InvalidProof));
    all.extend([
        OAuthError::InvalidGrant,
        OAuthError::UnsupportedGrantType,
        OAuthError::UnsupportedTokenType,
        OAuthError::MethodNotAllowed,
        OAuthError::TooLarge,
        OAuthError::ContentEncoding,
        OAuthError::TooSlow,
        OAuthError::Unavailable { cause: "the store is gone".into() },
        OAuthError::internal("a bug"),
    ]);
    with_every_variant(include_str!("../error.rs"), all)
}

/// What the token endpoint says of proofs. The gate alone has the other reasons.
fn proofs() -> Vec<ProofRefused> {
    use ProofRefused as P;
    vec![
        P::Header(CredentialFault::ProofTwice),
        P::Header(CredentialFault::UnreadableProof),
        P::Fault(ProofFault::Method),
        P::Fault(ProofFault::NoNonce),
        P::Used,
        P::Required,
        P::RequiredByKey,
        P::RequiredBySubject,
        P::BoundSubject,
    ]
}

fn subject_tokens() -> Vec<SubjectTokenFault> {
    use SubjectTokenFault as S;
    with_every_variant(
        REASONS,
        [
            S::Refused(TokenFault::Issuer),
            S::Expired,
            S::Revoked,
            S::KeyOfTokenRevoked,
            S::KeyOfTokenDisabled,
            S::ForManagement,
            S::UnknownKey,
            S::KeyRevoked,
            S::KeyExpired,
            S::KeyDisabled,
        ],
    )
}

#[test]
fn every_error_is_explained() {
    let lines: Vec<String> = all().iter().map(|error| format!("{}: {error}", error.code())).collect();
    insta::assert_snapshot!("oauth_errors", lines.join("\n"));
}

#[test]
fn causes_are_for_the_log_alone() {
    for error in all() {
        let shown = error.to_string();
        assert!(error.cause().is_none_or(|cause| !shown.contains(cause)), "{shown}");
    }
}

#[test]
fn the_errors_in_openapi_yaml_are_quoted_exactly() {
    let document: Value = serde_saphyr::from_str(include_str!("../../../../openapi.yaml")).unwrap();
    let known: BTreeSet<(String, String)> =
        all().iter().map(|error| (error.code().to_owned(), error.to_string())).collect();
    let mut quoted = BTreeSet::new();
    collect(&document, &mut quoted);
    assert!(quoted.len() > 20, "openapi.yaml has only {quoted:?}");
    let unknown: Vec<_> = quoted.difference(&known).collect();
    assert!(unknown.is_empty(), "no error has this code and text: {unknown:#?}");
}

/// The examples of OAuth errors in `value`. Those of a Bearer credential are the management API's.
fn collect(value: &Value, quoted: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(members) => {
            if let (Some(Value::String(code)), Some(Value::String(text))) =
                (members.get("error"), members.get("error_description"))
                && code != "invalid_token"
            {
                quoted.insert((code.clone(), text.clone()));
            }
            members.values().for_each(|member| collect(member, quoted));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, quoted)),
        _ => {}
    }
}
