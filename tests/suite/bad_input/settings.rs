//! Settings that make no sense, as whoever starts the binary meets them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use super::process::{Place, assert_refused};

#[test]
fn a_setting_that_makes_no_sense_is_named() {
    let place = Place::new();
    let nine = (0..9).map(|at| format!("https://a.example/{at}")).collect::<Vec<_>>().join(",");
    let rows: &[(&str, &[&str], &str)] = &[
        ("LISTEN", &["garbage", "127.0.0.1", "localhost:80", "127.0.0.1:99999"], "CLAVIGER_LISTEN"),
        ("LISTEN", &["0.0.0.0:0", "[::]:0", "192.0.2.1:443"], "CLAVIGER_LISTEN"),
        ("ISSUER", &["garbage", "/auth", "https://", "https://example.com:port"], "CLAVIGER_ISSUER"),
        ("ISSUER", &["ftp://example.com", "http://example.com", "http://192.0.2.1"], "CLAVIGER_ISSUER"),
        ("ISSUER", &["http://127.0.0.1.example.com", "HTTPS://example.com"], "CLAVIGER_ISSUER"),
        ("ISSUER", &["https://example.com?a", "https://example.com/?"], "CLAVIGER_ISSUER"),
        ("ISSUER", &["https://example.com#", "https://example.com/#a"], "CLAVIGER_ISSUER"),
        ("ISSUER", &["https://user@example.com", "https://user:hunter2@example.com"], "CLAVIGER_ISSUER"),
        ("ISSUER", &["https://example.com/", "https://example.com/a/"], "CLAVIGER_ISSUER"),
        (
            "ISSUER",
            &["https://example.com/:a", "https://example.com/{a}", "https://example.com/a b"],
            "CLAVIGER_ISSUER",
        ),
        ("ISSUER", &["https://example.com/.well-known/oauth-authorization-server"], "CLAVIGER_ISSUER"),
        ("AUDIENCES", &[",", &nine, "api", "/api", "é://b"], "CLAVIGER_AUDIENCES"),
        ("AUDIENCES", &["https://a.example,https://a.example"], "CLAVIGER_AUDIENCES"),
        ("AUDIENCES", &["https://a.example#", "https://a.example/#b"], "CLAVIGER_AUDIENCES"),
        ("AUDIENCES", &["https://a.example/ b", "https://a.example/\"b"], "CLAVIGER_AUDIENCES"),
        ("AUDIENCES", &["http://127.0.0.1:8080"], "CLAVIGER_AUDIENCES"),
        ("DATABASE_URL", &["garbage", "mysql://u:hunter2@h/d"], "CLAVIGER_DATABASE_URL"),
        ("DATABASE_URL", &["postgres://u:hunter2@h:port/d", "sqlite://a.db?mode=x"], "CLAVIGER_DATABASE_URL"),
        ("TLS_CERT", &["cert.pem"], "CLAVIGER_TLS_KEY"),
        ("TLS_KEY", &["key.pem"], "CLAVIGER_TLS_CERT"),
        ("TRUSTED_PROXIES", &["garbage", "*", "10.0.0.1/8", "10.0.0.0/8,,"], "CLAVIGER_TRUSTED_PROXIES"),
        ("FORWARDED_HEADER", &["X-Forwarded-For", "Forwarded"], "CLAVIGER_FORWARDED_HEADER"),
        ("BRAND", &["c", "CLV", "1clv", "clv_", "abcdefghijklm", "clé"], "CLAVIGER_BRAND"),
        ("BOOTSTRAP", &["maybe", "AUTO"], "CLAVIGER_BOOTSTRAP"),
        ("ALLOW_HTTP", &["perhaps"], "CLAVIGER_ALLOW_HTTP"),
        ("SIGNING_ALGORITHM", &["none", "HS256", "es256", "RS256"], "CLAVIGER_SIGNING_ALGORITHM"),
        ("SIGNING_KEY_FILE", &["missing.pem", "."], "CLAVIGER_SIGNING_KEY_FILE"),
        ("KEY_FILE_GROUP", &["-1", "4294967296", "no group has this name"], "CLAVIGER_KEY_FILE_GROUP"),
        ("SIGNING_KEY_LEAD", &["0", "599"], "CLAVIGER_SIGNING_KEY_LEAD"),
        ("SIGNING_KEY_DAYS", &["0"], "CLAVIGER_SIGNING_KEY_DAYS"),
        ("SIGNING_KEY_DAYS", &["-1", "65536", "ninety"], "CLAVIGER_SIGNING_KEY_DAYS"),
        ("ARGON2_MEMORY", &["0", "7", "4294967295"], "CLAVIGER_ARGON2_MEMORY"),
        ("ARGON2_PASSES", &["0", "4294967295"], "CLAVIGER_ARGON2_PASSES"),
        ("ARGON2_LANES", &["0", "4294967295"], "CLAVIGER_ARGON2_LANES"),
        ("ARGON2_AT_ONCE", &["0"], "CLAVIGER_ARGON2_AT_ONCE"),
        ("CACHED_KEYS", &["0"], "CLAVIGER_CACHED_KEYS"),
        ("USAGE_FLUSH", &["0"], "CLAVIGER_USAGE_FLUSH"),
        ("MAX_CONNECTIONS", &["0"], "CLAVIGER_MAX_CONNECTIONS"),
        ("MAX_CONNECTIONS", &["-1", "1.5", "many", "4294967296"], "CLAVIGER_MAX_CONNECTIONS"),
        ("HEADER_TIMEOUT", &["0"], "CLAVIGER_HEADER_TIMEOUT"),
        ("BODY_TIMEOUT", &["0"], "CLAVIGER_BODY_TIMEOUT"),
        ("KEEP_ALIVE", &["0"], "CLAVIGER_KEEP_ALIVE"),
        ("SHUTDOWN", &["0"], "CLAVIGER_SHUTDOWN"),
        ("LOG_FORMAT", &["xml"], "CLAVIGER_LOG_FORMAT"),
        ("LOG", &["a=b=c", "claviger=loud"], "CLAVIGER_LOG"),
        ("CONFIG", &["missing.toml"], "missing.toml"),
    ];
    for (setting, values, named) in rows {
        for value in *values {
            let said = place.init(&[(&format!("CLAVIGER_{setting}"), value)]);
            assert_refused(&format!("{setting}={value}"), &said, named);
            assert!(!said.stderr.contains("hunter2"), "{setting}={value}: {}", said.stderr);
        }
    }
    assert_eq!(place.files(), [""; 0], "settings are checked before anything is opened or made");
}

