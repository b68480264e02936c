//! The form that adds a trust rule: a part for each preset, and one for any other issuer.

use crate::console::fields::Fields;
use crate::domain::trust_rule::{Preset, PresetPin, RuleFault, TrustRule};
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::use_cases::management::{ApiError, InvalidRequest};

/// The part for any other issuer.
pub(super) const OTHER: &str = "other";

/// The input of the form.
#[derive(Debug)]
pub(super) struct RuleForm {
    /// The name of a preset, or [`OTHER`].
    pub(super) platform: &'static str,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) subject: String,
    /// Lines such as `/repository_id=74`, for any other issuer.
    pub(super) claims: String,
    /// The values of presets, by their fields.
    pins: Vec<(String, String)>,
}

/// A trusted issuer that a rule may name.
pub(super) struct IssuerChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) url: String,
    /// The name of the preset for its tokens, if its URL tells.
    pub(super) platform: &'static str,
    pub(super) is_disabled: bool,
}

/// The part of the form for one platform.
pub(super) struct PlatformForm {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// The URL of the issuer that everybody shares, if there is one.
    pub(super) issuer: &'static str,
    pub(super) pins: Vec<PinField>,
    /// What the platform calls the subject of its tokens, if a rule needs it.
    pub(super) subject: Option<&'static str>,
}

/// A value of a preset.
pub(super) struct PinField {
    /// The name of the field, and its id on the page.
    pub(super) field: String,
    pub(super) label: &'static str,
    /// The pointer of the claim.
    pub(super) claim: &'static str,
    pub(super) is_required: bool,
    pub(super) is_proposed: bool,
    pub(super) value: String,
}

impl RuleForm {
    /// An empty form for a platform. An unknown one gets the first preset.
    pub(super) fn empty(platform: &str) -> Self {
        let preset = Preset::named(platform).unwrap_or(Preset::ALL[0]);
        Self {
            platform: if platform == OTHER { OTHER } else { preset.name },
            issuer: String::new(),
            audience: String::new(),
            subject: String::new(),
            claims: String::new(),
            pins: Vec::new(),
        }
    }

    /// The form filled from a submission.
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        let pins = Preset::ALL.into_iter().flat_map(|preset| pins(preset).map(move |pin| field(preset, pin)));
        Self {
            issuer: text("issuer"),
            audience: text("audience"),
            subject: text("subject"),
            claims: text("claims"),
            pins: pins.map(|field| (field.clone(), text(&field))).collect(),
            ..Self::empty(fields.text("platform"))
        }
    }

    /// The form with the issuer that its platform suggests, if none is chosen.
    pub(super) fn with_issuer_among(self, issuers: &[IssuerChoice]) -> Self {
        let fitting = || issuers.iter().find(|choice| choice.platform == self.platform);
        match fitting().filter(|_| self.issuer.is_empty()) {
            Some(choice) => Self { issuer: choice.id.clone(), ..self },
            None => self,
        }
    }

    /// The rule that the form describes.
    ///
    /// # Errors
    /// [`InvalidRequest::NoSuchIssuer`], [`InvalidRequest::TrustRule`], and [`InvalidRequest::FormMembers`] for a line that
    /// is no claim.
    pub(super) fn rule(&self) -> Result<TrustRule, InvalidRequest> {
        let issuer = self.issuer.parse().map_err(|_| InvalidRequest::NoSuchIssuer)?;
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let (audience, subject) = (given(&self.audience), given(&self.subject));
        let made = match Preset::named(self.platform) {
            Some(preset) => {
                let value = |pin| given(self.pin(&field(preset, pin)));
                let values = pins(preset).filter_map(|pin| Some((pin.name.to_owned(), value(pin)?)));
                preset.fill(issuer, audience, subject, values.collect())
            }
            None => TrustRule::new(issuer, audience, subject, self.claims()?),
        };
        made.map_err(InvalidRequest::TrustRule)
    }

    /// The field that an error is about, or an empty text.
    pub(super) fn field_of(&self, error: &ApiError) -> String {
        let ApiError::InvalidRequest(reason) = error else { return String::new() };
        let preset = Preset::named(self.platform);
        let of_pin = |is_it: &dyn Fn(&PresetPin) -> bool| {
            let preset = preset?;
            pins(preset).find(|pin| is_it(pin)).map(|pin| field(preset, pin))
        };
        let fallback = if preset.is_some() { "" } else { "claims" };
        match reason {
            InvalidRequest::NoSuchIssuer => "issuer".to_owned(),
            InvalidRequest::FormMembers(_) => "claims".to_owned(),
            InvalidRequest::TrustRule(fault) => match fault {
                RuleFault::Audience => "audience".to_owned(),
                RuleFault::Subject | RuleFault::SubjectPattern | RuleFault::Nothing => "subject".to_owned(),
                RuleFault::PresetNeeds(name) => {
                    of_pin(&|pin| pin.name == *name).unwrap_or_else(|| "subject".to_owned())
                }
                RuleFault::Value(pointer) => {
                    let pointer = pointer.to_string();
                    of_pin(&|pin| pin.claim == Some(&*pointer)).unwrap_or_else(|| "claims".to_owned())
                }
                // A preset pins what its own platform needs, so the issuer is one of another platform.
                RuleFault::Shared(_) if preset.is_some() => "issuer".to_owned(),
                _ => fallback.to_owned(),
            },
            _ => String::new(),
        }
    }

    fn pin(&self, field: &str) -> &str {
        self.pins.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value)
    }

    fn claims(&self) -> Result<Vec<(String, String)>, InvalidRequest> {
        let lines = self.claims.lines().map(str::trim).filter(|line| !line.is_empty());
        let claim = |line: &str| {
            let (pointer, value) = line.split_once('=')?;
            Some((pointer.trim().to_owned(), value.trim().to_owned()))
        };
        let claims: Option<Vec<_>> = lines.map(claim).collect();
        claims.ok_or_else(|| {
            InvalidRequest::FormMembers("each claim is a line such as /repository_id = 74".to_owned())
        })
    }
}

