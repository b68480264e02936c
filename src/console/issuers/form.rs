//! The form that adds and changes a trusted issuer: its input and its errors.

use serde_json::{Map, Value, json};

use crate::console::fields::Fields;
use crate::console::wrong::{self, Wrong};
use crate::domain::names::TrustedIssuerId;
use crate::domain::trust_rule::Preset;
use crate::domain::trusted_issuer::{KeySource, SignatureAlgorithms, TrustedIssuer};
use crate::jose::foreign::KeySet;
use crate::use_cases::management::issuers::{IssuerPatch, NewIssuerRequest};
use crate::use_cases::management::{ApiError, Conflict, InvalidRequest};

/// The input of the form.
#[derive(Debug)]
pub(super) struct IssuerForm {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) issuer: String,
    /// Where the keys come from: `discovery`, `jwks_uri` or `jwks`.
    pub(super) keys: String,
    pub(super) jwks_uri: String,
    pub(super) jwks: String,
    algorithms: Vec<String>,
    pub(super) max_lifetime: String,
    pub(super) single_use: bool,
}

impl IssuerForm {
    /// The form for a new issuer: for that of a platform, or for one with this URL.
    pub(super) fn begun(platform: Option<&str>, url: Option<&str>) -> Self {
        let preset = platform.and_then(Preset::named).filter(|preset| preset.issuer.is_some());
        let shared = preset.and_then(|preset| preset.issuer);
        Self {
            id: preset.map(|preset| preset.name.to_owned()).unwrap_or_default(),
            name: preset.map(|preset| preset.title.to_owned()).unwrap_or_default(),
            issuer: url.or(shared).unwrap_or_default().to_owned(),
            keys: "discovery".to_owned(),
            jwks_uri: String::new(),
            jwks: String::new(),
            algorithms: SignatureAlgorithms::default().iter().map(str::to_owned).collect(),
            max_lifetime: TrustedIssuer::DEFAULT_LIFETIME.to_string(),
            single_use: false,
        }
    }

    /// The form filled from an issuer.
    pub(super) fn of(issuer: &TrustedIssuer) -> Self {
        let (keys, jwks_uri, jwks) = match &issuer.keys {
            KeySource::Discovery => ("discovery", String::new(), String::new()),
            KeySource::At(url) => ("jwks_uri", url.to_string(), String::new()),
            KeySource::Inline(set) => ("jwks", String::new(), format!("{set:#}")),
        };
        Self {
            id: issuer.id.to_string(),
            name: issuer.name.clone(),
            issuer: issuer.url.to_string(),
            keys: keys.to_owned(),
            jwks_uri,
            jwks,
            algorithms: issuer.algorithms.iter().map(str::to_owned).collect(),
            max_lifetime: issuer.max_lifetime.to_string(),
            single_use: issuer.single_use,
        }
    }

