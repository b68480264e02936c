//! The reasons why a trust rule is refused.

use super::{Platform, Pointer, TrustRule};
use crate::base::text::Excerpt;

/// Why a trust rule is refused. The text is a sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFault {
    /// The rule names neither a subject nor a claim, so every token of the issuer would match.
    #[error("a trust rule needs a `subject` or a claim, or every token of the issuer would match")]
    Nothing,
    /// The audience is empty, too long or has control characters.
    #[error("`audience` must have 1 to {} bytes and no control characters", TrustRule::MAX_VALUE)]
    Audience,
    /// The subject is empty, too long or has control characters.
    #[error("`subject` must have 1 to {} bytes and no control characters", TrustRule::MAX_VALUE)]
    Subject,
    /// The subject has a `*` that could end in the middle of somebody's name.
    #[error("`subject` may have one `*`, as its last character, behind `:` or `/`")]
    SubjectPattern,
    /// There are more than [`TrustRule::MAX_CLAIMS`] claims.
    #[error("a trust rule names at most {} claims", TrustRule::MAX_CLAIMS)]
    TooManyClaims,
    /// RFC 6901 §3: a claim's name is not a JSON Pointer, has an empty part or is too long.
    #[error(
        "`{0}` is not a JSON Pointer to a claim, such as `/repository_id`, of at most {max} bytes",
        max = Pointer::MAX_LENGTH
    )]
    Pointer(Excerpt),
    /// A claim's value is empty, too long or has control characters.
    #[error("the value of `{0}` must have 1 to {max} bytes and no control characters", max = TrustRule::MAX_VALUE)]
    Value(Pointer),
    /// A claim is named twice.
    #[error("`{0}` is named twice")]
    Twice(Pointer),
    /// `sub` is written as a claim.
    #[error("`/sub` is written as `subject`")]
    SubjectAsClaim,
    /// The claim says nothing about who presents the token.
    #[error("`{0}` pins nothing: it says nothing lasting about who presents the token")]
    PinsNothing(Pointer),
    /// Many share the issuer, and the rule names only what others can register again, or nothing.
    #[error(
        "many share {0}, so a trust rule has to name {needed}, which nobody else can register again",
        needed = .0.needed()
    )]
    Shared(Platform),
    /// A preset lacks a value.
    #[error("the preset needs `{0}`")]
    PresetNeeds(&'static str),
    /// A preset has no such value.
    #[error("the preset has no `{0}`")]
    PresetUnknown(Excerpt),
}
