//! What clients and administrators do, in process and over HTTP.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use claviger::domain::address::{CallerAddress, Origin};
use claviger::domain::api_key::KeyId;
use claviger::jose::claims::{Audience, TokenFault};
use claviger::node::{BearerFault, Node, Presented, PresentedClient, PresentedFor, PresentedToken};
use claviger::use_cases::access::{Caller, PresentedCredential, identify};
use claviger::use_cases::management::Force;
use claviger::use_cases::management::keys::{KeyPath, revoke as revoke_key};
use claviger::use_cases::token::{
    GrantRequest, OAuthError, RevokeRequest, client_credentials, revoke as revoke_token,
};
use serde_json::json;

use crate::support::{Client, Server};

/// The same requests in process, where thousands fit into the time, and over HTTP, as clients make them.
#[derive(Clone)]
pub(super) enum Way {
    Direct { node: Arc<Node>, admin: Caller },
    Http { client: Client, admin: Client },
}

const HERE: Origin<'static> = Origin {
    address: CallerAddress::Known(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    request_id: "000000000000000000000001",
};

impl Way {
    pub(super) async fn direct(server: &Server) -> Self {
        let node = Arc::clone(&server.node);
        Self::Direct { admin: caller(&node, &server.admin_key).await, node }
    }

    pub(super) fn over_http(server: &Server) -> Self {
        Self::Http { client: server.client(), admin: server.admin() }
    }

    /// A token, unless the client is refused. Nothing else may happen.
    pub(super) async fn token(&self, key: &str) -> Option<String> {
        match self {
            Self::Direct { node, .. } => {
                let presented = PresentedClient::Secret(Presented { client_id: None, key });
                let (request, now) = (GrantRequest::default(), node.clock.now());
                let (authenticator, signer) = (&node.authenticator, &node.signer);
                match client_credentials(authenticator, signer, presented, HERE, &request, now).await {
                    Ok(issued) => Some(issued.access_token),
                    Err(OAuthError::InvalidClient(_)) => None,
                    Err(other) => panic!("{other:?}"),
                }
            }
            Self::Http { client, .. } => {
                let answer = client.token(key, "").await;
                if answer.status == 401 {
                    return None;
                }
                assert_eq!(answer.status, 200, "{}", answer.text);
                answer.json()["access_token"].as_str().map(str::to_owned)
            }
        }
    }

    pub(super) async fn is_active(&self, token: &str) -> bool {
        match self {
            Self::Direct { node, .. } => {
                match node
                    .authenticator
                    .live_token(PresentedToken::Bearer(token), Audience::Any, node.clock.now())
                    .await
                {
                    Ok(_) => true,
                    Err(BearerFault::Revoked | BearerFault::KeyRevoked) => false,
                    Err(BearerFault::Refused(TokenFault::UnknownKey)) => false,
                    Err(other) => panic!("{other}"),
                }
            }
            Self::Http { admin, .. } => {
                admin.post_form("/oauth/introspect", &format!("token={token}")).await.json()["active"] == true
            }
        }
    }

    pub(super) async fn revoke_key(&self, key: KeyId) {
        match self {
            Self::Direct { node, admin } => {
                let path = KeyPath { organization: "default".parse().expect("a name"), key };
                revoke_key(&node.records, admin, &path, None, Force::Yes).await.expect("a revocation");
            }
            Self::Http { admin, .. } => {
                let path = format!("/v1/orgs/default/keys/{key}/revoke");
                let answer = admin.post_json(&path, &json!({})).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
            }
        }
    }

    /// Revokes a token as its own client.
    pub(super) async fn revoke_token(&self, key: &str, token: &str) {
        match self {
            Self::Direct { node, .. } => {
                let caller = caller(node, key).await;
                let request = RevokeRequest { caller, token: token.to_owned() };
                revoke_token(&node.authenticator, &node.records, request).await.expect("a revocation");
            }
            Self::Http { client, .. } => {
                let form = format!("token={token}&client_secret={key}");
                let answer = client.post_form("/oauth/revoke", &form).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
            }
        }
    }
}

async fn caller(node: &Arc<Node>, key: &str) -> Caller {
    let key = PresentedCredential::ApiKey(key);
    identify(&node.authenticator, key, PresentedFor::Acting, HERE, node.clock.now()).await.expect("a caller")
}