impl IssuerChoice {
    pub(super) fn of(issuer: &TrustedIssuer) -> Self {
        Self {
            id: issuer.id.to_string(),
            name: issuer.name.clone(),
            url: issuer.url.to_string(),
            platform: Preset::of(issuer.platform()).map_or("", |preset| preset.name),
            is_disabled: !issuer.is_active(),
        }
    }
}

impl PlatformForm {
    /// The parts for every preset, and the one for any other issuer, with the input of `form`.
    pub(super) fn all(form: &RuleForm) -> Vec<Self> {
        let part = |preset: Preset| {
            let pin = |pin: &PresetPin| PinField {
                field: field(preset, pin),
                label: pin.label,
                claim: pin.claim.unwrap_or_default(),
                is_required: pin.is_required,
                is_proposed: pin.is_proposed,
                value: form.pin(&field(preset, pin)).to_owned(),
            };
            Self {
                name: preset.name,
                title: preset.title,
                issuer: preset.issuer.unwrap_or_default(),
                pins: pins(preset).map(pin).collect(),
                subject: preset.pins.iter().find(|pin| pin.claim.is_none()).map(|pin| pin.label),
            }
        };
        let other = Self { name: OTHER, title: "Any other", issuer: "", pins: Vec::new(), subject: None };
        Preset::ALL.into_iter().map(part).chain([other]).collect()
    }
}

/// The values of a preset that are claims. The subject has a field of its own.
fn pins(preset: Preset) -> impl Iterator<Item = &'static PresetPin> {
    preset.pins.iter().filter(|pin| pin.claim.is_some())
}

fn field(preset: Preset, pin: &PresetPin) -> String {
    format!("{}-{}", preset.name, pin.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(text: &str) -> RuleForm {
        RuleForm::sent(&Fields::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_form_describes_the_rule_of_its_platform() {
        let github =
            "platform=github&issuer=gh&audience=x&github-repository_id=74&github-ref=&gitlab-project_id=1";
        let rule = sent(github).rule().unwrap();
        assert_eq!(json!(rule), json!({"issuer": "gh", "audience": "x", "claims": {"/repository_id": "74"}}));
        let google = sent("platform=google&issuer=g&subject=1").rule().unwrap();
        assert_eq!(json!(google), json!({"issuer": "g", "subject": "1", "claims": {}}));
        let other = sent("platform=other&issuer=ci&claims=/a%20=%20b=c%0D%0A%0D%0A/d=%201").rule().unwrap();
        assert_eq!(json!(other), json!({"issuer": "ci", "claims": {"/a": "b=c", "/d": "1"}}));
    }

    #[test]
    fn an_error_is_at_its_field() {
        for (text, field) in [
            ("platform=github&issuer=gh", "github-repository_id"),
            ("platform=github&issuer=&github-repository_id=1", "issuer"),
            ("platform=github&issuer=gh&github-repository_id=1&github-ref=%01", "github-ref"),
            ("platform=github&issuer=gh&github-repository_id=1&subject=a*", "subject"),
            ("platform=google&issuer=g", "subject"),
            ("platform=other&issuer=ci", "subject"),
            ("platform=other&issuer=ci&claims=x", "claims"),
            ("platform=other&issuer=ci&claims=x=1", "claims"),
            ("platform=other&issuer=ci&claims=/exp=1", "claims"),
            ("platform=other&issuer=ci&subject=a&audience=%01", "audience"),
        ] {
            let form = sent(text);
            assert_eq!(form.field_of(&form.rule().unwrap_err().into()), field, "{text}");
        }
    }
}
