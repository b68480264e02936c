//! Protected resource metadata, by which a refused client learns who issues tokens for this resource server (RFC 9728).

use http::Uri;
use serde_json::json;

/// The metadata document and its URL. It exists only for audiences that are http or https URLs.
///
/// ```
/// use claviger::verify::Verifier;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
/// #     .any_organization()
/// #     .environments(["prd"])
/// #     .build()?;
/// let metadata = verifier.resource_metadata().ok_or("the audience is not a URL")?;
/// assert_eq!(metadata.url(), "https://api.example.com/.well-known/oauth-protected-resource");
/// assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource");
/// assert!(metadata.json().contains(r#""authorization_servers":["http://127.0.0.1:8080"]"#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMetadata {
    url: String,
    path: String,
    json: String,
}

/// The schemes of accepted credentials.
#[derive(Clone, Copy)]
pub(super) struct Schemes<'a> {
    /// Whether plain tokens are accepted.
    pub(super) bearer: bool,
    /// The algorithms of proofs, if bound tokens are accepted.
    pub(super) dpop: Option<&'a [&'a str]>,
}

impl ResourceMetadata {
    /// The URL of the document, with its well-known part between host and path (RFC 9728 §3.1).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of that URL, where the resource server should serve the document.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The document, with the media type `application/json`.
    pub fn json(&self) -> &str {
        &self.json
    }

    pub(super) fn of(audience: &str, issuer: &str, schemes: Schemes<'_>) -> Option<Self> {
        let uri: Uri = audience.parse().ok()?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
        let path = format!("/.well-known/oauth-protected-resource{}", uri.path().trim_end_matches('/'));
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{scheme}://{}{path}{query}", uri.authority()?);
        // The members of RFC 9728 §2.
        let mut json = json!({
            "resource": audience,
            "authorization_servers": [issuer],
            "bearer_methods_supported": if schemes.bearer { vec!["header"] } else { Vec::new() },
        });
        if let Some(algorithms) = schemes.dpop {
            json["dpop_signing_alg_values_supported"] = json!(algorithms);
        }
        if !schemes.bearer {
            json["dpop_bound_access_tokens_required"] = true.into();
        }
        Some(Self { url, path, json: json.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_between_host_and_path() {
        let of = |audience| {
            ResourceMetadata::of(audience, "https://auth.example.com", Schemes { bearer: true, dpop: None })
        };
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
        assert_eq!(document["dpop_signing_alg_values_supported"], json!(null));
        let with_proofs = ResourceMetadata::of(
            "https://h/a",
            "https://auth.example.com",
            Schemes { bearer: true, dpop: Some(&["ES256"]) },
        )
        .unwrap();
        assert!(with_proofs.json().contains(r#""dpop_signing_alg_values_supported":["ES256"]"#));
        assert_eq!(json.path(), "/.well-known/oauth-protected-resource/a");
        assert_eq!(of("urn:example:api"), None);
    }
}
