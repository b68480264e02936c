//! `claviger master-key`: a rotation as an operator does it, with the real binary.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use serde_json::json;

use crate::support::{Backend, Claviger, Client, Database, Process, on_both, until, write_private};

on_both!(
    a_rotation_needs_no_restart_and_survives_one,
    the_master_key_comes_from_a_variable_a_credential_or_a_command,
    a_command_that_gives_no_master_key_stops_the_start,
    an_older_backup_is_restored_with_its_own_master_key,
);

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    text(&output.stdout)
}

#[track_caller]
fn complaint(output: &Output) -> String {
    assert_ne!(output.status.code(), Some(0), "{output:?}");
    text(&output.stderr)
}

fn stop(server: Process) {
    server.signal("TERM");
    assert!(server.end().0.success());
}

fn in_folder(database: &Database, name: &str) -> PathBuf {
    database.folder.path().join(name)
}

/// The command line of an administrator of this server.
fn administrator(claviger: &Claviger, server: &Process, key: &str) -> Claviger {
    let url = format!("http://{}", server.address);
    claviger.clone().set("CLAVIGER_URL", &url).set("CLAVIGER_API_KEY", key)
}

async fn works(client: &Client, key: &str) {
    client.token(key, "").await.done(200);
}

/// Offers a next master key in a file, and makes it the active one.
async fn rotate(claviger: &Claviger, server: &Process, key: &str) {
    done(&claviger.run(&["master-key", "generate", "keys/next-master.key"]));
    let admin = administrator(claviger, server, key);
    let offered = async || {
        let status = done(&admin.run(&["master-key", "status", "--json"]));
        serde_json::from_str::<serde_json::Value>(&status).expect("JSON")["next"].is_string()
    };
    until("the next master key", offered).await;
    done(&admin.run(&["master-key", "rotate"]));
}

async fn a_rotation_needs_no_restart_and_survives_one(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_ISSUER", "http://127.0.0.1:1");
    let server = claviger.serve();
    let (admin_key, (_, key)) = (server.admin_key(), server.admin().create_key(&["read:*"]).await);
    let admin = administrator(&claviger, &server, &admin_key);
    let none = admin.run(&["master-key", "rotate"]);
    assert!(complaint(&none).contains("no master key that could take over"), "{none:?}");

    let made = done(&claviger.run(&["master-key", "generate", "keys/next-master.key"]));
    let next = in_folder(&database, "keys/next-master.key");
    assert_eq!(fs::metadata(&next).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(&next).unwrap();
    assert!(made.contains("check value") && !made.contains(text.trim()), "{made}");
    let again = claviger.run(&["master-key", "generate", "keys/next-master.key"]);
    assert!(complaint(&again).contains("next-master.key"), "{again:?}");
    assert_eq!(fs::read_to_string(&next).unwrap(), text);

    let offered = async || done(&admin.run(&["master-key", "status"])).contains("is at hand");
    until("the next master key", offered).await;
    let dry_run = done(&admin.run(&["master-key", "rotate", "--dry-run"]));
    assert!(dry_run.contains("Nothing was changed"), "{dry_run}");
    let rotated = done(&admin.run(&["master-key", "rotate"]));
    assert!(rotated.contains("Master key 2 ("), "{rotated}");
    works(&server.client(), &key).await;
    stop(server);

    // The files are as they were: the store says which of the two it is.
    let server = claviger.serve();
    assert!(claviger.log().contains("the next master key has taken over"), "{}", claviger.log());
    works(&server.client(), &key).await;
    stop(server);
    fs::rename(&next, in_folder(&database, "keys/master.key")).unwrap();
    let server = claviger.serve();
    works(&server.client(), &key).await;
    let admin = administrator(&claviger, &server, &admin_key);
    let kept = admin.run(&["master-key", "end-tags", "1"]);
    assert!(complaint(&kept).contains("2 live secrets"), "{kept:?}");
    let none = admin.run(&["master-key", "end-tags", "9"]);
    assert!(complaint(&none).contains("`claviger master-key status` lists"), "{none:?}");
    assert!(!complaint(&none).contains("keys list"), "{none:?}");
    let found = done(&admin.run(&["keys", "list", "--org", "default", "--earlier-master-key", "--json"]));
    assert_eq!(found.matches("\"prefix\"").count(), 2, "{found}");
    assert!(!claviger.log().contains(text.trim()), "no master key in the log");
}

async fn the_master_key_comes_from_a_variable_a_credential_or_a_command(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_ISSUER", "http://127.0.0.1:1");
    let server = claviger.serve();
    let (admin_key, (_, key)) = (server.admin_key(), server.admin().create_key(&["read:*"]).await);
    stop(server);
    let first = fs::read_to_string(in_folder(&database, "keys/master.key")).unwrap();
    fs::remove_file(in_folder(&database, "keys/master.key")).unwrap();
    let refused = claviger.try_serve();
    assert!(refused.is_err(), "no master key anywhere");
    done(&claviger.run(&["master-key", "generate", "second.key"]));
    let second = fs::read_to_string(in_folder(&database, "second.key")).unwrap();

    let folder = in_folder(&database, "credentials");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("master.key"), &first).unwrap();
    // As systemd gives it to a service: its mode says nothing.
    fs::set_permissions(folder.join("master.key"), fs::Permissions::from_mode(0o440)).unwrap();
    let printing = format!("cat {}", in_folder(&database, "both").display());
    let variable = claviger.clone().set("CLAVIGER_MASTER_KEY", first.trim());
    let credential = claviger.clone().set("CREDENTIALS_DIRECTORY", folder.to_str().unwrap());
    let command = claviger.clone().set("CLAVIGER_MASTER_KEY_COMMAND", &printing);
    write_private(&in_folder(&database, "both"), &first);
    for from in [&variable, &credential, &command] {
        let server = from.serve();
        works(&server.client(), &key).await;
        stop(server);
    }

    // Each may have the next one, too.
    fs::write(folder.join("next-master.key"), &second).unwrap();
    fs::write(in_folder(&database, "both"), format!("{}\n{}\n", first.trim(), second.trim())).unwrap();
    let variable = variable.set("CLAVIGER_NEXT_MASTER_KEY", second.trim());
    for (from, takes_over) in [(&variable, false), (&credential, false), (&command, true)] {
        let server = from.serve();
        let admin = administrator(&claviger, &server, &admin_key);
        let offered = async || done(&admin.run(&["master-key", "status"])).contains("is at hand");
        until("the next master key", offered).await;
        if takes_over {
            done(&admin.run(&["master-key", "rotate", "--compromised"]));
        }
        stop(server);
    }
    for from in [&variable, &credential, &command] {
        let server = from.serve();
        works(&server.client(), &key).await;
        stop(server);
    }
}

