//! Where a client that was refused learns who issues tokens for this resource server (RFC 9728).

use http::Uri;
use serde_json::json;

/// Protected resource metadata: a document, and where it belongs. Only for audiences that are http or https URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMetadata {
    url: String,
    path: String,
    json: String,
}

impl ResourceMetadata {
    /// The URL of the document: its well-known part between host and path (RFC 9728 §3.1).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path in that URL, at which the resource server should serve the document.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The document, of the media type `application/json`.
    pub fn json(&self) -> &str {
        &self.json
    }

    pub(super) fn of(audience: &str, issuer: &str) -> Option<Self> {
        let uri: Uri = audience.parse().ok()?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
        let path = format!("/.well-known/oauth-protected-resource{}", uri.path().trim_end_matches('/'));
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{scheme}://{}{path}{query}", uri.authority()?);
        // RFC 9728 §2.
        let json = json!({
            "resource": audience,
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
        });
        Some(Self { url, path, json: json.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_between_host_and_path() {
        let of = |audience| ResourceMetadata::of(audience, "https://auth.example.com");
        for (audience, url) in [
            ("https://api.example.com", "https://api.example.com/.well-known/oauth-protected-resource"),
            ("https://api.example.com/", "https://api.example.com/.well-known/oauth-protected-resource"),
            ("http://h:8080/a/b", "http://h:8080/.well-known/oauth-protected-resource/a/b"),
            ("https://h/a?b=c", "https://h/.well-known/oauth-protected-resource/a?b=c"),
        ] {
            assert_eq!(of(audience).unwrap().url(), url);
        }
        let json = of("https://h/a").unwrap();
        let document: serde_json::Value = serde_json::from_str(json.json()).unwrap();
        assert_eq!(document["resource"], "https://h/a");
        assert_eq!(document["authorization_servers"], json!(["https://auth.example.com"]));
        assert_eq!(json.path(), "/.well-known/oauth-protected-resource/a");
        assert_eq!(of("urn:example:api"), None);
    }
}
