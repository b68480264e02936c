//! `--help`, completions and manual pages, for every command that there is.

use std::collections::BTreeSet;
use std::fs;

use crate::shell::Shell;

/// Every command, as its words, found from one help to the next.
fn commands() -> Vec<Vec<String>> {
    let shell = Shell::new();
    let (mut found, mut next) = (Vec::new(), vec![Vec::<String>::new()]);
    while let Some(words) = next.pop() {
        let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        next.extend(subcommands(&shell.ok(&arguments).stdout).map(|name| [&words[..], &[name]].concat()));
        found.push(words);
    }
    found
}

fn subcommands(help: &str) -> impl Iterator<Item = String> + '_ {
    let list = help.split("\nCommands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    list.unwrap_or_default().lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned)
}

#[test]
fn every_command_explains_itself() {
    let shell = Shell::new();
    let commands = commands();
    for expected in
        ["keys rotate", "keys rescope-matching", "orgs export", "signing-keys rotate", "usage org", "man"]
    {
        assert!(commands.iter().any(|words| words.join(" ") == expected), "{expected}");
    }
    for words in &commands {
        let help = |flag: &'static str| {
            let arguments: Vec<&str> = words.iter().map(String::as_str).chain([flag]).collect();
            shell.ok(&arguments).stdout
        };
        let (short, long) = (help("-h"), help("--help"));
        let first = long.lines().next().unwrap();
        assert!(first.len() > 10 && !first.starts_with("Usage"), "{words:?}: {first}");
        assert!(short.len() <= long.len(), "{words:?}");
        for line in long.lines() {
            assert!(line.chars().count() <= 170, "{words:?}: {line}");
        }
    }
}

#[test]
fn settings_of_the_server_are_in_its_own_help_alone() {
    for words in commands() {
        let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let help = Shell::new().ok(&arguments).stdout;
        let is_server = matches!(
            words.first().map(String::as_str),
            Some("serve" | "health" | "doctor" | "init" | "admin-key" | "backup" | "restore")
        );
        assert_eq!(help.contains("--database-url"), is_server, "{words:?}");
    }
}

#[test]
fn examples_in_help_are_commands_that_exist() {
    let known: BTreeSet<String> = commands().into_iter().map(|words| words.join(" ")).collect();
    for words in commands() {
        let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let help = Shell::new().ok(&arguments).stdout;
        let examples =
            help.split("claviger ").skip(1).map(|rest| rest.split(['\n', '`', '|', ')']).next().unwrap());
        for example in examples {
            let mut named = example.split(' ');
            let first = named.next().unwrap_or_default();
            let both = format!("{first} {}", named.next().unwrap_or_default());
            let is_command = first.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            assert!(
                !is_command || first.starts_with("--") || known.contains(first) || known.contains(&both),
                "{words:?}: claviger {example}"
            );
        }
    }
}

#[test]
fn every_command_is_run_in_the_documentation() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).unwrap();
    let shell: String =
        page.split("\n```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    let commands = commands();
    let is_group =
        |words: &[String]| commands.iter().any(|other| other.len() > words.len() && other.starts_with(words));
    for words in commands.iter().filter(|words| !is_group(words)) {
        let command = words.join(" ");
        let is_server = matches!(command.as_str(), "serve" | "init" | "admin-key" | "backup" | "restore");
        // Nobody can be a member without a provider, and the server of the documentation has none.
        let is_of_members = words.first().is_some_and(|first| first == "members");
        assert!(
            is_server || is_of_members || shell.contains(&format!("claviger {command}")),
            "claviger {command} has no example"
        );
    }
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Shell::new().ok(&["completions", shell]).stdout;
        for words in commands().iter().filter(|words| !words.is_empty()) {
            assert!(script.contains(words.last().unwrap()), "{shell}: {words:?}");
        }
    }
    Shell::new().run(&["completions", "tcsh"]).assert_failed(2, "possible values: bash");
}

#[test]
fn scripts_complete_every_option_that_takes_a_scope() {
    let script = |shell: &str| Shell::new().ok(&["completions", shell]).stdout;
    let (bash, zsh, fish) = (script("bash"), script("zsh"), script("fish"));
    assert!(bash.contains("        --add|--remove|--scope) ;;"), "{bash}");
    assert_eq!(bash.matches("complete -F _claviger_scopes ").count(), 2, "{bash}");
    assert!(!zsh.contains(":SCOPE:_default") && zsh.starts_with("#compdef claviger\n"), "{zsh}");
    let offered = fish.matches(" -r -f -a \"(__fish_claviger_scopes)\"\n").count();
    assert_eq!(offered, zsh.matches(":SCOPE:_claviger_scopes'").count(), "{fish}");
    assert!(offered >= 9, "{offered}");
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let shell = Shell::new();
    let said = shell.ok(&["man", "--dir", "share/man"]);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", "Written to share/man.\n"));
    for words in commands() {
        let name = [&["claviger".to_owned()][..], &words].concat().join("-");
        let page = fs::read_to_string(shell.path(&format!("share/man/{name}.1"))).expect(&name);
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
        assert!(page.contains(".SH DESCRIPTION"), "{page}");
    }
    let page = shell.ok(&["man"]).stdout;
    assert!(page.contains(".TH claviger 1") && page.contains("Exit codes"), "{page}");
}
