//! `claviger doctor`: each of its checks, with what is wrong produced for real.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::support::{
    Backend, Claviger, Database, Pooler, Process, is_here, on_both, on_postgres, write_private,
};

on_both!(
    a_server_in_order_has_no_findings_and_nothing_changes,
    settings_and_variables_that_are_wrong_are_found,
    the_master_key_is_held_against_the_store,
    the_store_is_held_against_the_settings_and_this_binary,
    the_plan_of_the_signing_keys_is_judged,
    what_answers_at_the_issuer_is_told_apart,
    a_certificate_is_judged_by_its_files_and_at_the_issuer,
    what_a_forwarding_header_means_is_said,
    providers_are_asked_what_they_can,
);

mod there {
    use super::*;

    on_postgres!(
        a_database_that_cannot_be_used_is_a_finding,
        a_pooler_of_transactions_is_found,
        a_clock_that_differs_from_the_databases_is_found,
    );
}

/// What the doctor said, and its exit code.
struct Examined {
    code: i32,
    document: Value,
}

impl Examined {
    /// The severities and messages of a check, each as a line.
    fn of(&self, check: &str) -> String {
        let findings = self.document["findings"].as_array().unwrap().iter();
        let findings = findings.filter(|finding| finding["check"] == check);
        let line = |finding: &Value| {
            let text = |member: &str| finding[member].as_str().unwrap().to_owned();
            assert_eq!(finding["advice"].is_null(), finding["severity"] == "ok", "{finding}");
            format!("{}: {}\n", text("severity"), text("message"))
        };
        findings.map(line).collect()
    }

    #[track_caller]
    fn has(&self, check: &str, severity: &str, words: &str) {
        let said = self.of(check);
        let is_there =
            said.lines().any(|line| line.starts_with(&format!("{severity}: ")) && line.contains(words));
        assert!(is_there, "{check}: {said}\n{}", self.document);
        let code = match severity {
            "error" => 2,
            "warning" => 1,
            _ => 0,
        };
        assert!(self.code >= code, "{} {said}", self.code);
    }

    fn setting(&self, name: &str) -> (Value, Value) {
        let settings = self.document["settings"].as_array().unwrap().iter();
        let setting = settings.clone().find(|setting| setting["name"] == name).expect(name);
        (setting["value"].clone(), setting["source"].clone())
    }
}

