//! Signing keys in the store: sealed, and each bound to its row.

use std::sync::Arc;

use claviger::node::MasterKeys;
use claviger::node::keyring::Keyring;
use serde_json::json;

use crate::support::{Backend, Server, on_both};

on_both!(a_signing_key_opens_only_unchanged_and_in_its_row);

async fn a_signing_key_opens_only_unchanged_and_in_its_row(backend: Backend) {
    for (what, tamper, complaint) in [
        ("nothing", "", None),
        (
            "sealed bytes cut short",
            "UPDATE signing_keys SET sealed_private = substr(sealed_private, 1, 40)",
            Some("a sealed value can't be opened"),
        ),
        (
            "no sealed bytes",
            "UPDATE signing_keys SET sealed_private = substr(sealed_private, 1, 0)",
            Some("a sealed value can't be opened"),
        ),
        (
            "two rows swapped",
            "UPDATE signing_keys SET sealed_private =
                 (SELECT other.sealed_private FROM signing_keys other WHERE other.kid <> signing_keys.kid)",
            Some("a sealed value can't be opened"),
        ),
        (
            "another algorithm",
            "UPDATE signing_keys SET algorithm = 'EdDSA'",
            Some("a sealed value can't be opened"),
        ),
        ("no algorithm", "UPDATE signing_keys SET algorithm = 'none'", Some("does not match its record")),
        (
            "another public key",
            "UPDATE signing_keys SET public_jwk =
                 (SELECT other.public_jwk FROM signing_keys other WHERE other.kid <> signing_keys.kid)",
            Some("does not match its record"),
        ),
        ("another kid", "UPDATE signing_keys SET kid = 'x' || kid", Some("a sealed value can't be opened")),
        ("no key", "DELETE FROM signing_keys", Some("the store holds no signing key")),
    ] {
        let server = Server::start(backend).await;
        let rotated = server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await;
        assert_eq!(rotated.status, 201, "{}", rotated.text);
        if !tamper.is_empty() {
            server.database.execute(tamper).await;
        }
        let master_keys = Arc::new(MasterKeys::only(server.master_key().derived()));
        let loaded = Keyring::load(&mut server.node.records.store.change_reader(), master_keys).await;
        match (loaded.map_err(|error| error.to_string()), complaint) {
            (Ok(_), None) => {}
            (Err(error), Some(complaint)) => assert!(error.contains(complaint), "{what}: {error}"),
            (loaded, _) => panic!("{what}: {loaded:?}"),
        }
        // What was opened before goes on signing; what does not open is not taken in.
        let reloaded = server.node.signer.keyring.reload(&server.node.records.store).await;
        assert_eq!(reloaded.is_ok(), complaint.is_none() || what == "no key", "{what}");
    }
}
