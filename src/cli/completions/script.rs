//! The scripts that clap generates, which know every command and option, with completion of scopes added.

use clap::{Arg, Command};
use clap_complete::Shell;

/// How the options that take a scope name their value.
const SCOPE: &str = "SCOPE";

/// Bash calls this function in place of the generated one, `_claviger`. It reads the line itself, because bash takes what
/// follows a colon as a word of its own.
const BASH: &str = r#"_claviger_scopes() {
    local line="${COMP_LINE:0:COMP_POINT}" words current before quote="" candidate prefix
    read -ra words <<< "$line"
    if [[ "$line" == *[[:space:]] ]]; then
        words+=("")
    fi
    current="${words[${#words[@]}-1]}"
    before="${words[${#words[@]}-2]}"
    if [[ "$current" == --*=* ]]; then
        before="${current%%=*}"
        current="${current#*=}"
    fi
    case "$before" in
        OPTIONS) ;;
        *)
            _claviger "$@"
            return
            ;;
    esac
    COMPREPLY=()
    if [[ "$current" == [\"\']* ]]; then
        quote="${current:0:1}"
        current="${current:1}"
    fi
    while IFS=$'\t' read -r candidate _; do
        if [[ "$candidate" == "$current"* ]]; then
            if [[ -z "$quote" ]]; then
                printf -v candidate %q "$candidate"
            fi
            COMPREPLY+=("$candidate")
        fi
    done < <("$1" completions --scopes -- "${words[@]:1}" 2>/dev/null </dev/null)
    if [[ -z "$quote" && "$current" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then
        prefix="${current%"${current##*:}"}"
        COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    fi
}

"#;

const ZSH: &str = r#"_claviger_scopes() {
    local -a lines scopes shown
    local line
    lines=("${(@f)$(claviger completions --scopes -- "${(@Q)words}" 2>/dev/null </dev/null)}")
    for line in ${lines:#}; do
        scopes+=("${line%%$'\t'*}")
        shown+=("${line%%$'\t'*}  ${line#*$'\t'}")
    done
    compadd -l -d shown -a scopes
}

"#;

const FISH: &str = "function __fish_claviger_scopes
	claviger completions --scopes -- (commandline -opc) 2>/dev/null </dev/null
end

";

/// The script for this shell.
pub(super) fn of(shell: Shell, mut command: Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "claviger", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => bash(&script, &options(&command)),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script, &options(&command)),
        _ => script,
    }
}

/// The options that take a scope, of all commands.
fn options(command: &Command) -> Vec<String> {
    let takes_scope =
        |option: &&Arg| option.get_value_names().is_some_and(|names| names.iter().any(|name| name == SCOPE));
    let own = command.get_arguments().filter(takes_scope).filter_map(|option| option.get_long());
    let mut all: Vec<String> = own.map(str::to_owned).collect();
    all.extend(command.get_subcommands().flat_map(options));
    all.sort_unstable();
    all.dedup();
    all
}

fn bash(script: &str, options: &[String]) -> String {
    let options: Vec<String> = options.iter().map(|option| format!("--{option}")).collect();
    let function = BASH.replace("OPTIONS", &options.join("|"));
    function + &script.replace("complete -F _claviger ", "complete -F _claviger_scopes ")
}

/// The first line of the script says which command it completes, and stays the first.
fn zsh(script: &str) -> String {
    let script = script.replace(&format!(":{SCOPE}:_default'"), &format!(":{SCOPE}:_claviger_scopes'"));
    script.replacen("_claviger() {", &format!("{ZSH}_claviger() {{"), 1)
}

fn fish(script: &str, options: &[String]) -> String {
    let takes_scope = |line: &str| options.iter().any(|option| line.contains(&format!(" -l {option} ")));
    let completed = script.lines().map(|line| match line.strip_suffix(" -r") {
        Some(start) if takes_scope(line) => format!("{start} -r -f -a \"(__fish_claviger_scopes)\"\n"),
        _ => format!("{line}\n"),
    });
    let completed: String = completed.collect();
    format!("{FISH}{completed}")
}