fn examine(claviger: &Claviger) -> Examined {
    let output = claviger.run(&["doctor", "--json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let document = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    Examined { code: output.status.code().unwrap(), document }
}

/// The doctor for this server.
fn beside(claviger: &Claviger, server: &Process) -> Claviger {
    claviger.clone().set("CLAVIGER_LISTEN", &server.address.to_string())
}

fn stop(server: Process) {
    server.signal("TERM");
    assert!(server.end().0.success());
}

/// Names, sizes and modes.
fn files(folder: &Path) -> BTreeSet<(String, u32)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    entries
        .map(|entry| (entry.metadata().unwrap().permissions().mode(), entry))
        .map(|(mode, entry)| (named(entry), mode))
        .collect()
}

async fn a_server_in_order_has_no_findings_and_nothing_changes(backend: Backend) {
    let database = backend.fresh().await;
    let folder = database.folder.path();
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let doctor = beside(&claviger, &server);
    // The server reports itself now and then.
    let rows = async || -> Vec<String> {
        database.dump().await.into_iter().filter(|row| !row.starts_with("nodes ")).collect()
    };
    let before = (rows().await, files(folder));
    let examined = examine(&doctor);
    assert_eq!((examined.code, &examined.document["status"]), (0, &"ok".into()), "{}", examined.document);
    for check in [
        "settings",
        "variables",
        "files",
        "database",
        "schema",
        "master_key",
        "deployment",
        "hash_cost",
        "signing_keys",
        "clock",
        "server",
        "issuer",
        "proxies",
    ] {
        assert!(!examined.of(check).is_empty(), "{check}");
    }
    match backend {
        Backend::Sqlite => {
            examined.has("store_in_use", "ok", &format!("process {} serves", server.id()));
            examined.has("disk", "ok", "MiB free");
        }
        Backend::Postgres => examined.has("pooling", "ok", "keeps its session"),
    }
    examined.has("issuer", "ok", "leads to a server of this deployment");
    assert_eq!((rows().await, files(folder)), before);
    let listen = Value::from(server.address.to_string());
    assert_eq!(examined.setting("listen"), (listen, "variable".into()));
    assert_eq!(examined.setting("brand"), ("clv".into(), "default".into()));
    assert_eq!(examined.setting("tls_cert"), (Value::Null, "default".into()));
    // It disturbs no server, and none has to run.
    assert_eq!(server.client().token(&server.admin_key(), "").await.status, 200);
    stop(server);
    let before = files(folder);
    let examined = examine(&doctor);
    examined.has("server", "warning", "no server responds");
    examined.has("issuer", "warning", "cannot be reached");
    assert_eq!(examined.code, 1, "{}", examined.document);
    assert_eq!(files(folder), before, "no file is left behind");
    if backend == Backend::Sqlite {
        examined.has("store_in_use", "ok", "no process serves");
        let file = database.url.trim_start_matches("sqlite://");
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
        examine(&doctor).has("files", "warning", "claviger.db (mode 0644)");
        fs::remove_file(file).unwrap();
        // Its lock file says that this is no first start.
        examine(&doctor).has("database", "error", "does not exist, and a server has used it");
        assert!(!Path::new(file).exists());
    }
    let said = doctor.run(&["doctor"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("ok       settings      the settings are valid\n"), "{said}");
    assert!(said.contains("         setting       listen = "), "{said}");
}

async fn settings_and_variables_that_are_wrong_are_found(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let examined = examine(&claviger.clone().set("CLAVIGER_ISUER", "x"));
    examined.has("variables", "warning", "did you mean CLAVIGER_ISSUER?");
    let examined = examine(&claviger.clone().set("CLAVIGER_BRAND", "Bad"));
    examined.has("settings", "error", "CLAVIGER_BRAND: a brand must be");
    assert_eq!((examined.code, examined.of("database").as_str()), (2, ""));
    let file = database.folder.path().join("claviger.toml");
    fs::write(&file, "brand = \"abc\"\n").unwrap();
    assert_eq!(examine(&claviger).setting("brand"), ("abc".into(), "file".into()));
    fs::write(&file, "brnd = \"abc\"\n").unwrap();
    examine(&claviger).has("settings", "error", "claviger.toml");
}

async fn the_master_key_is_held_against_the_store(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    stop(claviger.serve());
    let file = database.folder.path().join("keys/master.key");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    examine(&claviger).has("files", "error", "can be read by group or others");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let key = fs::read_to_string(&file).unwrap();
    let other = if key.starts_with('A') { "B" } else { "A" };
    fs::write(&file, format!("{other}{}", &key[1..])).unwrap();
    examine(&claviger).has("master_key", "error", "is not the master key of this store");
    fs::write(&file, "short").unwrap();
    examine(&claviger).has("files", "error", "has no master key");
    fs::remove_file(&file).unwrap();
    examine(&claviger).has("master_key", "error", "a master key that is not here");
    let examined = examine(&claviger.clone().set("CLAVIGER_MASTER_KEY", key.trim()));
    examined.has("master_key", "ok", "is the store's");
    examined.has("files", "ok", "the master key is in CLAVIGER_MASTER_KEY");
    assert!(!examined.document.to_string().contains(key.trim()));
    // It looks where the server does.
    let printed = database.folder.path().join("printed");
    fs::write(&printed, &key).unwrap();
    let command = format!("cat {}", printed.display());
    let examined = examine(&claviger.clone().set("CLAVIGER_MASTER_KEY_COMMAND", &command));
    examined.has("files", "ok", "the master key is in the output of cat");
    examined.has("master_key", "ok", "is the store's");
    let examined = examine(&claviger.clone().set("CLAVIGER_MASTER_KEY_COMMAND", "false"));
    examined.has("files", "error", "exit status: 1");
}

async fn the_store_is_held_against_the_settings_and_this_binary(backend: Backend) {
    let database = backend.fresh().await;
    examine(&Claviger::over(&database)).has(
        if backend == Backend::Sqlite { "database" } else { "schema" },
        "warning",
        if backend == Backend::Sqlite { "does not exist" } else { "has no schema" },
    );
    let claviger = Claviger::over(&database).set("CLAVIGER_ISSUER", "http://127.0.0.1:1");
    stop(claviger.serve());
    let examined = examine(&claviger.clone().set("CLAVIGER_ISSUER", "http://127.0.0.1:2"));
    examined.has(
        "deployment",
        "error",
        "has the issuer http://127.0.0.1:1, and these settings http://127.0.0.1:2",
    );
    examine(&claviger.clone().set("CLAVIGER_BRAND", "abc")).has("deployment", "error", "has the brand clv");
    let examined = examine(&claviger.clone().set("CLAVIGER_AUDIENCES", "https://other.example.com"));
    examined.has("deployment", "warning", "has the audiences");
    let examined = examine(&claviger.clone().set("CLAVIGER_ARGON2_PASSES", "3"));
    examined.has("hash_cost", "warning", "1 of 1 secrets in use have a hash of another cost");
    database.execute("UPDATE deployment SET steady_at = 4000000000").await;
    examine(&claviger).has("clock", "error", "ahead of this clock");
    database
        .execute(
            "UPDATE deployment SET steady_at = NULL; DELETE FROM _sqlx_migrations
                  WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)",
        )
        .await;
    examine(&claviger).has("schema", "warning", "are pending");
    database.execute("UPDATE _sqlx_migrations SET version = 99 WHERE version = 13").await;
    examine(&claviger).has("schema", "error", "version 99, which is newer");
}

async fn the_plan_of_the_signing_keys_is_judged(backend: Backend) {
    const DAY: i64 = 86_400;
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    stop(claviger.serve());
    let begun = database.number("SELECT activates_at FROM signing_keys").await;
    for (activates_at, severity, words) in [
        (begun, "ok", "the next key is published at"),
        (begun - 90 * DAY + 3_600, "warning", "should be published by now"),
        (begun - 91 * DAY, "error", "there is no next key"),
        (begun + DAY, "warning", "signs already, but is dated"),
    ] {
        database.execute(&format!("UPDATE signing_keys SET activates_at = {activates_at}")).await;
        examine(&claviger).has("signing_keys", severity, words);
    }
    // An own key is not replaced automatically.
    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    write_private(&database.folder.path().join("own.pem"), &pem);
    let own = claviger.clone().set("CLAVIGER_SIGNING_KEY_FILE", "own.pem");
    database.execute(&format!("UPDATE signing_keys SET activates_at = {}", begun - 80 * DAY)).await;
    examine(&own).has("signing_keys", "warning", "the next key has to come from a file");
    examine(&claviger).has("signing_keys", "ok", "signs until");
    database.execute(&format!("UPDATE signing_keys SET withdrawn_at = {begun}")).await;
    examine(&claviger).has("signing_keys", "error", "no key can sign");
    database
        .execute(&format!(
            "UPDATE signing_keys SET withdrawn_at = NULL, activates_at = {};
             INSERT INTO signing_keys SELECT 'the-next-one', algorithm, public_jwk, sealed_private, created_at,
                 {}, NULL FROM signing_keys",
            begun - DAY,
            begun + DAY
        ))
        .await;
    examine(&claviger).has("signing_keys", "ok", "and the-next-one takes over at");
}

async fn what_answers_at_the_issuer_is_told_apart(backend: Backend) {
    let (database, another) = (backend.fresh().await, backend.fresh().await);
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let other = Claviger::over(&another).serve();
    let doctor = beside(&claviger, &server);
    let at = |issuer: &str| examine(&doctor.clone().set("CLAVIGER_ISSUER", issuer));
    at(&other.issuer).has("issuer", "error", "leads to another deployment");
    at(&format!("{}/path", server.issuer)).has("issuer", "error", "is no claviger");
    let port = server.address.port();
    at(&format!("http://localhost:{port}")).has("issuer", "error", "of another issuer");
    at("http://127.0.0.1:1").has("issuer", "error", "cannot be reached from here");
    // Something else on the port of the server.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4_096]);
            let _ =
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let examined = examine(&doctor.clone().set("CLAVIGER_LISTEN", &address.to_string()));
    examined.has("server", "error", "is no claviger");
    // A server that is not ready says why.
    let waiting = Claviger::at(another.folder.path()).set("CLAVIGER_BOOTSTRAP", "console");
    let waiting = waiting.set("CLAVIGER_DATABASE_URL", "sqlite://empty.db").wait();
    let examined = examine(&doctor.clone().set("CLAVIGER_LISTEN", &waiting.address.to_string()));
    examined.has("server", "error", "is not ready: ");
}

async fn a_certificate_is_judged_by_its_files_and_at_the_issuer(backend: Backend) {
    let database = backend.fresh().await;
    let folder = database.folder.path();
    let now = OffsetDateTime::now_utc();
    let make = |days: i64| {
        let mut params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.not_after = now + Duration::days(days);
        let key = rcgen::KeyPair::generate().unwrap();
        fs::write(folder.join("tls.crt"), params.self_signed(&key).unwrap().pem()).unwrap();
        let _ = fs::remove_file(folder.join("tls.key"));
        write_private(&folder.join("tls.key"), &key.serialize_pem());
    };
    make(3);
    let claviger =
        Claviger::over(&database).set("CLAVIGER_TLS_CERT", "tls.crt").set("CLAVIGER_TLS_KEY", "tls.key");
    let server = claviger.serve();
    let doctor = beside(&claviger, &server);
    let examined = examine(&doctor);
    examined.has("issuer", "error", "cannot be reached from here");
    examined.has("server", "ok", "is ready");
    let doctor = doctor.set("CLAVIGER_CA_FILE", "tls.crt");
    let examined = examine(&doctor);
    examined.has("issuer", "warning", "expires soon: for 127.0.0.1, valid until");
    examined.has("issuer", "ok", "leads to a server of this deployment");
    examined.has("files", "warning", "tls.crt expires soon");
    stop(server);
    make(-1);
    examine(&doctor).has("files", "error", "tls.crt has expired");
    make(100);
    examine(&doctor).has("files", "ok", "tls.crt is for 127.0.0.1");
    fs::write(folder.join("tls.key"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    examine(&doctor).has("files", "error", "does not belong to the first certificate");
}

async fn what_a_forwarding_header_means_is_said(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_ISSUER", "https://auth.claviger.invalid");
    let examined = examine(&claviger);
    examined.has("proxies", "warning", "every caller has the address of its connection");
    let examined = examine(&claviger.clone().set("CLAVIGER_TRUSTED_PROXIES", "127.0.0.1"));
    examined.has(
        "proxies",
        "ok",
        "from 127.0.0.1, with x-forwarded-for: 203.0.113.7, the caller is 203.0.113.7",
    );
    examined.has(
        "proxies",
        "ok",
        "not in trusted_proxies, with x-forwarded-for: 203.0.113.7, the caller is 198.51.100.1",
    );
    let examined = examine(&claviger.clone().set("CLAVIGER_TRUSTED_PROXIES", "10.0.0.0/8"));
    examined.has("proxies", "warning", "127.0.0.1 is not a trusted proxy");
}

async fn a_database_that_cannot_be_used_is_a_finding(backend: Backend) {
    let database = backend.fresh().await;
    let at = |url: &str| examine(&Claviger::over(&database).set("CLAVIGER_DATABASE_URL", url));
    let examined = at("postgres://claviger:s3cret@127.0.0.1:1/claviger");
    examined.has("database", "error", "refuses connections");
    assert!(!examined.document.to_string().contains("s3cret"), "{}", examined.document);
    assert_eq!(examined.setting("database_url").0, "postgres://claviger@127.0.0.1:1/claviger");
    at(&database.url.replace("/test_", "/no_")).has("database", "error", "does not exist");
    at(&database.url.replace("postgres@", "nobody:s3cret@")).has("database", "error", "nobody");
    at("mysql://s3cret").has("database", "error", "the database: ");
}

async fn a_pooler_of_transactions_is_found(backend: Backend) {
    let database = backend.fresh().await;
    let url = |pooler: &Pooler| pooler.database().url.clone();
    let Some(pooler) = Pooler::start(&database, "transaction").await else { return };
    let claviger = Claviger::over(&database);
    examine(&claviger.clone().set("CLAVIGER_DATABASE_URL", &url(&pooler))).has(
        "pooling",
        "error",
        "whole sessions",
    );
    let Some(pooler) = Pooler::start(&database, "session").await else { return };
    examine(&claviger.set("CLAVIGER_DATABASE_URL", &url(&pooler))).has("pooling", "ok", "keeps its session");
}

async fn a_clock_that_differs_from_the_databases_is_found(backend: Backend) {
    if !is_here("faketime") {
        return;
    }
    let database: Database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    examine(&claviger).has("clock", "ok", "this machine's");
    for (ahead, severity) in [("+30s", "warning"), ("+600s", "error")] {
        let output = std::process::Command::new("faketime")
            .args(["-f", ahead, crate::shell::BINARY, "doctor", "--json"])
            .env("CLAVIGER_DATABASE_URL", &database.url)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .current_dir(database.folder.path())
            .output()
            .unwrap();
        let document = serde_json::from_slice(&output.stdout).unwrap();
        Examined { code: output.status.code().unwrap(), document }.has(
            "clock",
            severity,
            "behind this machine's",
        );
    }
}

/// An OpenID provider on this machine. Its description, its keys and the status of both can be replaced.
struct FakeProvider {
    url: String,
    says: Arc<Mutex<(u16, Value, Value)>>,
}

impl FakeProvider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let described = json!({
            "issuer": url, "jwks_uri": format!("{url}/keys"), "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"), "response_types_supported": ["code", "id_token"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"], "code_challenge_methods_supported": ["S256"],
        });
        // RFC 7515, appendix A.3.
        let keys = json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "kid": "1", "alg": "ES256", "use": "sig",
        }] });
        let says = Arc::new(Mutex::new((200, described, keys)));
        let answers = Arc::clone(&says);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0; 4_096];
                let length = stream.read(&mut head).unwrap_or_default();
                let (status, described, keys) = answers.lock().unwrap().clone();
                let body =
                    if head[..length].starts_with(b"GET /keys") { keys } else { described }.to_string();
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        Self { url, says }
    }

    /// The provider says this instead, until `examined` is done.
    fn but<T>(&self, change: impl FnOnce(&mut (u16, Value, Value)), examined: impl FnOnce() -> T) -> T {
        let usual = self.says.lock().unwrap().clone();
        change(&mut self.says.lock().unwrap());
        let result = examined();
        *self.says.lock().unwrap() = usual;
        result
    }
}

