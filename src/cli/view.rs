//! The parts of the server's responses that people see.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::output::{Cell, Sheet, Tone};
use crate::domain::key::{DpopRequirement, Tags};
use crate::domain::scope::Scope;

/// The number of scopes that a list shows for each key.
const SHOWN_SCOPES: usize = 2;

#[derive(Debug, Deserialize)]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) audiences: Option<Vec<String>>,
    pub(super) created_at: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) organization: String,
    pub(super) name: String,
    pub(super) environments: Vec<String>,
    pub(super) audiences: Option<Vec<String>>,
    pub(super) created_at: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) name: String,
    note: Option<String>,
    /// Absent in responses of older servers.
    #[serde(default)]
    tags: Tags,
    /// Absent in responses of older servers.
    pub(super) owner: Option<String>,
    prefix: String,
    pub(super) organization: String,
    pub(super) project: String,
    pub(super) environment: String,
    status: String,
    scopes: Vec<Scope>,
    cidrs: Vec<String>,
    /// Absent in responses of older servers.
    #[serde(default)]
    dpop: DpopRequirement,
    generation: u64,
    created_at: String,
    created_by: String,
    created_by_name: Option<String>,
    pub(super) expires_at: Option<String>,
    /// Absent in responses of older servers.
    disabled_at: Option<String>,
    revoked_at: Option<String>,
    revoked_reason: Option<String>,
    pub(super) last_used_at: Option<String>,
    /// Absent in responses of older servers.
    last_used_address: Option<String>,
    secrets: Vec<Secret>,
    /// Absent in responses of older servers.
    #[serde(default)]
    public_keys: Vec<PublicKey>,
    /// Absent in responses of older servers.
    #[serde(default)]
    trust_rules: Vec<TrustRule>,
}

#[derive(Debug, Deserialize)]
struct Secret {
    id: String,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

/// A trust rule.
#[derive(Debug, Deserialize)]
struct TrustRule {
    id: String,
    issuer: String,
    audience: Option<String>,
    subject: Option<String>,
    claims: BTreeMap<String, String>,
    last_used_at: Option<String>,
}

/// A registered public key.
#[derive(Debug, Deserialize)]
pub(super) struct PublicKey {
    id: String,
    kid: String,
    alg: String,
    created_at: String,
    last_used_at: Option<String>,
}

/// A thing, with the members that a dry run adds.
#[derive(Debug, Deserialize)]
pub(super) struct DryRun {
    pub(super) changes: Map<String, Value>,
}

impl Key {
    /// The status in its colour.
    pub(super) fn status_cell(&self) -> Cell {
        Cell::toned(&self.status, self.status_tone())
    }

    /// The first scopes, and the number of the others.
    pub(super) fn scopes_in_short(&self) -> String {
        let shown: Vec<String> = self.scopes.iter().take(SHOWN_SCOPES).map(ToString::to_string).collect();
        match self.scopes.len().saturating_sub(SHOWN_SCOPES) {
            0 => shown.join(" "),
            more => format!("{} +{more}", shown.join(" ")),
        }
    }

    /// Whether the key has a tag or an owner.
    pub(super) fn has_labels(&self) -> bool {
        !self.tags.is_empty() || self.owner.is_some()
    }

    /// The tags in one line.
    pub(super) fn tags_in_short(&self) -> String {
        self.tags.iter().map(in_words).collect::<Vec<_>>().join(" ")
    }

    /// Whether the key has public keys.
    pub(super) fn has_public_keys(&self) -> bool {
        !self.public_keys.is_empty()
    }

    /// All details of the key.
    pub(super) fn sheet(&self) -> Sheet {
        let tags: Vec<String> = self.tags.iter().map(in_words).collect();
        let secrets: Vec<String> = self.secrets.iter().map(Secret::in_words).collect();
        let trust_rules: Vec<String> = self.trust_rules.iter().map(TrustRule::in_words).collect();
        let public_keys: Vec<String> = self.public_keys.iter().map(PublicKey::in_words).collect();
        Sheet::new()
            .line("Id", &self.id)
            .line("Name", &self.name)
            .if_any("Note", self.note.as_ref())
            .if_any("Tags", (!tags.is_empty()).then(|| tags.join("\n")))
            .if_any("Owner", self.owner.as_ref())
            .toned("Status", &self.status, self.status_tone())
            .line("Prefix", &self.prefix)
            .line("Organization", &self.organization)
            .line("Project", &self.project)
            .line("Environment", &self.environment)
            .line("Scopes", lines(&self.scopes))
            .line("Addresses", lines(&self.cidrs))
            .if_any("DPoP", self.dpop.is_required().then_some(self.dpop))
            .line("Generation", self.generation)
            .line("Created", format!("{} by {}", self.created_at, self.creator()))
            .line("Expires", or_never(self.expires_at.as_deref()))
            .if_any("Disabled", self.disabled_at.as_ref())
            .if_any("Revoked", self.revoked_at.as_ref())
            .if_any("Reason", self.revoked_reason.as_ref())
            .line("Last used", or_never(self.last_used_at.as_deref()))
            .if_any("Last address", self.last_used_address.as_ref())
            .line("Secrets", if secrets.is_empty() { "none".to_owned() } else { secrets.join("\n") })
            .if_any("Public keys", (!public_keys.is_empty()).then(|| public_keys.join("\n")))
            .if_any("Trust rules", (!trust_rules.is_empty()).then(|| trust_rules.join("\n")))
    }

