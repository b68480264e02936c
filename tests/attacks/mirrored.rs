//! (r, n−s) is a signature of whatever (r, s) signs, and anybody can make it. So it is the same token, and dies with it.

use claviger::verify::Refusal;

use crate::forge::Good;
use crate::signatures::P256_ORDER;
use crate::support::{Backend, on_both};
use crate::token_readers::{INACTIVE, TokenReaders};
use crate::world::{until_refused, verdict};

on_both!(a_revoked_token_takes_its_mirror_along, a_revoked_mirror_takes_its_token_along);

async fn a_revoked_token_takes_its_mirror_along(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        let twin = mirrored(&good);
        revoke(&readers, &good.token).await;
        is_dead(&readers, &good, &twin).await;
    }
}

async fn a_revoked_mirror_takes_its_token_along(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        let twin = mirrored(&good);
        // It is remembered where tokens are.
        readers.accept(&good, &good.token).await;
        readers.accept(&good, &twin).await;
        let access = verdict(&readers.verifier, &twin).await;
        if let Ok(access) = access {
            assert_eq!(access.claims().token_id, good.payload["jti"]);
        }
        revoke(&readers, &twin).await;
        is_dead(&readers, &good, &good.token).await;
        is_dead(&readers, &good, &twin).await;
    }
}

pub(crate) fn mirrored(good: &Good) -> String {
    let mut signature = good.signature();
    let mut borrow = 0;
    for (digit, order) in signature[32..].iter_mut().zip(P256_ORDER).rev() {
        let difference = 256 + i32::from(order) - i32::from(*digit) - borrow;
        *digit = u8::try_from(difference % 256).unwrap();
        borrow = i32::from(difference < 256);
    }
    let twin = good.signed_by(&signature);
    assert_ne!(twin, good.token);
    twin
}

async fn revoke(readers: &TokenReaders, token: &str) {
    let form = format!("token={token}&client_secret={}", readers.world.server.admin_key);
    assert_eq!(readers.world.server.client().post_form("/oauth/revoke", &form).await.status, 200);
    readers.world.tell().await;
}

async fn is_dead(readers: &TokenReaders, good: &Good, token: &str) {
    if good.whom == crate::forge::For::Resources {
        until_refused(&readers.verifier, token, Refusal::Revoked).await;
    }
    assert_eq!(readers.introspected(token).await.text, INACTIVE);
    readers.shown(good.whom, token).await.refused(401, "token_revoked");
}
