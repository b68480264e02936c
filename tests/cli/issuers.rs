//! `claviger issuers`, and `claviger keys trust`.

use serde_json::json;

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(an_issuers_life, a_key_trusts_it, what_is_wrong_with_a_rule_is_said);

const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

async fn an_issuers_life(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, KEYS).unwrap();
    let create =
        ["issuers", "create", "cluster", "--issuer", "https://issuer.example", "--algorithm", "EdDSA"];
    let create = [&create[..], &["--jwks-file", file.to_str().unwrap()]].concat();
    let dry = admin.ok(&[&create[..], &["--dry-run"]].concat());
    assert_eq!(dry.stdout, "This would trust the issuer cluster in default. Nothing was changed.\n");
    let made = admin.ok(&create);
    assert_eq!(
        masked(&made.stdout),
        "Id                cluster\n\
         Organization      default\n\
         Name              cluster\n\
         Issuer            https://issuer.example\n\
         Keys              1 in the record\n\
         Algorithms        EdDSA\n\
         Longest lifetime  3600 s\n\
         Tokens count      until they end\n\
         Status            active\n\
         Created           2000-01-01T00:00:00Z\n"
    );
    assert_eq!(
        masked(&admin.ok(&["issuers", "list"]).stdout),
        "ID       NAME     ISSUER                  STATUS  CREATED\n\
         cluster  cluster  https://issuer.example  active  2000-01-01T00:00:00Z\n"
    );
    assert!(admin.ok(&["issuers", "get", "cluster"]).stdout.contains("\nETag"));
    let checked = admin.ok(&["issuers", "check", "cluster"]);
    assert_eq!(checked.stdout, "Keys  1 usable\n");
    let updated =
        admin.json(&["issuers", "update", "cluster", "--status", "disabled", "--single-use", "true"]);
    assert_eq!((&updated["status"], &updated["single_use"]), (&json!("disabled"), &json!(true)));
    let deleted = admin.ok(&["issuers", "delete", "cluster"]);
    assert_eq!((deleted.stdout.as_str(), deleted.stderr.as_str()), ("", "Deleted cluster.\n"));
    admin.run(&create).assert_failed(5, "conflict");
}

async fn a_key_trusts_it(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let url = "https://token.actions.githubusercontent.com";
    admin.ok(&["issuers", "create", "gh", "--issuer", url]);
    let create = ["keys", "create", "CI", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let made = admin.json(&create);
    let id = made["id"].as_str().unwrap();
    let trust = ["keys", "trust", id, "--issuer", "gh", "--preset", "github", "--pin", "repository_id=74"];
    let dry = admin.ok(&[&trust[..], &["--dry-run"]].concat());
    assert_eq!(dry.stdout, format!("This would let tokens of gh open {id}. Nothing was changed.\n"));
    let added = admin.json(&trust);
    assert_eq!(added["claims"], json!({ "/repository_id": "74" }));
    let named =
        ["keys", "trust", id, "--issuer", "gh", "--subject", "repo:a/b:*", "--pin", "/repository_id=75"];
    let named = admin.json(&named);
    assert_eq!(
        (&named["subject"], &named["claims"]),
        (&json!("repo:a/b:*"), &json!({ "/repository_id": "75" }))
    );
    let narrowed = ["--preset", "github", "--pin", "repository_id=76", "--subject", "repo:a/b:*"];
    let narrowed = admin.json(&[&["keys", "trust", id, "--issuer", "gh"], &narrowed[..]].concat());
    assert_eq!(
        (&narrowed["subject"], &narrowed["claims"]),
        (&json!("repo:a/b:*"), &json!({ "/repository_id": "76" }))
    );
    let rule = added["id"].as_str().unwrap();
    let shown = admin.ok(&["keys", "get", id]).stdout;
    assert!(shown.contains(&format!("{rule} gh /repository_id=74, last used never")), "{shown}");
    let removed = admin.ok(&["keys", "distrust", id, rule]);
    let said = format!("Removed {rule}. All earlier tokens of {id} are invalid.\n");
    assert_eq!((removed.stdout.as_str(), removed.stderr), ("", said));
    admin.run(&["keys", "distrust", id, rule]).assert_failed(4, "not_found");
    let open = ["keys", "trust", id, "--issuer", "gh", "--subject", "repo:a/b:*"];
    admin.run(&open).assert_failed(2, "invalid_request");
}

async fn what_is_wrong_with_a_rule_is_said(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let id = "key_0123456789abcdef";
    for (pins, named) in [
        (&["--preset", "github", "--pin", "ref=x"][..], "the preset needs `repository_id`"),
        (
            &["--preset", "github", "--pin", "repository_id=1", "--pin", "colour=red"],
            "the preset has no `colour`",
        ),
        (&["--pin", "repository_id"], "must be NAME=VALUE"),
        (&["--pin", "repository_id=1"], "is not a JSON Pointer"),
        (&[], "needs a `subject` or a claim"),
    ] {
        let said = admin.run(&[&["keys", "trust", id, "--issuer", "gh"], pins].concat());
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.stderr.contains(named), "{said:?}");
    }
}
