//! The runbooks. A shell walks through the entries that need no special machine, on both databases, and then looks
//! whether they did what they promise.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use crate::markdown::{code_spans, fences, prose, section};
use crate::server::without_settings;
use crate::steps::{compare, script, steps};
use crate::support::{Backend, on_both};
use crate::text;

const PAGE: &str = "docs/runbooks.md";

/// Alert rules and other pages link to these headings.
const ENTRIES: [&str; 18] = [
    "Store not confirmed",
    "Writes failing",
    "No next signing key",
    "Hash queue",
    "Server errors",
    "Certificate expires",
    "Clock",
    "Usage not written",
    "Log lines dropped",
    "Node down",
    "Settings differ",
    "Lost administrator's key",
    "Leaked API key",
    "Leaked signing key",
    "Leaked master key",
    "Full disk",
    "Failover of PostgreSQL",
    "Restore",
];

/// Whoever reads an entry at night looks for these.
const PARTS: [&str; 5] = ["**You see:**", "**Clients:**", "**Check:**", "**Do:**", "**It is over**"];

#[test]
fn every_alert_and_every_emergency_has_an_entry() {
    let page = text(PAGE);
    let text = prose(&page);
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(headings, ENTRIES);
    for entry in ENTRIES {
        let entry_text = section(&page, entry);
        let missing: Vec<&str> = PARTS.into_iter().filter(|part| !entry_text.contains(part)).collect();
        assert!(missing.is_empty(), "{entry} lacks {missing:?}");
    }
}

#[test]
fn every_metric_that_they_name_is_documented() {
    let metrics = text("docs/metrics.md");
    let spans = code_spans(&text(PAGE));
    let is_part = |character: char| character.is_ascii_lowercase() || character == '_';
    let words = spans.iter().flat_map(|span| span.split(|character| !is_part(character)));
    let named: Vec<&str> = words.filter(|word| word.starts_with("claviger_")).collect();
    assert!(named.len() > 8, "{named:?}");
    for name in named {
        assert!(metrics.contains(&format!("\n| `{name}` |")), "{name} is not documented");
    }
}

#[test]
fn the_indexes_list_the_page() {
    for (index, link) in [
        ("README.md", "(docs/runbooks.md)"),
        ("llms.txt", "(docs/runbooks.md)"),
        ("docs/operating.md", "(runbooks.md)"),
        ("docs/operating/recover.md", "(../runbooks.md)"),
    ] {
        assert!(text(index).contains(link), "{index} does not list {PAGE}");
    }
}

on_both!(
    the_first_look_is_at_a_server_that_is_well,
    a_node_that_is_down_comes_back,
    a_lost_administrators_key_is_replaced,
    a_leaked_api_key_and_its_tokens_end,
    a_leaked_signing_key_and_its_tokens_end,
    after_a_leaked_master_key_only_api_keys_are_as_before,
    a_restore_brings_back_what_was_not_revoked,
);

async fn the_first_look_is_at_a_server_that_is_well(backend: Backend) {
    let page = text(PAGE);
    let (first, _) = page.split_once("\n## ").expect("what stands before the entries");
    walk(backend, first, "", "").await;
}

