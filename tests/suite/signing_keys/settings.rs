//! What a start does when the settings name another signing key than the one that signs.

use claviger::jose::jwk::Algorithm;
use claviger::node::keyring::{Reconciled, Rotation, RotationPolicy, SigningKeySource, SigningKeyStatus};

use super::{next, rotate, signer, statuses};
use crate::support::{Backend, Options, Server, on_both};

on_both!(
    a_start_without_a_signing_key_setting_changes_no_key,
    restarting_with_the_earlier_settings_cancels_what_was_put_in_line,
    a_configured_key_takes_the_place_of_a_waiting_one,
    a_waiting_key_that_is_about_to_sign_is_not_cancelled,
    a_configured_key_that_is_over_is_reported,
);

/// A key of nobody's.
const RSA: &str = include_str!("../../vectors/pem/rsa-2048.pem");

fn es256() -> SigningKeySource {
    SigningKeySource::Generate(Algorithm::Es256)
}

fn eddsa() -> SigningKeySource {
    SigningKeySource::Generate(Algorithm::EdDsa)
}

fn imported() -> SigningKeySource {
    SigningKeySource::Pem(RSA.to_owned().into())
}

async fn started(backend: Backend, source: SigningKeySource) -> Server {
    Server::start_with(backend, Options { source, ..Options::default() }).await
}

/// Starts with other settings over the same store.
async fn reconcile(server: &Server, source: SigningKeySource) -> Reconciled {
    let policy = RotationPolicy { source, ..server.node.deployment.rotation.clone() };
    let rotation = Rotation {
        policy: &policy,
        ..server.node.signer.rotation(&server.node.records.store, server.clock.now())
    };
    let reconciled = rotation.reconcile().await.expect("keys and settings");
    server.node.signer.keyring.reload(&server.node.records.store).await.expect("the keys read");
    reconciled
}

async fn a_start_without_a_signing_key_setting_changes_no_key(backend: Backend) {
    for (source, reconciled) in [
        (es256(), Reconciled::Fits),
        (eddsa(), Reconciled::Fits),
        (imported(), Reconciled::Unset(Algorithm::Rs256)),
    ] {
        let server = started(backend, source).await;
        assert_eq!(reconcile(&server, SigningKeySource::Unset).await, reconciled);
        assert_eq!(statuses(&server), [SigningKeyStatus::Active]);
    }
}

async fn restarting_with_the_earlier_settings_cancels_what_was_put_in_line(backend: Backend) {
    for (configured, mistaken) in [(imported(), es256()), (es256(), eddsa()), (es256(), imported())] {
        let server = started(backend, configured.clone()).await;
        let active = signer(&server.node);
        let at = server.clock.now().plus(7_200);
        assert_eq!(reconcile(&server, mistaken.clone()).await, Reconciled::Scheduled(at));
        let put_in_line = next(&server).expect("a next key");
        assert_eq!(reconcile(&server, mistaken.clone()).await, Reconciled::Fits, "once is enough");
        assert_eq!(reconcile(&server, configured.clone()).await, Reconciled::Cancelled(put_in_line));
        assert_eq!(reconcile(&server, configured).await, Reconciled::Fits);
        server.advance(7_200).await;
        assert_eq!((statuses(&server), signer(&server.node)), (vec![SigningKeyStatus::Active], active));
        // What was cancelled has never signed, and may be put in line again.
        let at = server.clock.now().plus(7_200);
        assert_eq!(reconcile(&server, mistaken).await, Reconciled::Scheduled(at));
    }
}

async fn a_configured_key_takes_the_place_of_a_waiting_one(backend: Backend) {
    let server = started(backend, es256()).await;
    reconcile(&server, eddsa()).await;
    let waiting = next(&server);
    let at = server.clock.now().plus(7_200);
    assert_eq!(reconcile(&server, imported()).await, Reconciled::Scheduled(at));
    assert_eq!(statuses(&server), [SigningKeyStatus::Active, SigningKeyStatus::Next]);
    assert_ne!(next(&server), waiting);
}

async fn a_waiting_key_that_is_about_to_sign_is_not_cancelled(backend: Backend) {
    let server = started(backend, es256()).await;
    reconcile(&server, eddsa()).await;
    let waiting = next(&server).expect("a next key");
    server.advance(7_190).await;
    assert_eq!(reconcile(&server, es256()).await, Reconciled::TooLate(waiting.clone()));
    server.advance(10).await;
    assert_eq!(signer(&server.node), Some(waiting));
}

async fn a_configured_key_that_is_over_is_reported(backend: Backend) {
    let server = started(backend, imported()).await;
    let configured = signer(&server.node).expect("a signer");
    reconcile(&server, es256()).await;
    server.advance(7_200).await;
    let over = |status| Reconciled::Over { configured: configured.clone(), status };
    assert_eq!(reconcile(&server, imported()).await, over(SigningKeyStatus::Retiring));
    server.advance(700).await;
    let reported = reconcile(&server, imported()).await;
    assert_eq!(reported, over(SigningKeyStatus::Retired));
    assert!(reported.to_string().contains(&configured), "{reported}");
    // The imported key is not replaced by one of the same file.
    rotate(&server).await.refused(409, "conflict");
}