#[test]
fn settings_must_make_sense_together() {
    let place = Place::new();
    let guarded: [&[(&str, &str)]; 3] = [
        &[("CLAVIGER_ALLOW_HTTP", "1")],
        &[("CLAVIGER_TRUSTED_PROXIES", "10.0.0.0/8")],
        &[("CLAVIGER_TLS_CERT", "cert.pem"), ("CLAVIGER_TLS_KEY", "key.pem")],
    ];
    let everywhere = ("CLAVIGER_LISTEN", "0.0.0.0:0");
    for more in guarded {
        assert_refused("no issuer", &place.init(&[&[everywhere], more].concat()), "CLAVIGER_ISSUER");
    }
    for (settings, named) in [
        ([everywhere, ("CLAVIGER_ISSUER", "https://example.com")], "CLAVIGER_ALLOW_HTTP=1"),
        ([everywhere, ("CLAVIGER_ALLOW_HTTP", "0")], "CLAVIGER_ALLOW_HTTP=1"),
        (
            [("CLAVIGER_ISSUER", "https://a.example"), ("CLAVIGER_AUDIENCES", "https://a.example")],
            "CLAVIGER_AUDIENCES",
        ),
        ([("CLAVIGER_LISTEN", "[::1]:80"), ("CLAVIGER_AUDIENCES", "http://[::1]:80")], "CLAVIGER_AUDIENCES"),
        (
            [("CLAVIGER_TRUSTED_PROXIES", "10.0.0.0/8"), ("CLAVIGER_FORWARDED_HEADER", "Via")],
            "CLAVIGER_FORWARDED_HEADER",
        ),
        (
            [("CLAVIGER_SIGNING_KEY_DAYS", "1"), ("CLAVIGER_SIGNING_KEY_LEAD", "43201")],
            "CLAVIGER_SIGNING_KEY_DAYS",
        ),
    ] {
        assert_refused(&format!("{settings:?}"), &place.init(&settings), named);
    }
    assert_eq!(place.files(), [""; 0]);
    for more in guarded {
        let more = [&[everywhere, ("CLAVIGER_ISSUER", "https://example.com")], more].concat();
        let said = Place::new().init(&more);
        assert_eq!(said.code, 0, "{more:?}: {}", said.stderr);
    }
}