async fn a_node_that_is_down_comes_back(backend: Backend) {
    let page = text(PAGE);
    let before = r#"
        KEY=$(new_key Nightly)
        kill -KILL "$server"
        wait "$server" 2>>shell.log || true
    "#;
    let said = walk(backend, section(&page, "Node down"), before, r#"state_of_key "$KEY""#).await;
    assert_eq!(said, ["works"]);
}

async fn a_lost_administrators_key_is_replaced(backend: Backend) {
    let page = text(PAGE);
    let before = r#"
        OLD=$CLAVIGER_API_KEY
        LOST=$(claviger keys list --json | grep -o 'key_[0-9A-Za-z]*' | head -n 1)
        unset CLAVIGER_API_KEY
    "#;
    let after = r#"
        claviger self | grep Scopes
        CLAVIGER_API_KEY=$OLD claviger self >>shell.log 2>&1 || echo "exit code $?"
        claviger audit --action key.create --actor operator | grep -c key.create
    "#;
    let said = walk(backend, section(&page, "Lost administrator's key"), before, after).await;
    assert_eq!(said, ["Scopes        *:claviger/**", "exit code 3", "1"]);
}

async fn a_leaked_api_key_and_its_tokens_end(backend: Backend) {
    let page = text(PAGE);
    let before = r#"
        LEAKED=$(new_key Nightly)
        TOKEN=$(token_of "$LEAKED")
        OTHER=$(new_key Hourly)
        OTHER_TOKEN=$(token_of "$OTHER")
    "#;
    // The entry also says how to rotate such a key.
    let after = r#"
        state_of_key "$LEAKED"
        state_of_token "$TOKEN"
        NEW=$(claviger keys rotate "$OTHER" --overlap 0 2>>shell.log)
        state_of_key "$OTHER"
        state_of_token "$OTHER_TOKEN"
        state_of_key "$NEW"
    "#;
    let entry = section(&page, "Leaked API key");
    assert!(entry.contains("`claviger keys rotate \"$LEAKED\" --overlap 0`"), "{entry}");
    let said = walk(backend, entry, before, after).await;
    let (ended, refused) = (r#""active":false"#, "exit code 3");
    assert_eq!(said, [refused, ended, refused, ended, "works"]);
}

async fn a_leaked_signing_key_and_its_tokens_end(backend: Backend) {
    let page = text(PAGE);
    let before = r#"
        KEY=$(new_key Nightly)
        TOKEN=$(token_of "$KEY")
        KID=$(claviger signing-keys list | grep -w active | cut -d ' ' -f 1)
    "#;
    let after = r#"
        state_of_token "$TOKEN"
        state_of_key "$KEY"
        published | grep -c -F -e "$KID" || true
        state_of_token "$(token_of "$KEY")"
    "#;
    let said = walk(backend, section(&page, "Leaked signing key"), before, after).await;
    assert_eq!(said, [r#""active":false"#, "works", "0", r#""active":true"#]);
}

async fn after_a_leaked_master_key_only_api_keys_are_as_before(backend: Backend) {
    let page = text(PAGE);
    let before = r#"
        KEY=$(new_key Nightly)
        TOKEN=$(token_of "$KEY")
        claviger signing-keys rotate >>shell.log
        EARLIER=$(published)
        cp keys/master.key leaked.key
    "#;
    let after = r#"
        echo "$EARLIER" | grep -c kid
        published | grep -c -F -e "$EARLIER" || true
        state_of_token "$TOKEN"
        state_of_key "$KEY"
        claviger backup with-the-new-key.db --config claviger.toml >>shell.log
        systemctl stop claviger
        cmp -s keys/master.key leaked.key || echo "another master key"
        systemctl start claviger
        state_of_key "$KEY"
        state_of_token "$(token_of "$KEY")"
    "#;
    let said = walk(backend, section(&page, "Leaked master key"), before, after).await;
    let (ended, lives) = (r#""active":false"#, r#""active":true"#);
    assert_eq!(said, ["2", "0", ended, "works", "another master key", "works", lives]);
}

async fn a_restore_brings_back_what_was_not_revoked(backend: Backend) {
    let page = text(PAGE);
    let before = r#"
        KEPT=$(new_key Kept)
        REVOKED=$(new_key Revoked)
        mkdir backups
        claviger backup backups/claviger-2026-11-29.db --config claviger.toml >>shell.log
        claviger keys revoke "$REVOKED" --reason leaked >>shell.log
        LATER=$(new_key Later)
    "#;
    // Nodes on PostgreSQL hear of a restore, within about a second.
    let after = r#"
        for _ in $(seq 200); do [ "$(state_of_key "$LATER")" = works ] || break; done
        state_of_key "$KEPT"
        state_of_key "$REVOKED"
        state_of_key "$LATER"
    "#;
    let said = walk(backend, section(&page, "Restore"), before, after).await;
    assert_eq!(said, ["works", "exit code 3", "exit code 3"]);
}

/// What stands for the machine that the page is about: `server` is the process, and `sudo` changes no user.
const MACHINE: &str = r#"
sudo() { [ "$1 $2" = "-u claviger" ] && shift 2 && "$@"; }
systemctl() {
    case "$*" in
        "stop claviger") kill "$server" && wait "$server" ;;
        "start claviger")
            claviger serve --config claviger.toml >>server.out 2>>server.log &
            server=$!
            until claviger health --ready --config claviger.toml >>shell.log 2>&1; do kill -0 "$server"; done ;;
        *) return 1 ;;
    esac
}
trap 'kill "$server" 2>>shell.log; wait "$server"' EXIT
new_key() { claviger keys create "$1" --project default --env prd --preset query_only --never-expires 2>>shell.log; }
token_of() { CLAVIGER_API_KEY=$1 claviger token; }
state_of_key() { if token_of "$1" >>shell.log 2>&1; then echo works; else echo "exit code $?"; fi; }
state_of_token() {
    curl -sS "$CLAVIGER_URL/oauth/introspect" -H "Authorization: Bearer $CLAVIGER_API_KEY" -d "token=$1" |
        grep -o '"active":[a-z]*'
}
published() { curl -sS "$CLAVIGER_URL/.well-known/jwks.json" | grep -o '"kid":"[^"]*"'; }
systemctl start claviger
export CLAVIGER_API_KEY="$(cat keys/admin.key)"
"#;

/// Printed before and after the page's commands.
const BREAK: &str = "\n--- the page ---\n";

/// Runs the commands of an entry on a fresh server, between these. Returns the lines that `after` prints.
async fn walk(backend: Backend, entry: &str, before: &str, after: &str) -> Vec<String> {
    let database = backend.fresh().await;
    let folder = database.folder.path();
    let address = format!("127.0.0.1:{}", free_port());
    let settings = format!("listen = \"{address}\"\ndatabase_url = \"{}\"\n", database.url);
    fs::write(folder.join("claviger.toml"), settings).expect("a file");
    let entry = as_here(entry, backend, folder).replace("127.0.0.1:8080", &address);
    let fences = fences(&entry);
    let steps = steps(&fences);
    assert!(!steps.is_empty(), "the entry has no commands");
    let page = script(&steps);
    let script = format!(
        "exec 2>&1\n{MACHINE}{before}\nprintf '%s' '{BREAK}'\n{page}printf '%s' '{BREAK}'\n{after}\n"
    );
    let path = std::env::var("PATH").unwrap_or_default();
    let binary = Path::new(env!("CARGO_BIN_EXE_claviger")).parent().expect("it is in a folder");
    let mut shell = Command::new("sh");
    without_settings(&mut shell);
    let output = shell
        .args(["-ec", &script])
        .current_dir(folder)
        .env("CLAVIGER_URL", format!("http://{address}"))
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("HOME", folder)
        .env_remove("XDG_CONFIG_HOME")
        // A proxy of this machine's is not for a server on loopback.
        .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
        .output()
        .expect("a shell");
    let said = String::from_utf8(output.stdout).expect("text");
    let log = || fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    assert!(output.status.success(), "{}:\n{said}\nThe log:\n{}", output.status, log());
    let [_, page, after] = said.split(BREAK).collect::<Vec<_>>()[..] else { panic!("{said}") };
    compare(&steps, page);
    after.lines().map(str::to_owned).collect()
}

/// The entry for this machine and this database.
fn as_here(entry: &str, backend: Backend, folder: &Path) -> String {
    let folder = folder.display().to_string();
    let entry = entry
        .replace("/etc/claviger/claviger.toml", "claviger.toml")
        .replace("/var/lib/claviger", &folder)
        .replace("/var/backups/claviger", &format!("{folder}/backups"));
    let restarts = |line: &&str| line.starts_with("systemctl ");
    match backend {
        Backend::Postgres if entry.contains("On PostgreSQL, leave out both lines with `systemctl`.") => {
            entry.lines().filter(|line| !restarts(line)).map(|line| format!("{line}\n")).collect()
        }
        _ => entry,
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
