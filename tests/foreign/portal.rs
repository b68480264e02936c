//! The customers' portal in a browser, inside a page of a vendor's on another origin; and the pages on which people become
//! members and sign in.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use tokio::runtime::Runtime;

use crate::browser::prepared_with_browser;
use crate::console::browsing;
use crate::program::succeed_beside;
use crate::support::{Backend, Claviger, Database, Process, write_private};

/// A page of the vendor's, with an empty frame.
const PAGE: &str = "<!doctype html><html lang=\"en\"><title>Settings</title><h1>Settings</h1>\
    <iframe title=\"API keys\" style=\"width: 100%; height: 50rem; border: 0\"></iframe></html>";

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"28\" viewBox=\"0 0 120 28\">\
    <rect width=\"28\" height=\"28\" rx=\"6\" fill=\"#7a3ea8\"/><circle cx=\"14\" cy=\"14\" r=\"6\" fill=\"#fff\"/></svg>";

/// A vendor's web server, which has one page at every path.
struct Vendor {
    port: u16,
}

impl Vendor {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || answer(stream));
            }
        });
        Self { port }
    }

    /// Its origin. The server is at another site, which has an address for its host.
    fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }
}

fn answer(mut stream: TcpStream) {
    // What is asked for does not matter, and a connection that the browser opens in advance asks for nothing.
    if !matches!(stream.read(&mut [0; 8_192]), Ok(1..)) {
        return;
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n";
    let _ = stream.write_all(format!("{head}content-length: {}\r\n\r\n{PAGE}", PAGE.len()).as_bytes());
}

/// A server with these settings, over TLS if it is to have it.
fn start(runtime: &Runtime, settings: &str, has_tls: bool) -> (Database, Claviger, Process) {
    let database = runtime.block_on(Backend::Sqlite.fresh());
    let folder = database.folder.path();
    fs::write(folder.join("claviger.toml"), settings).expect("a file");
    fs::write(folder.join("logo.svg"), LOGO).expect("a file");
    let mut claviger = Claviger::over(&database);
    if has_tls {
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).expect("a certificate");
        fs::write(folder.join("tls.crt"), certified.cert.pem()).expect("a file");
        write_private(&folder.join("tls.key"), &certified.signing_key.serialize_pem());
        claviger = claviger.set("CLAVIGER_TLS_CERT", "tls.crt").set("CLAVIGER_TLS_KEY", "tls.key");
    }
    let server = claviger.serve();
    (database, claviger, server)
}

#[test]
fn customers_manage_their_keys_in_a_vendors_page() {
    let Some(folder) = prepared_with_browser("console") else { return };
    let runtime = Runtime::new().expect("a runtime");
    let (vendor, stranger) = (Vendor::open(), Vendor::open());
    let settings = format!(
        "[portal]\nname = \"Example & Söhne\"\ntitle = \"Access tokens\"\nhelp = \"Your programs use these.\"\n\
         help_url = \"https://docs.example.com/keys\"\nlogo = \"logo.svg\"\naccent = \"#7a3ea8\"\naccent_dark = \"#cf9ff0\"\n\
         frame_origins = [\"{}\"]\n",
        vendor.origin()
    );
    for has_tls in [true, false] {
        let (database, claviger, server) = start(&runtime, &settings, has_tls);
        let script = if has_tls { "portal.mjs" } else { "portal-tab.mjs" };
        let mut check = browsing(&folder, script, &server.issuer);
        check.env("CLAVIGER_ADMIN_KEY", server.admin_key());
        check.env("CLAVIGER_VENDOR", vendor.origin()).env("CLAVIGER_STRANGER", stranger.origin());
        if has_tls {
            check.env("NODE_EXTRA_CA_CERTS", database.folder.path().join("tls.crt"));
        }
        let (said, _) = succeed_beside(check, || claviger.log());
        println!("{said}");
    }
}

#[test]
fn people_become_members_in_a_browser() {
    let Some(folder) = prepared_with_browser("console") else { return };
    let runtime = Runtime::new().expect("a runtime");
    // Nobody listens at the second one.
    let settings = "[[sign_in]]\nname = \"staff\"\nlabel = \"Example staff\"\nissuer = \"https://sso.example.com\"\nclient_id = \"claviger\"\n\
         client_secret_file = \"secret\"\n[[sign_in]]\nname = \"partners\"\nissuer = \"https://127.0.0.1:9\"\nclient_id = \"claviger\"\n\
         client_secret_file = \"secret\"\n";
    let database = runtime.block_on(Backend::Sqlite.fresh());
    let path = database.folder.path();
    fs::write(path.join("claviger.toml"), settings).expect("a file");
    write_private(&path.join("secret"), "a secret of the client's");
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let mut check = browsing(&folder, "people.mjs", &server.issuer);
    check.env("CLAVIGER_ADMIN_KEY", server.admin_key());
    let (said, _) = succeed_beside(check, || claviger.log());
    println!("{said}");
}