#[test]
fn a_file_of_settings_is_read_strictly_and_never_quoted() {
    let place = Place::new();
    for (text, named) in [
        ("lsiten = '127.0.0.1:0'", "line 1: unknown field `lsiten`"),
        ("brand = 'abc'\n\nlisten = 'garbage'", "line 3: listen: "),
        ("listen = 80", "line 1: listen: "),
        ("max_connections = '10'", "line 1: max_connections: "),
        ("max_connections = -1", "line 1: max_connections: "),
        ("audiences = 'https://a.example'", "line 1: audiences: "),
        ("bootstrap = 'hunter2'", "line 1: bootstrap: "),
        ("allow_http = 'hunter2'", "line 1: allow_http: "),
        ("database_url = ['postgres://u:hunter2@h/d']", "line 1: database_url: "),
        ("database_url = 'postgres://u:hunter2@h/d", "line 1: database_url: "),
        ("database_url = postgres://u:hunter2@h/d", "line 1: database_url: "),
        ("database_url = 'a'\ndatabase_url = 'postgres://u:hunter2@h/d'", "line 2"),
        ("issuer = 'https://example.com'\n'postgres://u:hunter2@h/d'", "line 2"),
        ("[server]\nlisten = '127.0.0.1:0'", "line 1: unknown field `server`"),
        ("issuer = 'http://example.com'", "claviger.toml: issuer: must be https"),
        ("database_url = 'mysql://u:hunter2@h/d'", "claviger.toml: database_url: "),
    ] {
        place.write("claviger.toml", text);
        let said = place.init(&[]);
        assert_refused(text, &said, named);
        assert!(!said.stderr.contains("hunter2"), "{text}: {}", said.stderr);
        assert!(said.stderr.contains("claviger.toml"), "{text}: {}", said.stderr);
    }
    fs::write(place.path("claviger.toml"), b"listen = '\xff'").unwrap();
    assert_refused("not UTF-8", &place.init(&[]), "claviger.toml");
    fs::remove_file(place.path("claviger.toml")).unwrap();
    fs::create_dir(place.path("claviger.toml")).unwrap();
    assert_refused("a folder", &place.init(&[]), "claviger.toml");
    assert_eq!(place.files(), ["claviger.toml"]);
}

#[test]
fn what_is_not_text_is_refused() {
    let place = Place::new();
    let not_text = OsStr::from_bytes(b"\xff");
    let said = place.run(place.command(&["init"], &[]).env("CLAVIGER_BRAND", not_text));
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{}", said.stderr);
    let said = place.run(place.command(&["init"], &[]).env("CLAVIGER_MASTER_KEY", not_text));
    assert_refused("a master key", &said, "CLAVIGER_MASTER_KEY");
    for arguments in [&["--nonsense"][..], &["nonsense"], &["serve", "--listen"], &["init", "extra"]] {
        let said = place.run(&mut place.command(arguments, &[]));
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{arguments:?}: {}", said.stderr);
    }
}
