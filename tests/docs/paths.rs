//! A file that a document names is there.

use std::path::{Path, PathBuf};

use crate::markdown::{anchors, code_spans, link_targets};
use crate::text;

/// What a path within the project begins with. `keys/` is not among them: it is filled at run time.
const FOLDERS: [&str; 8] =
    [".ci/", "benches/", "docs/", "examples/", "fuzz/", "migrations/", "src/", "tests/"];

#[test]
fn every_file_that_is_named_exists() {
    let missing: Vec<String> = documents().iter().flat_map(|document| missing_from(document)).collect();
    assert!(missing.is_empty(), "named, and not there:\n{}", missing.join("\n"));
}

/// The documents, as paths from the project's folder.
fn documents() -> Vec<PathBuf> {
    let mut documents: Vec<PathBuf> =
        ["", "deploy", "docs", "docs/operating", "keys", "tests/foreign", "tests/vectors"]
            .into_iter()
            .flat_map(|folder| std::fs::read_dir(root().join(folder)).into_iter().flatten().flatten())
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .collect();
    documents.sort();
    documents
}

fn missing_from(document: &Path) -> Vec<String> {
    let markdown = text(document);
    let named = code_spans(&markdown).into_iter().filter(|span| is_path(span));
    let named = named.filter(|path| !exists(&root().join(path)));
    let linked = link_targets(&markdown).into_iter().filter(|target| !target.contains("://"));
    let linked = linked.filter(|target| !leads_somewhere(document, target));
    named.chain(linked).map(|missing| format!("{}: {missing}", document.display())).collect()
}

/// Whether a link leads to a file that is there, and to a heading in it if it says so.
fn leads_somewhere(document: &Path, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { document.to_owned() } else { document.with_file_name(path) };
    file.exists() && (anchor.is_empty() || anchors(&text(file)).iter().any(|known| known == anchor))
}

fn is_path(span: &str) -> bool {
    FOLDERS.iter().any(|folder| span.starts_with(folder)) && !span.contains(' ')
}

/// Of a pattern, the folder.
fn exists(path: &Path) -> bool {
    let is_pattern = path.file_name().is_some_and(|name| name.to_string_lossy().contains('*'));
    if is_pattern { path.parent().is_some_and(Path::exists) } else { path.exists() }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
