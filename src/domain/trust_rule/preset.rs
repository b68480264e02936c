//! Rules for well-known platforms, to be filled in.

use super::{Platform, RuleFault, TrustRule};
use crate::domain::names::TrustedIssuerId;

/// A form for the tokens of one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name: `github`, `gitlab`, `kubernetes`, `google` or `entra`.
    pub name: &'static str,
    /// What people call the platform.
    pub title: &'static str,
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
    /// What people call the value.
    pub label: &'static str,
    /// The pointer of the claim. `None` for the subject.
    pub claim: Option<&'static str>,
    /// Whether the rule is refused without it.
    pub is_required: bool,
    /// Whether a rule that is made from a token has it. The other values differ from one run of a workload to the next.
    pub is_proposed: bool,
}

const fn required(name: &'static str, label: &'static str, claim: Option<&'static str>) -> PresetPin {
    PresetPin { name, label, claim, is_required: true, is_proposed: true }
}

const fn proposed(name: &'static str, label: &'static str, claim: &'static str) -> PresetPin {
    PresetPin { name, label, claim: Some(claim), is_required: false, is_proposed: true }
}

const fn optional(name: &'static str, label: &'static str, claim: &'static str) -> PresetPin {
    PresetPin { name, label, claim: Some(claim), is_required: false, is_proposed: false }
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] = [
        Self {
            name: "github",
            title: "GitHub Actions",
            issuer: Some("https://token.actions.githubusercontent.com"),
            pins: &[
                required("repository_id", "Repository ID", Some("/repository_id")),
                proposed("repository_owner_id", "ID of the repository’s owner", "/repository_owner_id"),
                optional("ref", "Branch or tag", "/ref"),
                optional("environment", "Environment", "/environment"),
                optional("event_name", "Event", "/event_name"),
                optional("job_workflow_ref", "Reusable workflow", "/job_workflow_ref"),
            ],
        },
        Self {
            name: "gitlab",
            title: "GitLab",
            issuer: Some("https://gitlab.com"),
            pins: &[
                required("project_id", "Project ID", Some("/project_id")),
                proposed("namespace_id", "Namespace ID", "/namespace_id"),
                optional("ref", "Branch or tag", "/ref"),
                optional("ref_type", "Kind of ref", "/ref_type"),
                optional("ref_protected", "Protected ref", "/ref_protected"),
                optional("environment", "Environment", "/environment"),
            ],
        },
        Self {
            name: "kubernetes",
            title: "Kubernetes",
            issuer: None,
            pins: &[
                required("namespace", "Namespace", Some("/kubernetes.io/namespace")),
                required(
                    "serviceaccount_uid",
                    "UID of the service account",
                    Some("/kubernetes.io/serviceaccount/uid"),
                ),
                optional(
                    "serviceaccount_name",
                    "Name of the service account",
                    "/kubernetes.io/serviceaccount/name",
                ),
            ],
        },
        Self {
            name: "google",
            title: "Google Cloud",
            issuer: Some("https://accounts.google.com"),
            pins: &[required("subject", "Numeric ID of the service account", None)],
        },
        Self {
            name: "entra",
            title: "Microsoft Entra ID",
            issuer: None,
            pins: &[
                required("tid", "Tenant ID", Some("/tid")),
                required("oid", "Object ID of the managed identity", Some("/oid")),
                optional("appid", "Application ID", "/appid"),
            ],
        },
    ];

    /// The preset with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name == name)
    }

    /// The preset for tokens of a platform. `None` for an issuer that could be anybody's.
    pub fn of(platform: Platform) -> Option<Self> {
        match platform {
            Platform::GithubActions => Self::named("github"),
            Platform::GitlabCom => Self::named("gitlab"),
            Platform::Google => Self::named("google"),
            Platform::Entra => Self::named("entra"),
            Platform::Unshared => None,
        }
    }

    /// The rule with these values, each a pair of a name and a text. The subject narrows the rule further.
    ///
    /// # Errors
    /// [`RuleFault::PresetNeeds`], [`RuleFault::PresetUnknown`], or another fault of the rule.
    pub fn fill(
        self,
        issuer: TrustedIssuerId,
        audience: Option<String>,
        subject: Option<String>,
        values: Vec<(String, String)>,
    ) -> Result<TrustRule, RuleFault> {
        let is_there = |pin: &PresetPin| match pin.claim {
            None if subject.is_some() => true,
            _ => values.iter().any(|(name, _)| name == pin.name),
        };
        if let Some(missing) = self.pins.iter().find(|pin| pin.is_required && !is_there(pin)) {
            return Err(RuleFault::PresetNeeds(missing.name));
        }
        let mut subject = subject;
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
