//! Everything that changes the store at somebody's request.

use serde_json::json;

use crate::support::{Answer, Backend, Server};
use crate::token::claims;

/// A kind of mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutation {
    CreateKey,
    RevokeKey,
    RevokeToken,
    RotateSigningKey,
    WithdrawSigningKey,
}

impl Mutation {
    pub(super) const ALL: [Self; 5] = [
        Self::CreateKey,
        Self::RevokeKey,
        Self::RevokeToken,
        Self::RotateSigningKey,
        Self::WithdrawSigningKey,
    ];

    /// What the audit trail calls it.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::CreateKey => "key.create",
            Self::RevokeKey => "key.revoke",
            Self::RevokeToken => "token.revoke",
            Self::RotateSigningKey => "signing_key.rotate",
            Self::WithdrawSigningKey => "signing_key.withdraw",
        }
    }

    /// Tables that it writes to and that nothing before it reads.
    pub(super) fn tables(self) -> &'static [&'static str] {
        match self {
            Self::CreateKey => &["key_secrets", "changes", "audit_events"],
            Self::RevokeKey => &["changes", "audit_events"],
            Self::RevokeToken => &["revoked_tokens", "changes", "audit_events"],
            Self::RotateSigningKey | Self::WithdrawSigningKey => &["signing_keys", "changes", "audit_events"],
        }
    }
}

/// A server, and what there is to change on it.
pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) key_id: String,
    pub(super) key: String,
    pub(super) token: String,
    pub(super) kid: String,
}

impl Stage {
    pub(super) async fn set(backend: Backend) -> Self {
        let server = Server::start(backend).await;
        let (key_id, key) = server.key(&["read:*"]).await;
        let token = server.client().access_token(&key, "").await;
        let keys = server.admin().get("/v1/signing-keys").await.json();
        let kid = keys["data"][0]["kid"].as_str().expect("a kid").to_owned();
        // So that what is made from now on is the newest.
        server.clock.advance(1);
        Self { server, key_id, key, token, kid }
    }

    /// Asks for the mutation, as the administrator.
    pub(super) async fn ask(&self, mutation: Mutation) -> Answer {
        let admin = self.server.admin();
        match mutation {
            Mutation::CreateKey => {
                let key = json!({ "name": "audited", "project": "default", "environment": "prd", "preset": "query_only" });
                admin.post_json("/v1/orgs/default/keys", &key).await
            }
            Mutation::RevokeKey => {
                let path = format!("/v1/orgs/default/keys/{}/revoke", self.key_id);
                admin.post_json(&path, &json!({ "reason": "leaked" })).await
            }
            Mutation::RevokeToken => admin.post_form("/oauth/revoke", &format!("token={}", self.token)).await,
            Mutation::RotateSigningKey => admin.post_json("/v1/signing-keys/rotate", &json!({})).await,
            Mutation::WithdrawSigningKey => {
                admin.post_json("/v1/signing-keys/rotate", &json!({ "compromised": self.kid })).await
            }
        }
    }

    /// The id of the token.
    pub(super) fn jti(&self) -> String {
        claims(&self.token)["jti"].as_str().expect("a jti").to_owned()
    }
}