    /// Advice for a newest secret that was lost before anybody saw it.
    pub(super) fn after_a_loss(&self) -> String {
        let Self { id, organization, secrets, .. } = self;
        let new_secret = format!("claviger keys rotate {id} --org {organization} --overlap");
        let revoke = format!("claviger keys revoke {id} --org {organization}");
        match secrets.as_slice() {
            [.., _, newest] => format!(
                "The previous secret stays valid. Retire the lost one, then rotate again: \
                 `claviger keys retire-secret {id} {} --org {organization}`, `{new_secret} SPAN`.",
                newest.id
            ),
            _ => format!("Get another secret with `{new_secret} 0`, or revoke the key with `{revoke}`."),
        }
    }

    /// The creator's id, after the name if there is one.
    fn creator(&self) -> String {
        let id = &self.created_by;
        self.created_by_name.as_ref().map_or_else(|| id.clone(), |name| format!("{name} ({id})"))
    }

    fn status_tone(&self) -> Tone {
        match self.status.as_str() {
            "active" => Tone::Good,
            "expired" | "disabled" => Tone::Careful,
            _ => Tone::Bad,
        }
    }
}

/// A tag as it is set on the command line.
fn in_words((name, value): (&str, &str)) -> String {
    format!("{name}={value}")
}

impl Secret {
    fn in_words(&self) -> String {
        let expires = self.expires_at.as_ref().map(|end| format!(", expires {end}")).unwrap_or_default();
        let last_used = or_never(self.last_used_at.as_deref());
        format!("{} of {}{expires}, last used {last_used}", self.id, self.created_at)
    }
}

impl TrustRule {
    fn in_words(&self) -> String {
        let named = [("aud", self.audience.as_ref()), ("sub", self.subject.as_ref())];
        let named = named.into_iter().filter_map(|(claim, text)| Some(format!(" {claim}={}", text?)));
        let claims = self.claims.iter().map(|(pointer, text)| format!(" {pointer}={text}"));
        let pins: String = named.chain(claims).collect();
        format!("{} {}{pins}, last used {}", self.id, self.issuer, or_never(self.last_used_at.as_deref()))
    }
}

impl PublicKey {
    fn in_words(&self) -> String {
        let Self { id, kid, alg, created_at, .. } = self;
        format!("{id} {alg} {kid} of {created_at}, last used {}", or_never(self.last_used_at.as_deref()))
    }

    pub(super) fn sheet(&self) -> Sheet {
        Sheet::new()
            .line("Id", &self.id)
            .line("kid", &self.kid)
            .line("alg", &self.alg)
            .line("Created", &self.created_at)
            .line("Last used", or_never(self.last_used_at.as_deref()))
    }
}

impl Organization {
    pub(super) fn sheet(&self) -> Sheet {
        Sheet::new()
            .line("Id", &self.id)
            .line("Name", &self.name)
            .line("Audiences", audiences(self.audiences.as_deref(), "all of the deployment's"))
            .line("Created", &self.created_at)
    }
}

impl Project {
    pub(super) fn sheet(&self) -> Sheet {
        Sheet::new()
            .line("Id", &self.id)
            .line("Organization", &self.organization)
            .line("Name", &self.name)
            .line("Environments", self.environments.join(" "))
            .line("Audiences", audiences(self.audiences.as_deref(), "all of the organization's"))
            .line("Created", &self.created_at)
    }
}

/// The time, or `never`.
pub(super) fn or_never(time: Option<&str>) -> &str {
    time.unwrap_or("never")
}

/// One item per line.
pub(super) fn lines(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn audiences(own: Option<&[String]>, inherited: &str) -> String {
    own.map_or_else(|| inherited.to_owned(), lines)
}