async fn a_command_that_gives_no_master_key_stops_the_start(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    for (command, why) in [
        ("false", "exit status: 1"),
        ("true", "its first line is empty"),
        ("/nonesuch/program", "No such file"),
        ("   ", "it is empty"),
        ("echo nonsense", "a master key is 32 bytes"),
        ("head -c 5000 /dev/zero", "it printed more than 4096 bytes"),
    ] {
        let output = claviger.clone().set("CLAVIGER_MASTER_KEY_COMMAND", command).run(&["init"]);
        let said = complaint(&output);
        assert!(said.contains(why), "{command}: {said}");
        assert!(!said.contains("nonsense\n"), "{said}");
        assert_eq!(
            database
                .dump_if_any()
                .await
                .map_or(0, |rows| rows.iter().filter(|row| row.starts_with("api_keys")).count()),
            0
        );
    }
}

async fn an_older_backup_is_restored_with_its_own_master_key(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_ISSUER", "http://127.0.0.1:1");
    let server = claviger.serve();
    let (admin_key, (id, key)) = (server.admin_key(), server.admin().create_key(&["read:*"]).await);
    let token = server.client().access_token(&key, "").await;
    let backup = in_folder(&database, "a.backup");
    let backup = backup.to_str().unwrap();
    done(&claviger.run(&["backup", backup]));
    fs::copy(in_folder(&database, "keys/master.key"), in_folder(&database, "old.key")).unwrap();
    rotate(&claviger, &server, &admin_key).await;
    let (_, newer) = server.admin().create_key(&["read:*"]).await;
    let path = format!("/v1/orgs/default/keys/{id}");
    server.admin().patch(&path, &json!({ "name": "changed" })).await.done(200);
    stop(server);
    fs::rename(in_folder(&database, "keys/next-master.key"), in_folder(&database, "keys/master.key"))
        .unwrap();

    let refused = claviger.run(&["restore", backup, "--replace"]);
    assert!(complaint(&refused).contains("--retired-master-key-file"), "{refused:?}");
    let wrong =
        claviger.run(&["restore", backup, "--replace", "--retired-master-key-file", "keys/master.key"]);
    assert!(complaint(&wrong).contains("is not the master key of this backup"), "{wrong:?}");
    let with = ["restore", backup, "--replace", "--retired-master-key-file", "old.key"];
    done(&claviger.run(&[&with[..], &["--dry-run"]].concat()));
    done(&claviger.run(&with));
    let server = claviger.serve();
    works(&server.client(), &key).await;
    let introspected = server.admin().post_form("/oauth/introspect", &format!("token={token}")).await;
    assert_eq!(introspected.json()["active"], true, "its signing key opens");
    assert_eq!(server.client().token(&newer, "").await.status, 401, "it was made after the backup");
    let keys = server.admin().get("/v1/master-key").await.done(200);
    assert_eq!((&keys["active"]["number"], &keys["replaced"][0]["secrets"]), (&json!(2), &json!(2)));
    stop(server);

    // Into an empty store, whose master key is another one still.
    let empty = backend.fresh().await;
    let elsewhere = Claviger::over(&empty).set("CLAVIGER_ISSUER", "http://127.0.0.1:1");
    done(&elsewhere.run(&["master-key", "generate", "keys/master.key"]));
    let old = in_folder(&database, "old.key");
    done(&elsewhere.run(&["restore", backup, "--retired-master-key-file", old.to_str().unwrap()]));
    let server = elsewhere.serve();
    works(&server.client(), &key).await;
    let keys = server.client().bearer(&admin_key).get("/v1/master-key").await.done(200);
    assert_eq!((&keys["active"]["number"], &keys["replaced"][0]["number"]), (&json!(2), &json!(1)));
}
