//! `docs/configuration.md` has every setting of the binary, each with its default, and none besides.

use std::collections::BTreeSet;

use crate::server::claviger;
use crate::text;

/// Taken from the environment alone, so that it is on no command line and in no file of settings.
const NOT_FLAGS: [&str; 2] = ["CLAVIGER_MASTER_KEY", "CLAVIGER_NEXT_MASTER_KEY"];

#[test]
fn every_setting_is_documented_with_its_default() {
    let document = text("docs/configuration.md");
    let settings = settings();
    for setting in &settings {
        let row = document.lines().find(|line| line.starts_with(&format!("| `{}` |", setting.flag)));
        let row = row.unwrap_or_else(|| panic!("{} has no row", setting.flag));
        assert!(
            row.contains(&format!("`{}`", setting.variable)),
            "{} is not beside {}",
            setting.variable,
            setting.flag
        );
        if let Some(default) = &setting.default {
            assert!(
                row.contains(default),
                "{}: the default is {default}, and the row says {row}",
                setting.flag
            );
        }
    }
    let known: BTreeSet<&str> = settings.iter().map(|setting| &*setting.variable).chain(NOT_FLAGS).collect();
    let unknown: Vec<&str> = variables(&document).difference(&known).copied().collect();
    assert!(unknown.is_empty(), "documented, and no settings: {unknown:?}");
}

struct Setting {
    flag: String,
    variable: String,
    default: Option<String>,
}

/// What `claviger serve --help` says.
fn settings() -> Vec<Setting> {
    let help = claviger().args(["serve", "--help"]).output().expect("the binary runs");
    let help = String::from_utf8(help.stdout).expect("text");
    let entries = help.split("\n      --").skip(1);
    entries.filter_map(setting).collect()
}

fn setting(entry: &str) -> Option<Setting> {
    let name: String = entry.chars().take_while(|character| !character.is_whitespace()).collect();
    let variable = between(entry, "[env: ", "]")?.trim_end_matches('=').to_owned();
    Some(Setting {
        flag: format!("--{name}"),
        variable,
        default: between(entry, "[default: ", "]").map(str::to_owned),
    })
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn variables(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| {
        !(character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_')
    });
    words.filter(|word| word.strip_prefix("CLAVIGER_").is_some_and(|rest| !rest.is_empty())).collect()
}
