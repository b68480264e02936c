//! A day in the life of a server that logs all that it can; at its end, no secret is anywhere but where it
//! belongs.

mod day;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::day::Day;
use crate::search::{Needle, assert_absent, files_in, is_in};
use crate::support::{Backend, Claviger, Database, Postgres, on_both, write_private};

on_both!(a_day_leaves_no_secret_anywhere);

const PASSWORD: &str = "planted-database-password";

const MASTER_KEY: &[u8; 32] = b"planted master key of 32 bytes..";

async fn a_day_leaves_no_secret_anywhere(backend: Backend) {
    // A server of its own, whose files hold nothing else.
    let postgres = (backend == Backend::Postgres).then(|| Postgres::own().expect("asked for before"));
    for format in ["human", "json"] {
        let database = match &postgres {
            Some(postgres) => Database::on(postgres).await,
            None => backend.fresh().await,
        };
        let stored = || match &postgres {
            Some(postgres) => files_in(postgres.data()),
            None => files_in(database.folder.path()),
        };
        live_through_a_day(&database, format, stored).await;
    }
}

async fn live_through_a_day(database: &Database, format: &str, stored: impl Fn() -> Vec<(String, Vec<u8>)>) {
    let keys = database.folder.path().join("keys");
    let master_key = URL_SAFE_NO_PAD.encode(MASTER_KEY);
    let claviger = Claviger::over(database)
        .set("CLAVIGER_DATABASE_URL", &with_password(&database.url))
        .set("CLAVIGER_MASTER_KEY", &master_key)
        .set("CLAVIGER_SIGNING_KEY_FILE", "keys/signing.pem")
        .set("CLAVIGER_LOG", "trace,sqlx=trace,sqlx::query=trace,sqlx_postgres::options=trace")
        .set("CLAVIGER_LOG_FORMAT", format);
    let mut secrets = plant_signing_key(&keys);
    secrets.push(Needle::text("the database's password", PASSWORD));
    secrets.push(Needle::bytes("the master key", MASTER_KEY));
    secrets.push(Needle::text("the master key's text", &master_key));
    let server = claviger.serve();
    let day = Day::of(&server).await;
    secrets.extend(day.secrets());
    if database.url.starts_with("postgres") {
        database.execute("CHECKPOINT").await;
    }
    // With its write-ahead log, and later without.
    assert_absent(&secrets, &stored());
    server.signal("TERM");
    let mut said = vec![("standard output".to_owned(), server.greeting.clone().into_bytes())];
    let (status, rest) = server.end();
    assert!(status.success(), "{status}");
    said.push(("standard output, later".into(), rest.into_bytes()));
    said.push(("the log".into(), claviger.log().into_bytes()));
    assert!(is_in("DEBUG", &said) && !is_in("$argon2id$", &said), "all is logged, and no hash");
    said.extend(day.answers);
    assert_absent(&secrets, &said);
    let stored = stored();
    assert!(is_in(&day.key_id, &stored), "this is where keys are stored");
    assert_absent(&secrets, &stored);
}

/// The URL with a password where it belongs.
fn with_password(url: &str) -> String {
    url.replace("postgres@", &format!("postgres:{PASSWORD}@"))
}

/// A parameter that nobody knows is refused by its name. Its value may be a password.
#[tokio::test]
async fn a_misspelled_password_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:1/claviger?pasword={PASSWORD}");
    let refused = Claviger::at(folder.path()).set("CLAVIGER_DATABASE_URL", &url).run(&["serve"]);
    let said = String::from_utf8_lossy(&[refused.stdout, refused.stderr].concat()).into_owned();
    assert!(!refused.status.success() && said.contains("pasword"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
}

/// A signing key of the operator's, as its PEM and as the number in it.
fn plant_signing_key(keys: &Path) -> Vec<Needle> {
    /// Where PKCS#8 has the private number of a P-256 key.
    const NUMBER: std::ops::Range<usize> = 36..68;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    std::fs::create_dir(keys).expect("a folder");
    write_private(&keys.join("signing.pem"), &key.serialize_pem());
    let pem = key.serialize_pem();
    let lines = pem.lines().filter(|line| !line.starts_with('-')).map(|line| Needle::text("the PEM", line));
    lines.chain([Needle::bytes("the private number", &key.serialize_der()[NUMBER])]).collect()
}
