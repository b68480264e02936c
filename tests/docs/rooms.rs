//! The rooms of `src` use each other as the table in docs/architecture.md says, and in no other way. Nowhere do modules
//! beside each other use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::UseTree;
use syn::visit::{self, Visit};

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
        for other in rooms_named_in(&code, &module_of(inside)) {
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

#[test]
fn no_modules_beside_each_other_form_a_circle() {
    let code: BTreeMap<Module, String> = files(&source())
        .into_iter()
        .map(|file| {
            let inside = file.strip_prefix(source()).expect("a file of the source");
            (module_of(inside), fs::read_to_string(&file).expect("text"))
        })
        .filter(|(module, _)| module.last().is_some_and(|name| name != "tests"))
        .collect();
    // For each pair of modules beside each other, a file of the first that names something in the second.
    let mut uses: BTreeMap<Module, BTreeMap<Module, Module>> = BTreeMap::new();
    for (user, text) in &code {
        for path in paths_in(text, user) {
            let used = (1..=path.len()).rev().map(|end| &path[..end]).find(|path| code.contains_key(*path));
            let Some(used) = used else { continue };
            let shared = user.iter().zip(used).take_while(|(one, other)| one == other).count();
            if shared < user.len() && shared < used.len() {
                let (from, to) = (user[..=shared].to_vec(), used[..=shared].to_vec());
                uses.entry(from).or_default().entry(to).or_insert_with(|| user.clone());
            }
        }
    }
    let mut left: BTreeSet<&Module> = uses.keys().collect();
    while let Some(module) =
        left.iter().copied().find(|module| uses[*module].keys().all(|used| !left.contains(used)))
    {
        left.remove(module);
    }
    // What merely leads to a circle is in none.
    while let Some(module) =
        left.iter().copied().find(|module| !left.iter().any(|user| uses[*user].contains_key(*module)))
    {
        left.remove(module);
    }
    let of_circles = left.iter().flat_map(|module| {
        uses[*module].iter().filter(|(used, _)| left.contains(used)).map(|(used, file)| {
            format!("{} uses {} in {}", module.join("::"), used.join("::"), file.join("::"))
        })
    });
    let of_circles: Vec<_> = of_circles.collect();
    assert!(of_circles.is_empty(), "these use each other in circles:\n{}", of_circles.join("\n"));
}

/// A module's path from the root of the crate, name by name.
type Module = Vec<String>;

/// The module that a file is.
fn module_of(inside: &Path) -> Module {
    inside.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect()
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

/// The rooms that this code of `module` names.
fn rooms_named_in(code: &str, module: &Module) -> BTreeSet<String> {
    paths_in(code, module).into_iter().filter_map(|path| path.into_iter().next()).collect()
}

/// The paths within the crate that this code of `module` names, without those of its unit tests.
fn paths_in(code: &str, module: &Module) -> BTreeSet<Vec<String>> {
    let mut named = Named { module: module.clone(), paths: BTreeSet::new() };
    named.visit_file(&syn::parse_file(code).expect("Rust"));
    named.paths
}

/// The number of the first line with this text, or else 1.
fn line_with(code: &str, wanted: &str) -> usize {
    code.lines().position(|line| line.contains(wanted)).map_or(1, |index| index + 1)
}

struct Named {
    module: Module,
    paths: BTreeSet<Vec<String>>,
}

impl Named {
    fn note(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        let mut from = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len() - 1].to_vec(),
            _ => return,
        };
        let above = rest.iter().take_while(|name| *name == "super").count();
        from.truncate(from.len().saturating_sub(above));
        from.extend_from_slice(&rest[above..]);
        self.paths.insert(from);
    }
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|cfg| cfg == "test")
        };
        if !module.attrs.iter().any(is_test) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        leaves(&item.tree, &mut Vec::new(), &mut paths);
        paths.iter().for_each(|path| self.note(path));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(&names);
        visit::visit_path(self, path);
    }
}

/// All paths of a `use`.
fn leaves(tree: &UseTree, above: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    match tree {
        UseTree::Path(path) => {
            above.push(path.ident.to_string());
            leaves(&path.tree, above, paths);
            above.pop();
        }
        UseTree::Name(syn::UseName { ident }) | UseTree::Rename(syn::UseRename { ident, .. }) => {
            paths.push(above.iter().cloned().chain([ident.to_string()]).collect());
        }
        UseTree::Glob(_) => paths.push(above.clone()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, above, paths)),
    }
}
