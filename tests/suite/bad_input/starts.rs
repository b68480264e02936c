//! Starts that come to nothing: files, stores and master keys that do not fit.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::process::{Place, assert_failed, assert_refused};
use crate::support::{Backend, on_both};

on_both!(
    a_store_is_begun_once_and_only_if_it_may,
    a_store_opens_with_its_own_master_key_alone,
    a_key_file_that_others_can_read_is_refused,
    a_key_file_is_shared_with_the_group_that_is_named,
    secrets_are_in_no_output,
);

const ANY_PORT: (&str, &str) = ("CLAVIGER_LISTEN", "127.0.0.1:0");

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let place = Place::new();
    let pair = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    place.write("cert.pem", &pair.cert.pem());
    place.write_secret("key.pem", &pair.signing_key.serialize_pem());
    place.write_secret("other.pem", &other);
    place.write_secret("garbage.pem", "garbage");
    place.write("exposed.pem", &pair.signing_key.serialize_pem());
    for (certificate, key, named) in [
        ("missing.pem", "key.pem", "missing.pem"),
        ("cert.pem", "missing.pem", "missing.pem"),
        ("garbage.pem", "key.pem", "garbage.pem"),
        ("cert.pem", "garbage.pem", "garbage.pem"),
        ("cert.pem", "other.pem", "other.pem"),
        ("cert.pem", "exposed.pem", "chmod 600"),
    ] {
        let settings = [ANY_PORT, ("CLAVIGER_TLS_CERT", certificate), ("CLAVIGER_TLS_KEY", key)];
        let said = place.serve(&settings).expect_err("a refusal");
        assert_refused(&format!("{certificate} {key}"), &said, "CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY");
        assert!(said.stderr.contains(named), "{}", said.stderr);
    }
    for (file, named) in
        [("exposed.pem", "chmod 600"), ("garbage.pem", "garbage.pem"), ("cert.pem", "cert.pem")]
    {
        let said = place.init(&[("CLAVIGER_SIGNING_KEY_FILE", file)]);
        assert_refused(file, &said, "CLAVIGER_SIGNING_KEY_FILE");
        assert!(said.stderr.contains(named), "{}", said.stderr);
    }
    let mismatch = [("CLAVIGER_SIGNING_KEY_FILE", "key.pem"), ("CLAVIGER_SIGNING_ALGORITHM", "EdDSA")];
    assert_refused("another algorithm", &place.init(&mismatch), "CLAVIGER_SIGNING_ALGORITHM");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = Place::new().serve(&[("CLAVIGER_LISTEN", &address)]).expect_err("a refusal");
    assert_failed("a port in use", &said, &address);
}

#[test]
fn one_process_at_a_time_has_an_sqlite_file() {
    let place = Place::new();
    let first = place.serve(&[ANY_PORT]).expect("a server");
    symlink(place.path("claviger.db"), place.path("link.db")).unwrap();
    fs::create_dir(place.path("folder")).unwrap();
    let absolute = format!("sqlite://{}", place.path("claviger.db").display());
    for url in [
        "sqlite://claviger.db",
        "sqlite://link.db",
        "sqlite://folder/../claviger.db",
        "sqlite:claviger.db",
        &absolute,
    ] {
        let said = place.serve(&[ANY_PORT, ("CLAVIGER_DATABASE_URL", url)]).expect_err("a refusal");
        assert_failed(url, &said, "another claviger process is using");
    }
    drop(first);
    assert!(place.serve(&[ANY_PORT]).is_ok(), "a killed process leaves no lock");
}

#[test]
fn a_store_that_cannot_be_opened_is_said() {
    let place = Place::new();
    place.write(
        "notes.db",
        "This is not a database, and it is longer than the header that one has. ".repeat(20).as_str(),
    );
    for (url, named) in [
        ("sqlite://missing/claviger.db", "missing/claviger.db"),
        ("sqlite://notes.db", "not a database"),
        ("sqlite://.", "cannot be used"),
    ] {
        assert_failed(url, &place.init(&[("CLAVIGER_DATABASE_URL", url)]), named);
    }
    assert!(
        fs::read_to_string(place.path("notes.db")).unwrap().starts_with("This is not"),
        "and it is left alone"
    );
}

