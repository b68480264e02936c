//! The rooms of `src` use each other as the table in docs/architecture.md says, and in no other way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Path as SynPath, UseTree};

use crate::text;

/// The files that put the rooms together.
const ABOVE_ALL: [&str; 2] = ["lib.rs", "main.rs"];

#[test]
fn rooms_use_each_other_as_the_table_says() {
    let table = table();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in files(&source()) {
        let inside = file.strip_prefix(source()).expect("a file of the source");
        if ABOVE_ALL.iter().any(|name| inside == Path::new(name)) {
            continue;
        }
        let room = inside.iter().next().expect("a room").to_string_lossy().replace(".rs", "");
        let Some(may_use) = table.get(&room) else {
            wrong.push(format!("{}: `{room}` is not in the table", file.display()));
            continue;
        };
        let code = fs::read_to_string(&file).expect("text");
        for other in rooms_named_in(&code) {
            if other != room && !may_use.contains(&other) {
                let line = line_with(&code, &format!("crate::{other}"));
                wrong.push(format!("{}:{line}: `{room}` may not use `{other}`", file.display()));
            }
            used.entry(room.clone()).or_default().insert(other);
        }
    }
    for (room, may_use) in &table {
        let uses = used.get(room).cloned().unwrap_or_default();
        wrong.extend(may_use.difference(&uses).map(|other| format!("`{room}` does not use `{other}`")));
    }
    assert!(wrong.is_empty(), "not as the table in docs/architecture.md says:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_leads_one_way() {
    let table = table();
    let mut left: BTreeSet<&String> = table.keys().collect();
    while let Some(room) =
        left.iter().copied().find(|room| table[*room].iter().all(|other| !left.contains(other)))
    {
        left.remove(room);
    }
    assert!(left.is_empty(), "these use each other in a circle: {left:?}");
}

/// Each room, and those that it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let page = text("docs/architecture.md");
    let lines = page.lines().skip_while(|line| !line.starts_with("| room |")).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let table: BTreeMap<_, _> = rows
        .map(|row| {
            let mut cells = row.split('|').skip(1).map(names);
            let room = cells.next().and_then(|names| names.into_iter().next()).expect("a room");
            (room, cells.next().expect("the rooms that it may use"))
        })
        .collect();
    assert!(table.len() > 10, "the table is not where this test looks for it");
    table
}

fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, others): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let code = others.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    code.chain(folders.iter().flat_map(|folder| files(folder))).collect()
}

/// What stands behind `crate::` in this code.
fn rooms_named_in(code: &str) -> BTreeSet<String> {
    let mut named = Named::default();
    named.visit_file(&syn::parse_file(code).expect("Rust"));
    named.0
}

/// The number of the first line with this text, or else 1.
fn line_with(code: &str, wanted: &str) -> usize {
    code.lines().position(|line| line.contains(wanted)).map_or(1, |index| index + 1)
}

#[derive(Default)]
struct Named(BTreeSet<String>);

impl<'ast> Visit<'ast> for Named {
    fn visit_use_tree(&mut self, tree: &'ast UseTree) {
        if let UseTree::Path(path) = tree
            && path.ident == "crate"
        {
            self.0.extend(first_names(&path.tree).into_iter().map(ToString::to_string));
        }
        visit::visit_use_tree(self, tree);
    }

    fn visit_path(&mut self, path: &'ast SynPath) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == "crate")
            && let Some(room) = segments.next()
        {
            self.0.insert(room.ident.to_string());
        }
        visit::visit_path(self, path);
    }
}

fn first_names(tree: &UseTree) -> Vec<&syn::Ident> {
    match tree {
        UseTree::Path(path) => vec![&path.ident],
        UseTree::Name(name) => vec![&name.ident],
        UseTree::Rename(rename) => vec![&rename.ident],
        UseTree::Glob(_) => Vec::new(),
        UseTree::Group(group) => group.items.iter().flat_map(first_names).collect(),
    }
}