    /// The form filled from a submission.
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            id: text("id"),
            name: text("name"),
            issuer: text("issuer"),
            keys: text("keys"),
            jwks_uri: text("jwks_uri"),
            jwks: text("jwks"),
            algorithms: fields.all("algorithm").map(str::to_owned).collect(),
            max_lifetime: text("max_lifetime"),
            single_use: fields.has("single_use"),
        }
    }

    /// Every algorithm, and whether it is ticked. Those that are come first and in their order, which decides for which one
    /// an RSA key without `alg` is.
    pub(super) fn choices(&self) -> Vec<(&'static str, bool)> {
        let known = |ticked: &String| SignatureAlgorithms::KNOWN.into_iter().find(|name| name == ticked);
        let ticked: Vec<&'static str> = self.algorithms.iter().filter_map(known).collect();
        let others = SignatureAlgorithms::KNOWN.into_iter().filter(|name| !ticked.contains(name));
        ticked.iter().map(|name| (*name, true)).chain(others.map(|name| (name, false))).collect()
    }

    /// The key set as it was pasted. One with a secret key in it is not sent back.
    pub(super) fn shown_jwks(&self) -> &str {
        let is_secret = ["PRIVATE KEY", "\"d\"", "\"k\""].iter().any(|mark| self.jwks.contains(mark));
        if is_secret { "" } else { &self.jwks }
    }

    /// The request that creates the issuer.
    ///
    /// # Errors
    /// [`Wrong`].
    pub(super) fn new_issuer(&self) -> Result<NewIssuerRequest, Wrong> {
        self.id.parse::<TrustedIssuerId>().map_err(|error| Wrong::malformed("id", error))?;
        let mut members = self.members()?;
        members.insert("id".to_owned(), json!(self.id));
        if self.name.is_empty() {
            members.remove("name");
        }
        wrong::request(members)
    }

    /// The request that changes an issuer into what the form says: what differs from `before`. `None` if nothing does.
    ///
    /// # Errors
    /// [`Wrong`].
    pub(super) fn patch(&self, before: &TrustedIssuer) -> Result<Option<IssuerPatch>, Wrong> {
        wrong::patch(&Self::of(before).members()?, self.members()?)
    }

    /// An error of a use case, at the field that it is about.
    pub(super) fn wrong(&self, error: ApiError) -> Wrong {
        let field = match &error {
            ApiError::InvalidRequest(reason) => match reason {
                InvalidRequest::Name(_) => "name",
                InvalidRequest::IssuerHttp if self.issuer.starts_with("https://") => "jwks_uri",
                InvalidRequest::IssuerUrl(_)
                | InvalidRequest::IssuerHttp
                | InvalidRequest::OwnIssuer
                | InvalidRequest::TrustRule(_) => "issuer",
                InvalidRequest::IssuerLifetime => "max_lifetime",
                InvalidRequest::IssuerKeys(_) | InvalidRequest::NoIssuerKeys => "jwks",
                _ => "",
            },
            ApiError::Conflict(Conflict::IssuerIdTaken) => "id",
            _ => "",
        };
        Wrong { field, error }
    }

    /// The members that the form edits, in the management API's JSON.
    fn members(&self) -> Result<Map<String, Value>, Wrong> {
        let keys = self.source()?;
        SignatureAlgorithms::try_from(self.algorithms.clone())
            .map_err(|error| Wrong::malformed("algorithms", error))?;
        let lifetime: u32 = self
            .max_lifetime
            .parse()
            .map_err(|_| Wrong { field: "max_lifetime", error: InvalidRequest::IssuerLifetime.into() })?;
        let members = [
            ("name", json!(self.name)),
            ("issuer", json!(self.issuer)),
            ("keys", keys),
            ("algorithms", json!(self.algorithms)),
            ("max_lifetime", json!(lifetime)),
            ("single_use", json!(self.single_use)),
        ];
        Ok(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn source(&self) -> Result<Value, Wrong> {
        let (field, source) = match self.keys.as_str() {
            "jwks_uri" => ("jwks_uri", json!({ "jwks_uri": self.jwks_uri })),
            "jwks" => {
                let refused =
                    |fault| Wrong { field: "jwks", error: InvalidRequest::IssuerKeys(fault).into() };
                KeySet::parse(self.jwks.as_bytes(), &[]).map_err(refused)?;
                let set: Value =
                    serde_json::from_str(&self.jwks).map_err(|error| Wrong::malformed("jwks", error))?;
                ("jwks", json!({ "jwks": set }))
            }
            _ => ("keys", json!({ "discovery": true })),
        };
        serde_json::from_value::<KeySource>(source.clone())
            .map_err(|error| Wrong::malformed(field, error))?;
        Ok(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> IssuerForm {
        IssuerForm::sent(&Fields::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn an_error_is_at_its_field() {
        let good = "id=a&issuer=https://a.example&keys=discovery&algorithm=RS256&max_lifetime=60";
        assert!(sent(good).new_issuer().is_ok());
        for (from, to, field) in [
            ("id=a", "id=A", "id"),
            ("keys=discovery", "keys=jwks_uri&jwks_uri=ftp://a", "jwks_uri"),
            ("keys=discovery", "keys=jwks&jwks={", "jwks"),
            ("keys=discovery", "keys=jwks&jwks={\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", "jwks"),
            ("algorithm=RS256", "algorithm=HS256", "algorithms"),
            ("&algorithm=RS256", "", "algorithms"),
            ("max_lifetime=60", "max_lifetime=soon", "max_lifetime"),
        ] {
            let wrong = sent(&good.replace(from, to)).new_issuer().unwrap_err();
            assert_eq!(wrong.field, field, "{to}: {}", wrong.error.message());
            assert!(!wrong.error.message().contains("c2VjcmV0"));
        }
    }

    #[test]
    fn algorithms_keep_their_order() {
        let form = sent("algorithm=RS256&algorithm=ES256&algorithm=HS256");
        let all = ["RS256", "ES256", "ES384", "EdDSA", "PS256", "RS384", "RS512"];
        assert_eq!(form.choices().iter().map(|(name, _)| *name).collect::<Vec<_>>(), all);
        assert_eq!(form.choices().iter().filter(|(_, is_ticked)| *is_ticked).count(), 2);
    }

    #[test]
    fn a_secret_key_is_not_sent_back() {
        let pasted = |text: &str| IssuerForm { jwks: text.to_owned(), ..IssuerForm::begun(None, None) };
        assert_eq!(pasted(r#"{"keys":[{"d":"x"}]}"#).shown_jwks(), "");
        assert_eq!(pasted(r#"{"keys":[]}"#).shown_jwks(), r#"{"keys":[]}"#);
    }
}
