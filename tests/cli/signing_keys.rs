//! `claviger signing-keys`.

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(signing_keys_are_listed_rotated_and_withdrawn);

async fn signing_keys_are_listed_rotated_and_withdrawn(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let kid = admin.json(&["signing-keys", "list"])["data"][0]["kid"].as_str().unwrap().to_owned();
    assert_eq!(
        masked(&admin.ok(&["signing-keys", "list"]).stdout),
        format!(
            "KID                                          ALGORITHM  STATUS  CREATED               \
             SIGNS FROM            SIGNS UNTIL\n\
             {kid}  ES256      active  2000-01-01T00:00:00Z  2000-01-01T00:00:00Z  never\n"
        )
    );
    let rotated = admin.ok(&["signing-keys", "rotate"]).stdout;
    assert_eq!(rotated.lines().count(), 3, "{rotated}");
    assert!(rotated.lines().nth(1).unwrap().contains("  next  "), "{rotated}");
    admin.run(&["signing-keys", "rotate"]).assert_failed(5, "conflict");
    let withdrawn = admin.json(&["signing-keys", "rotate", "--compromised", &kid]);
    let stages = withdrawn["data"].as_array().unwrap().iter();
    let withdrawn: Vec<_> = stages.filter(|key| key["kid"] == kid).map(|key| key["status"].clone()).collect();
    assert_eq!(withdrawn, ["withdrawn"]);
    admin.run(&["signing-keys", "rotate", "--compromised", "nobody"]).assert_failed(4, "not_found");
}
