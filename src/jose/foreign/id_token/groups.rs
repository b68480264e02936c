//! The claim with somebody's groups, whose name the settings choose.

use super::{IdTokenClaims, string};
use crate::jose::json::Value;

/// The most groups in a claim.
const MOST_GROUPS: usize = 1_000;

/// The longest name of a group, in bytes.
const LONGEST_GROUP: usize = 256;

/// Why nobody can say in which groups somebody is. The text completes "the claim with groups …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupsFault {
    /// The provider left the groups out, because they are too many for a token (OpenID Connect Core 1.0 §5.6.2).
    #[error("is left out, because the person is in too many groups")]
    LeftOut,
    /// The claim has another form.
    #[error(
        "is neither one string nor a list of at most {MOST_GROUPS} strings of 1 to {LONGEST_GROUP} bytes"
    )]
    Form,
}

impl IdTokenClaims<'_> {
    /// The groups in this claim, which is a list of strings or a single one. Without the claim, there are none.
    ///
    /// # Errors
    /// [`GroupsFault`].
    pub fn groups(&self, claim: &str) -> Result<Vec<String>, GroupsFault> {
        self.check_complete(claim)?;
        let of = |one: &Value<'_>| {
            let group = string(one).filter(|group| (1..=LONGEST_GROUP).contains(&group.len()));
            group.map(str::to_owned).ok_or(GroupsFault::Form)
        };
        match self.all.get(claim) {
            None => Ok(Vec::new()),
            Some(Value::Array(all)) if all.len() <= MOST_GROUPS => all.iter().map(of).collect(),
            Some(one) => Ok(vec![of(one)?]),
        }
    }

    /// Microsoft Entra names a claim that it left out in `_claim_names`, and where else to ask for it. In tokens that come
    /// by way of the browser, it has `hasgroups` instead.
    fn check_complete(&self, claim: &str) -> Result<(), GroupsFault> {
        let is_elsewhere = match self.all.get("_claim_names") {
            None => false,
            Some(Value::Object(names)) => names.has(claim),
            Some(_) => return Err(GroupsFault::Form),
        };
        let is_hidden = claim == "groups" && !self.all.has(claim) && self.is_true("hasgroups");
        if is_elsewhere || is_hidden { Err(GroupsFault::LeftOut) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::base::clock::Timestamp;
    use crate::jose::foreign::ExpectedIdToken;

    fn groups(more: &Json) -> Result<Vec<String>, GroupsFault> {
        let mut claims = json!({
            "iss": "https://idp.example", "aud": "console", "sub": "1", "nonce": "n", "iat": 100, "exp": 200,
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let expected = ExpectedIdToken { issuer: "https://idp.example", client_id: "console", nonce: "n" };
        let claims = claims.to_string();
        IdTokenClaims::read(claims.as_bytes(), expected, Timestamp::from_unix(100)).unwrap().groups("groups")
    }

    #[test]
    fn groups_are_a_list_of_strings_or_one() {
        let many = vec!["g"; MOST_GROUPS];
        let long = "g".repeat(LONGEST_GROUP);
        for (claim, expected) in [
            (json!({}), vec![]),
            (json!({ "groups": [] }), vec![]),
            (json!({ "groups": "a b" }), vec!["a b"]),
            (json!({ "groups": ["/A/b", "ü", "/A/b"] }), vec!["/A/b", "ü", "/A/b"]),
            (json!({ "groups": many }), many.clone()),
            (json!({ "groups": [long] }), vec![&*long]),
            (json!({ "_claim_names": { "roles": "src1" }, "groups": ["a"] }), vec!["a"]),
            (json!({ "hasgroups": true, "groups": ["a"] }), vec!["a"]),
        ] {
            assert_eq!(groups(&claim).unwrap(), expected, "{claim}");
        }
    }

    #[test]
    fn whatever_else_the_claim_is_says_nothing_about_groups() {
        for claim in [
            json!({ "groups": null }),
            json!({ "groups": 1 }),
            json!({ "groups": true }),
            json!({ "groups": "" }),
            json!({ "groups": { "a": true } }),
            json!({ "groups": ["a", 1] }),
            json!({ "groups": ["a", ""] }),
            json!({ "groups": [["a"]] }),
            json!({ "groups": ["g".repeat(LONGEST_GROUP + 1)] }),
            json!({ "groups": vec!["g"; MOST_GROUPS + 1] }),
            json!({ "_claim_names": "groups" }),
        ] {
            assert_eq!(groups(&claim), Err(GroupsFault::Form), "{claim}");
        }
    }

    #[test]
    fn groups_that_the_provider_left_out_are_not_none() {
        for claim in [
            json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://x" } } }),
            json!({ "_claim_names": { "groups": "src1" }, "groups": ["a"] }),
            json!({ "hasgroups": true }),
        ] {
            assert_eq!(groups(&claim), Err(GroupsFault::LeftOut), "{claim}");
        }
    }
}
