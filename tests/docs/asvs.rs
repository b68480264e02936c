//! The page on OWASP ASVS has a row for each requirement that concerns a server of this kind, and names tests that there are.

use crate::known_attacks::wrong_with_tests;
use crate::markdown::prose;
use crate::text;

const PAGE: &str = "docs/asvs.md";

/// The numbers of requirements in the sections of V10 that the page goes through.
const REQUIREMENTS: [(&str, u32); 5] = [("10.1", 2), ("10.2", 3), ("10.3", 5), ("10.4", 16), ("10.5", 5)];

#[test]
fn every_requirement_has_its_tests_or_does_not_apply() {
    let page = prose(&text(PAGE));
    let rows: Vec<Vec<&str>> = page.lines().filter_map(cells).collect();
    let expected: Vec<String> = REQUIREMENTS
        .iter()
        .flat_map(|(section, count)| (1..=*count).map(move |number| format!("{section}.{number}")))
        .collect();
    let numbers: Vec<&str> = rows.iter().filter_map(|row| row[0].split(' ').next()).collect();
    assert_eq!(numbers, expected);
    for row in rows {
        let &[requirement, level, does, held] = &*row else { panic!("{row:?} has other columns") };
        assert!(["1", "2", "3"].contains(&level), "{requirement}: {level} is no level");
        if held.trim().is_empty() {
            assert!(does.starts_with("Does not apply: "), "{requirement}: which test holds it?");
        } else {
            assert_eq!(wrong_with_tests(held), Vec::<String>::new(), "{requirement}");
        }
    }
}

/// The cells of a row about a requirement.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix("| 10.")?;
    let start = line.len() - inner.len() - "10.".len();
    Some(line[start..].strip_suffix('|')?.split(" |").map(str::trim).collect())
}
