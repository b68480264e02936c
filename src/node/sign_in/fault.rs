//! Why somebody can't be signed in at a provider.

use super::super::KeysFault;
use crate::client::FetchFault;
use crate::jose::foreign::{DiscoveryFault, ForeignJwsFault, IdTokenFault};

/// Why a provider signs nobody in. The text is for the log; it has nothing that another server or a person sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInFault {
    /// The provider's description can't be fetched.
    #[error("the provider's description can't be fetched: {0}")]
    Description(FetchFault),
    /// The provider's description is refused.
    #[error("the provider's description {0}")]
    Discovery(#[from] DiscoveryFault),
    /// A fetch of the description failed a moment ago.
    #[error("the provider's description could not be fetched a moment ago")]
    Resting,
    /// Too many people from this address, or from all together, are being signed in.
    #[error("too many sign-ins are being completed at once")]
    Crowded,
    /// The token endpoint can't be reached.
    #[error("the token endpoint can't be asked: {0}")]
    TokenEndpoint(FetchFault),
    /// The token endpoint refuses this server as a client.
    #[error("the token endpoint refuses this server's credentials: {0}")]
    Client(&'static str),
    /// The token endpoint refuses the code.
    #[error("the token endpoint refuses the code: {0}")]
    Code(&'static str),
    /// The answer of the token endpoint is no token response with an ID token.
    #[error("the token endpoint's answer has no ID token")]
    NoIdToken,
    /// The request can't be made.
    #[error("the request to the token endpoint can't be made")]
    Request,
    /// The ID token is no strict JWS, or has an algorithm that nobody is trusted with.
    #[error("the ID token is refused: {0}")]
    Token(ForeignJwsFault),
    /// `typ` says that it is another kind of document.
    #[error("the ID token is refused: its `typ` is neither absent nor `JWT`")]
    Type,
    /// The provider's keys can't be had.
    #[error("the provider has no keys at the moment: {0}")]
    Keys(KeysFault),
    /// No key of the provider has the id in `kid` and the algorithm in `alg`.
    #[error("the provider has no key for the ID token's `kid` and `alg`")]
    UnknownKey,
    /// The signature is not the provider's.
    #[error("the ID token is refused: its signature is wrong")]
    Signature,
    /// The claims are refused.
    #[error("the ID token is refused: {0}")]
    Claims(#[from] IdTokenFault),
}

impl SignInFault {
    /// Whether the provider, or this server's settings for it, are to blame, and not who signs in.
    pub const fn is_of_provider(self) -> bool {
        matches!(
            self,
            Self::Description(_)
                | Self::Discovery(_)
                | Self::Resting
                | Self::TokenEndpoint(_)
                | Self::Client(_)
                | Self::Keys(_)
                | Self::Request
        )
    }
}
