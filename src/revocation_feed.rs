//! What the revocation feed is called, for the server that signs it and whoever verifies it.

/// `typ` of the document.
pub const FEED_TYPE: &str = "revocations+jwt";

/// `aud` of the document: whoever verifies tokens of this issuer.
pub const FEED_AUDIENCE: &str = "urn:claviger:revocations";