async fn providers_are_asked_what_they_can(backend: Backend) {
    let database = backend.fresh().await;
    let folder = database.folder.path();
    let provider = FakeProvider::start();
    let claviger = Claviger::over(&database).set("CLAVIGER_ISSUER_HTTP", "true");
    let claviger = claviger.set("CLAVIGER_ISSUER_NETWORKS", "127.0.0.0/8");
    write_private(&folder.join("secret"), "hidden");
    let file = |more: &str| {
        let table = format!(
            "[[sign_in]]\nname = \"sso\"\nissuer = \"{}\"\nclient_id = \"console\"\nclient_secret_file = \"secret\"\n{more}",
            provider.url
        );
        fs::write(folder.join("claviger.toml"), table).unwrap();
    };
    file("");
    stop(claviger.serve());
    let good = examine(&claviger);
    good.has("sign_in", "ok", "can sign people in; it has to know the redirect URI http://");
    good.has("sign_in", "ok", "/console/sign-in/callback");
    assert!(!good.document.to_string().contains("hidden"), "{}", good.document);
    type Change = fn(&mut (u16, Value, Value));
    let wrong: [(Change, &str); 9] = [
        (
            |says| says.1["issuer"] = json!("https://elsewhere.example"),
            "its description is that of another `issuer`",
        ),
        (|says| says.1["token_endpoint"] = json!(1), "has no usable `token_endpoint`"),
        (
            |says| says.1["code_challenge_methods_supported"] = json!(["plain"]),
            "does not know the code challenge method S256",
        ),
        (
            |says| says.1["response_types_supported"] = json!(["id_token"]),
            "does not know the response type code",
        ),
        (
            |says| says.1["id_token_signing_alg_values_supported"] = json!(["HS256"]),
            "with no algorithm that is accepted",
        ),
        (
            |says| says.1["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]),
            "cannot authenticate with client_secret_basic or client_secret_post",
        ),
        (|says| says.2 = json!({ "keys": [] }), "has no public key for an algorithm that is accepted"),
        (|says| says.2 = json!({}), "the key set has no array `keys`"),
        (|says| says.0 = 404, "can't be fetched: the answer has the status 404"),
    ];
    for (change, words) in wrong {
        let examined = provider.but(change, || examine(&claviger));
        examined.has("sign_in", "error", words);
    }
    let silent: Change =
        |says| drop(says.1.as_object_mut().unwrap().remove("code_challenge_methods_supported"));
    provider.but(silent, || examine(&claviger)).has("sign_in", "ok", "does not say whether it checks PKCE");
    let elsewhere = claviger.clone().set("CLAVIGER_ISSUER_NETWORKS", "10.0.0.0/8");
    examine(&elsewhere).has("sign_in", "error", "its network is not among the allowed ones");

    let group = |organization: &str| {
        format!(
            "groups_claim = \"groups\"\n[[sign_in.groups]]\ngroup = \"a\"\norganization = \"{organization}\"\nrole = \"developer\"\nprojects = [\"default\", \"web\"]\n"
        )
    };
    file(&group("acme"));
    let examined = examine(&claviger);
    examined.has("sign_in", "warning", "the group \"a\" is for the organization acme, which does not exist");
    // It is no reason not to start, but the log says so, too.
    stop(claviger.serve());
    let log = claviger.log();
    assert!(log.contains("is for the organization acme, which does not exist"), "{log}");
    file(&group("default"));
    examine(&claviger).has("sign_in", "warning", "is for the project default/web, which does not exist");
    file(&group("default").replace("developer", "boss"));
    examine(&claviger).has("settings", "error", "provider \"sso\": group \"a\": role: the role must be");
}
