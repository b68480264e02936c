//! The page on known attacks names sources and tests that there are, and says of the server what is so.

use std::path::{Path, PathBuf};

use crate::markdown::{code_spans, prose};
use crate::text;

const PAGE: &str = "docs/known-attacks.md";

/// The columns are: the attack, where it was seen, why it fails here, what holds that.
#[test]
fn every_attack_has_its_source_and_its_tests() {
    let page = prose(&text(PAGE));
    let rows: Vec<Vec<&str>> = page.lines().filter_map(cells).collect();
    assert!(rows.len() > 50, "the page is read as it is written: {}", rows.len());
    let wrong: Vec<String> = rows.iter().flat_map(|row| wrong_with(row)).collect();
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
}

/// The cells of a row of a table, but for its head.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<&str> = inner.split(" | ").collect();
    (cells[0] != "attack").then_some(cells)
}

fn wrong_with(row: &[&str]) -> Vec<String> {
    let attack = row[0];
    let &[_, seen, why, held] = row else { return vec![format!("{attack}: {} columns", row.len())] };
    let mut wrong = Vec::new();
    let is_cited = ["CVE-", "GHSA-", "RUSTSEC-", "RFC ", "](https://"].iter().any(|kind| seen.contains(kind));
    if !is_cited {
        wrong.push(format!("{attack}: where was it seen?"));
    }
    if !code_spans(why).iter().any(|span| span.starts_with("src/")) {
        wrong.push(format!("{attack}: which file keeps it away?"));
    }
    wrong.extend(wrong_with_tests(held).into_iter().map(|what| format!("{attack}: {what}")));
    wrong
}

/// What is wrong with a cell that names tests, as files with the names of their tests behind them.
pub(crate) fn wrong_with_tests(held: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut file: Option<(String, String)> = None;
    let mut tests = 0;
    for span in code_spans(held) {
        match &file {
            _ if span.ends_with(".rs") => file = Some((text(&span), span)),
            Some((code, _)) if is_test(code, &span) => tests += 1,
            Some((_, path)) => wrong.push(format!("{path} has no test {span}")),
            None => wrong.push(format!("in which file is {span}?")),
        }
    }
    if tests == 0 {
        wrong.push("which test holds it?".to_owned());
    }
    wrong
}

/// Whether a file has a function of this name that is run as a test: by its attribute, or by a macro that lists it.
fn is_test(code: &str, name: &str) -> bool {
    let Some((before, _)) = code.split_once(&format!("fn {name}(")) else { return false };
    let attributes = before.rsplit("\n\n").next().unwrap_or_default();
    let lists = ["on_both!(", "on_postgres!("].iter().flat_map(|list| code.split(list).skip(1));
    let mut listed =
        lists.filter_map(|rest| rest.split_once(");")).flat_map(|(list, _)| list.split(is_no_word));
    attributes.contains("#[test]") || attributes.contains("#[tokio::test") || listed.any(|word| word == name)
}

fn is_no_word(character: char) -> bool {
    !character.is_alphanumeric() && character != '_'
}

/// What asks others over HTTP is linked into this binary for its command line, for resource servers, and for trusted issuers
/// and the providers of members, which are asked by what checks the addresses.
#[test]
fn the_server_asks_trusted_issuers_and_providers_alone() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let asking: Vec<PathBuf> =
        files_in(&src).into_iter().filter(|file| asks(&text(src.join(file)))).collect();
    for known in ["client/connect.rs", "client/fetch.rs", "node/issuer_keys/source.rs"] {
        assert!(asking.contains(&known.into()), "{asking:?}");
    }
    let of_the_server = |file: &PathBuf| {
        is_in(file, "cli/serve") || !["client", "cli", "verify"].iter().any(|room| is_in(file, room))
    };
    let elsewhere: Vec<&PathBuf> =
        asking.iter().filter(|file| of_the_server(file) && !may_ask(file)).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    for file in asking.iter().filter(|file| may_ask(file) && !file.ends_with("tests.rs")) {
        let code = text(src.join(file));
        let mut uses = code.lines().filter(|line| line.contains("crate::client"));
        assert!(
            uses.all(|line| line.contains("client::Fetch") || line.contains("client::{Fetch")),
            "{} asks in another way",
            file.display()
        );
    }
}

fn may_ask(file: &Path) -> bool {
    ["node/issuer_keys", "node/sign_in"].iter().any(|part| is_in(file, part))
}

/// Settings alone ask nobody.
fn asks(code: &str) -> bool {
    let code = code.replace("crate::client::FetchSettings", "");
    ["crate::client", "hyper::client", "TcpStream::connect", "UnixStream::connect", "UdpSocket"]
        .iter()
        .any(|way| code.contains(way))
}

/// Whether a file of `src` is a room's: `cli.rs`, or below `cli/`.
fn is_in(file: &Path, room: &str) -> bool {
    file == Path::new(room).with_extension("rs") || file.starts_with(room)
}

/// The Rust files below a folder, as paths from there.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(folder).expect("it is below").to_owned());
            }
        }
    }
    files
}
