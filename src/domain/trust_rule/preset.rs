//! Rules for well-known platforms, to be filled in.

use super::{RuleFault, TrustRule};
use crate::domain::names::TrustedIssuerId;

/// A form for the tokens of one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name: `github`, `gitlab`, `kubernetes`, `google` or `entra`.
    pub name: &'static str,
    /// The URL of the issuer, if there is one for everybody.
    pub issuer: Option<&'static str>,
    /// What can be filled in.
    pub pins: &'static [PresetPin],
}

/// One value of a [`Preset`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresetPin {
    /// The name of the value.
    pub name: &'static str,
    /// The pointer of the claim. `None` for the subject.
    pub claim: Option<&'static str>,
    /// Whether the rule is refused without it.
    pub is_required: bool,
}

const fn required(name: &'static str, claim: Option<&'static str>) -> PresetPin {
    PresetPin { name, claim, is_required: true }
}

const fn optional(name: &'static str, claim: &'static str) -> PresetPin {
    PresetPin { name, claim: Some(claim), is_required: false }
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] = [
        Self {
            name: "github",
            issuer: Some("https://token.actions.githubusercontent.com"),
            pins: &[
                required("repository_id", Some("/repository_id")),
                optional("ref", "/ref"),
                optional("environment", "/environment"),
                optional("event_name", "/event_name"),
                optional("job_workflow_ref", "/job_workflow_ref"),
            ],
        },
        Self {
            name: "gitlab",
            issuer: Some("https://gitlab.com"),
            pins: &[
                required("project_id", Some("/project_id")),
                optional("ref", "/ref"),
                optional("ref_type", "/ref_type"),
                optional("ref_protected", "/ref_protected"),
                optional("environment", "/environment"),
            ],
        },
        Self {
            name: "kubernetes",
            issuer: None,
            pins: &[
                required("namespace", Some("/kubernetes.io/namespace")),
                required("serviceaccount_uid", Some("/kubernetes.io/serviceaccount/uid")),
                optional("serviceaccount_name", "/kubernetes.io/serviceaccount/name"),
            ],
        },
        Self {
            name: "google",
            issuer: Some("https://accounts.google.com"),
            pins: &[required("subject", None)],
        },
        Self {
            name: "entra",
            issuer: None,
            pins: &[
                required("tid", Some("/tid")),
                required("oid", Some("/oid")),
                optional("appid", "/appid"),
            ],
        },
    ];

    /// The preset with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name == name)
    }

    /// The rule with these values, each a pair of a name and a text.
    ///
    /// # Errors
    /// [`RuleFault::PresetNeeds`], [`RuleFault::PresetUnknown`], or another fault of the rule.
    pub fn fill(
        self,
        issuer: TrustedIssuerId,
        audience: Option<String>,
        values: Vec<(String, String)>,
    ) -> Result<TrustRule, RuleFault> {
        let is_there = |pin: &PresetPin| values.iter().any(|(name, _)| name == pin.name);
        if let Some(missing) = self.pins.iter().find(|pin| pin.is_required && !is_there(pin)) {
            return Err(RuleFault::PresetNeeds(missing.name));
        }
        let mut subject = None;
        let mut claims = Vec::with_capacity(values.len());
        for (name, value) in values {
            match self.pins.iter().find(|pin| pin.name == name) {
                Some(PresetPin { claim: Some(pointer), .. }) => claims.push(((*pointer).to_owned(), value)),
                Some(PresetPin { claim: None, .. }) => subject = Some(value),
                None => return Err(RuleFault::PresetUnknown(name.as_str().into())),
            }
        }
        TrustRule::new(issuer, audience, subject, claims)
    }
}
