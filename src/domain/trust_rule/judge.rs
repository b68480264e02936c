//! Whether a token fulfils a rule.

use serde::Serialize;

use super::{ClaimValue, Platform, Pointer, PresentedClaims, TrustRule};

/// The longest text of a claim that is recorded, in characters.
const MAX_RECORDED: usize = 128;

/// Events of GitHub that run a repository's workflow with its rights although somebody else caused them.
const FOREIGN_EVENTS: [&str; 2] = ["pull_request_target", "workflow_run"];

/// The first check of a rule that a token fails. The text completes "the rule does not match: …". It has nothing of the
/// token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The rule doesn't name what its issuer's platform needs.
    #[error("the rule names no claim that nobody else can register again")]
    Pins,
    /// `aud` is not exactly the one value.
    #[error("`aud` is not exactly the one audience of the rule")]
    Audience,
    /// `sub` is another one, or absent.
    #[error("`sub` is not the subject of the rule")]
    Subject,
    /// A claim is another one, is absent, or is neither a string nor an integer nor a boolean.
    #[error("`{0}` does not have the value of the rule")]
    Claim(Pointer),
    /// A GitHub workflow was started by an event that anybody can cause, and the rule doesn't name the event.
    #[error("`/event_name` is an event that others can cause, and the rule does not name it")]
    Event,
}

impl Mismatch {
    /// The check that failed, in a word.
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Pins => "pins",
            Self::Audience => "audience",
            Self::Subject => "subject",
            Self::Claim(_) => "claim",
            Self::Event => "event",
        }
    }
}

/// A claim that a rule compares, as the audit trail shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparedClaim {
    /// `aud`, `sub` or a pointer.
    pub claim: String,
    /// What the token has: the beginning of the text, or `None` if the claim is absent or of another kind.
    pub presented: Option<String>,
}

impl TrustRule {
    /// Judges the claims of a token whose signature holds. `own_issuer` is the audience of a rule that names none.
    ///
    /// # Errors
    /// The first [`Mismatch`].
    pub fn judge(
        &self,
        presented: &PresentedClaims<'_>,
        own_issuer: &str,
        platform: Platform,
    ) -> Result<(), Mismatch> {
        if !self.pins_somebody(platform) {
            return Err(Mismatch::Pins);
        }
        let audience = self.audience().unwrap_or(own_issuer);
        if !matches!(presented.audience.as_slice(), [only] if only == audience) {
            return Err(Mismatch::Audience);
        }
        if let Some(pattern) = self.subject() {
            let subject = text_of(presented, "sub");
            if !subject.is_some_and(|subject| pattern.matches(subject)) {
                return Err(Mismatch::Subject);
            }
        }
        for (pointer, value) in self.claims() {
            let claim = pointer.find(&presented.all).and_then(ClaimValue::text);
            if claim.as_deref() != Some(value) {
                return Err(Mismatch::Claim(pointer.clone()));
            }
        }
        let is_foreign =
            text_of(presented, "event_name").is_some_and(|event| FOREIGN_EVENTS.contains(&event));
        match platform == Platform::GithubActions && is_foreign && !self.names("event_name") {
            true => Err(Mismatch::Event),
            false => Ok(()),
        }
    }

    /// The claims that the rule compares, with what the token has, for the audit trail.
    pub fn compared(&self, presented: &PresentedClaims<'_>) -> Vec<ComparedClaim> {
        let audience = presented.audience.join(" ");
        let mut compared =
            vec![ComparedClaim { claim: "aud".to_owned(), presented: Some(recorded(&audience)) }];
        if self.subject.is_some() {
            let subject = text_of(presented, "sub").map(recorded);
            compared.push(ComparedClaim { claim: "sub".to_owned(), presented: subject });
        }
        compared.extend(self.claims().map(|(pointer, _)| {
            let claim = pointer.find(&presented.all).and_then(ClaimValue::text);
            ComparedClaim { claim: pointer.to_string(), presented: claim.as_deref().map(recorded) }
        }));
        compared
    }
}

fn text_of<'c>(presented: &'c PresentedClaims<'_>, claim: &str) -> Option<&'c str> {
    match presented.all.member(claim)? {
        ClaimValue::Text(text) => Some(text),
        _ => None,
    }
}

/// The beginning of a claim's text. Control characters would disturb whoever reads it.
fn recorded(text: &str) -> String {
    let mut characters = text.chars();
    let printable = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    let mut recorded: String = characters.by_ref().take(MAX_RECORDED).map(printable).collect();
    if characters.next().is_some() {
        recorded.push('…');
    }
    recorded
}
