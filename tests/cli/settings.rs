//! Settings of the commands that are the server themselves: what is not set, and what complaints name.

use std::fs;

use crate::shell::Shell;
use crate::support::write_private;

/// A value that stops a command before it opens anything.
const BAD_BRAND: &str = "Bad";

#[test]
fn a_complaint_names_the_flag_the_variable_or_the_file() {
    let why = "a brand must be a lower-case letter";
    let shell = Shell::new();
    shell.run(&["init", "--brand", BAD_BRAND]).assert_failed(2, &format!("claviger: --brand: {why}"));
    fs::write(shell.path("claviger.toml"), "brand = \"Bad\"\n").unwrap();
    shell.run(&["init"]).assert_failed(2, &format!("claviger: claviger.toml: brand: {why}"));
    fs::rename(shell.path("claviger.toml"), shell.path("other.toml")).unwrap();
    shell.run(&["init", "--config", "other.toml"]).assert_failed(2, &format!("other.toml: brand: {why}"));
    let shell = shell.set("CLAVIGER_BRAND", BAD_BRAND);
    shell.run(&["init", "--config", "other.toml"]).assert_failed(2, &format!("CLAVIGER_BRAND: {why}"));
    // clap's own complaint, too.
    let shell = Shell::new().set("CLAVIGER_LISTEN", "nowhere");
    shell.run(&["init"]).assert_failed(2, "for 'CLAVIGER_LISTEN'");
    shell.run(&["init", "--listen", "nowhere"]).assert_failed(2, "for '--listen <ADDRESS:PORT>'");
    let shell = Shell::new();
    shell
        .run(&["backup", "b.db", "--database-url", "mysql://x"])
        .assert_failed(2, "--database-url: the database URL");
}

#[test]
fn empty_variables_are_not_set() {
    let mut shell = Shell::new();
    for name in [
        "CLAVIGER_LISTEN",
        "CLAVIGER_ISSUER",
        "CLAVIGER_AUDIENCES",
        "CLAVIGER_DATABASE_URL",
        "CLAVIGER_KEYS_DIR",
        "CLAVIGER_MASTER_KEY",
        "CLAVIGER_NEXT_MASTER_KEY",
        "CLAVIGER_MASTER_KEY_COMMAND",
        "CLAVIGER_TRUSTED_PROXIES",
        "CLAVIGER_ALLOW_HTTP",
        "CLAVIGER_BRAND",
        "CLAVIGER_BOOTSTRAP",
        "CLAVIGER_TLS_CERT",
        "CLAVIGER_AUDIT_DAYS",
        "CLAVIGER_LOG",
        "CLAVIGER_LOG_FORMAT",
        "CLAVIGER_CONFIG",
        "CLAVIGER_TIMEOUT",
        "CLAVIGER_CLIENT_ALLOW_HTTP",
        "CLAVIGER_CA_FILE",
        "CLAVIGER_URL",
        "CLAVIGER_ORG",
        "CLAVIGER_PROFILE",
        "CLAVIGER_API_KEY",
    ] {
        shell = shell.set(name, "");
    }
    shell.ok(&["init"]);
    assert!(shell.path("claviger.db").exists() && shell.path("keys/master.key").exists());
    shell.run(&["self"]).assert_failed(2, "no server is set");
    shell.run(&["self", "--url", "http://127.0.0.1:1"]).assert_failed(2, "no API key is set");
}

#[test]
fn a_malformed_master_key_is_exit_code_2() {
    let shell = Shell::new().set("CLAVIGER_MASTER_KEY", "short");
    shell.run(&["init"]).assert_failed(2, "CLAVIGER_MASTER_KEY: a master key is 32 bytes");
    let shell = Shell::new();
    fs::create_dir(shell.path("keys")).unwrap();
    write_private(&shell.path("keys/master.key"), "short\n");
    shell.run(&["init"]).assert_failed(2, "keys/master.key: a master key is 32 bytes");
    shell.run(&["serve", "--listen", "127.0.0.1:0"]).assert_failed(2, "keys/master.key: a master key is");
}

#[test]
fn an_unescaped_password_is_told() {
    for url in [
        "postgres://user:pass/word@127.0.0.1:1/db",
        "postgres://user:12/word@127.0.0.1:1/db",
        "postgres://user:p#ss@127.0.0.1:1/db",
        "postgres://user:p?ss@127.0.0.1:1/db",
        "postgres://user:p@ss/word@127.0.0.1:1/db",
    ] {
        let said = Shell::new().set("CLAVIGER_DATABASE_URL", url).run(&["init"]);
        said.assert_failed(2, "CLAVIGER_DATABASE_URL: the database URL has an @ after its server");
        assert!(!said.stderr.contains("127.0.0.1"), "the URL is not repeated: {said:?}");
    }
    // An @ alone is found; nobody listens there.
    for url in
        ["postgres://user:p@ss@127.0.0.1:1/db", "postgres://user:p%2Fss@127.0.0.1:1/db?application_name=a@b"]
    {
        let said = Shell::new().set("CLAVIGER_DATABASE_URL", url).run(&["init"]);
        said.assert_failed(1, "the database at 127.0.0.1:1 refuses connections");
    }
}
