//! TLS that ends at the server itself.

use std::fs;
use std::process::Command;

use crate::search::{Needle, assert_absent};
use crate::support::{Backend, Claviger, is_here, write_private};

#[tokio::test]
async fn a_token_comes_over_tls() {
    if !is_here("curl") {
        return;
    }
    let database = Backend::Sqlite.fresh().await;
    let folder = database.folder.path();
    let certified =
        rcgen::generate_simple_self_signed(["localhost".into(), "127.0.0.1".into()]).expect("a certificate");
    let certificate = folder.join("tls.crt");
    fs::write(&certificate, certified.cert.pem()).expect("a file");
    write_private(&folder.join("tls.key"), &certified.signing_key.serialize_pem());
    let claviger = Claviger::over(&database)
        .set("CLAVIGER_TLS_CERT", "tls.crt")
        .set("CLAVIGER_TLS_KEY", "tls.key")
        .set("CLAVIGER_LOG", "trace");
    let server = claviger.serve();
    assert_eq!(server.issuer, format!("https://{}", server.address));
    let form = format!("grant_type=client_credentials&client_secret={}", server.admin_key());
    for version in ["--http1.1", "--http2"] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", version, "--cacert"]).arg(&certificate);
        let done =
            curl.args(["-d", &form, &format!("{}/oauth/token", server.issuer)]).output().expect("curl");
        let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        assert_eq!(answer["token_type"], "Bearer", "{version}: {done:?}");
    }
    let pem = certified.signing_key.serialize_pem();
    let mut secrets: Vec<_> = pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .map(|line| Needle::text("the TLS key", line))
        .collect();
    secrets.push(Needle::text("the administrator's key", &server.admin_key()));
    assert_absent(&secrets, &[("the log".into(), claviger.log().into_bytes())]);
    let in_the_clear = server.client().try_send(reqwest::Method::GET, "/healthz", None).await;
    assert!(in_the_clear.is_err(), "{in_the_clear:?}");
}