async fn a_store_is_begun_once_and_only_if_it_may(backend: Backend) {
    let (place, database) = (Place::new(), backend.fresh().await);
    let url = ("CLAVIGER_DATABASE_URL", database.url.as_str());
    let off = place.serve(&[ANY_PORT, url, ("CLAVIGER_BOOTSTRAP", "off")]).expect_err("a refusal");
    assert_failed("an empty store", &off, "CLAVIGER_BOOTSTRAP=off");
    assert_eq!(place.files(), [""; 0], "and nothing was made");
    fs::create_dir(place.path("keys")).unwrap();
    place.write_secret("keys/admin.key", "mine");
    let in_the_way = place.serve(&[ANY_PORT, url]).expect_err("a refusal");
    assert_failed("a key file in the way", &in_the_way, "keys/admin.key");
    assert_eq!(fs::read_to_string(place.path("keys/admin.key")).unwrap(), "mine");
    fs::remove_file(place.path("keys/admin.key")).unwrap();
    let made = fs::read_to_string(place.path("keys/master.key")).unwrap();
    let first = place.init(&[url]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let used = fs::read_to_string(place.path("keys/master.key")).unwrap();
    assert_eq!(used, made, "a master key that was made for a start that failed is the next one's");
    let again = place.init(&[url]);
    assert_failed("a second time", &again, "bootstrapped already");
    assert_eq!(again.stdout, "");
    let served = place.serve(&[ANY_PORT, url, ("CLAVIGER_BOOTSTRAP", "off")]).expect("a server");
    assert!(!served.said.contains("key"), "{}", served.said);
}

async fn a_store_opens_with_its_own_master_key_alone(backend: Backend) {
    let (place, database) = (Place::new(), backend.fresh().await);
    let url = ("CLAVIGER_DATABASE_URL", database.url.as_str());
    assert_eq!(place.init(&[url]).code, 0);
    let file = place.path("keys/master.key");
    let own = fs::read_to_string(&file).unwrap();
    let other = "A".repeat(43);
    let malformed = &own[..20];
    for (what, in_file, in_variable, named) in [
        ("another in the file", Some(other.as_str()), None, "keys/master.key is not the master key"),
        (
            "another in the variable",
            Some(&own),
            Some(other.as_str()),
            "CLAVIGER_MASTER_KEY is not the master key",
        ),
        ("none", None, None, "put it into keys/master.key, or into CLAVIGER_MASTER_KEY"),
        ("half of it in the file", Some(malformed), None, "keys/master.key: a master key is 32 bytes"),
        ("an empty file", Some(""), None, "keys/master.key: a master key is 32 bytes"),
        (
            "half of it in the variable",
            Some(&own),
            Some(malformed),
            "CLAVIGER_MASTER_KEY: a master key is 32 bytes",
        ),
    ] {
        match in_file {
            Some(text) => place.write_secret("keys/master.key", text),
            None => fs::remove_file(&file).unwrap(),
        }
        let variable = in_variable.map(|key| ("CLAVIGER_MASTER_KEY", key));
        let settings: Vec<_> = [ANY_PORT, url].into_iter().chain(variable).collect();
        let said = place.serve(&settings).expect_err("a refusal");
        // What is no master key at all is a setting that makes no sense.
        let check = if named.contains("32 bytes") { assert_refused } else { assert_failed };
        check(what, &said, named);
        assert!(!said.stderr.contains(malformed), "{what}: {}", said.stderr);
    }
    place.write_secret("keys/master.key", &own);
    let empty = [ANY_PORT, url, ("CLAVIGER_MASTER_KEY", "")];
    assert!(place.serve(&empty).is_ok(), "an empty variable is not set");
    fs::remove_file(&file).unwrap();
    let from_variable = [ANY_PORT, url, ("CLAVIGER_MASTER_KEY", own.trim())];
    assert!(place.serve(&from_variable).is_ok(), "its own, from the variable");
    assert!(!file.exists(), "and not written down");
}

async fn a_key_file_that_others_can_read_is_refused(backend: Backend) {
    let (place, database) = (Place::new(), backend.fresh().await);
    let settings = [ANY_PORT, ("CLAVIGER_DATABASE_URL", database.url.as_str())];
    assert_eq!(place.init(&settings).code, 0);
    let file = place.path("keys/master.key");
    let set = |mode: u32| fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    for mode in [0o644, 0o640, 0o660, 0o604, 0o601] {
        set(mode);
        let said = place.serve(&settings).expect_err("a refusal");
        assert_failed(&format!("{mode:o}"), &said, "keys/master.key can be read by group or others");
        assert!(said.stderr.contains(&format!("(mode {mode:04o}): chmod 600 it")), "{}", said.stderr);
    }
    set(0o400);
    assert!(place.serve(&settings).is_ok());
}

async fn a_key_file_is_shared_with_the_group_that_is_named(backend: Backend) {
    let (place, database) = (Place::new(), backend.fresh().await);
    let url = ("CLAVIGER_DATABASE_URL", database.url.as_str());
    let pair = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    place.write("cert.pem", &pair.cert.pem());
    place.write_secret("key.pem", &pair.signing_key.serialize_pem());
    place.write_secret("signing.pem", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    let signing = ("CLAVIGER_SIGNING_KEY_FILE", "signing.pem");
    let tls = [("CLAVIGER_TLS_CERT", "cert.pem"), ("CLAVIGER_TLS_KEY", "key.pem")];
    assert_eq!(place.init(&[url, signing]).code, 0);
    let own = fs::metadata(place.path("keys/master.key")).unwrap().gid();
    let files = ["keys/master.key", "key.pem", "signing.pem"];
    let set = |file: &str, mode: u32| {
        fs::set_permissions(place.path(file), Permissions::from_mode(mode)).unwrap();
    };
    let serve = |group: u32| {
        let group = group.to_string();
        let group = ("CLAVIGER_KEY_FILE_GROUP", group.as_str());
        place.serve(&[ANY_PORT, url, signing, tls[0], tls[1], group])
    };
    for mode in [0o440, 0o640, 0o400] {
        files.iter().for_each(|file| set(file, mode));
        assert!(serve(own).is_ok(), "{mode:o}");
    }
    for file in files {
        for mode in [0o440, 0o640] {
            set(file, mode);
            let said = serve(own + 1).expect_err("a refusal");
            let (expected, mode) = (own + 1, format!("{mode:04o}"));
            let why = format!(
                "{file} can be read by the group {own} (mode {mode}), and only the group {expected} may"
            );
            assert!(said.stderr.contains(&why), "{}", said.stderr);
        }
        // The group may not write, nor anybody else read.
        for mode in [0o460, 0o660, 0o450, 0o444, 0o604, 0o620] {
            set(file, mode);
            let said = serve(own).expect_err("a refusal");
            let why = format!("{file} can be read by group or others (mode {mode:04o}): chmod 600 it");
            assert!(said.stderr.contains(&why), "{}", said.stderr);
        }
        set(file, 0o600);
    }
}

async fn secrets_are_in_no_output(backend: Backend) {
    let (place, database) = (Place::new(), backend.fresh().await);
    let url = database.url.replace("postgres@", "postgres:hunter2@");
    let settings = [ANY_PORT, ("CLAVIGER_DATABASE_URL", url.as_str()), ("CLAVIGER_LOG", "trace,sqlx=trace")];
    let made = place.init(&settings);
    let (master, admin) =
        (fs::read_to_string(place.path("keys/master.key")).unwrap(), made.stdout.lines().last().unwrap());
    let served = place.serve(&settings).expect("a server").until_logged("serving").end();
    let again = place.init(&settings);
    let nowhere = place.init(&[("CLAVIGER_DATABASE_URL", &(url.clone() + "/nonesuch")), settings[2]]);
    assert_eq!((again.code, nowhere.code), (1, 1));
    assert!(served.stderr.contains("serving"), "it has been told to log: {}", served.stderr);
    for said in [made.stderr.as_str(), &served.stdout, &served.stderr, &again.stderr, &nowhere.stderr] {
        for secret in ["hunter2", master.trim(), &admin[24..]] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}
