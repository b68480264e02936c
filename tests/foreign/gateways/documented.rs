//! The configurations in docs/gateways.md.

const PAGE: &str = include_str!("../../../docs/gateways.md");

/// The file that the page shows under this name, with each of `changes` made, all of which have to be possible.
pub(super) fn configuration(name: &str, changes: &[(&str, &str)]) -> String {
    let opening = format!(" {name}\n");
    let (_, rest) = PAGE.split_once(&opening).unwrap_or_else(|| panic!("the page has no {name}"));
    let (file, _) = rest.split_once("\n```\n").expect("a fence that ends");
    changes.iter().fold(format!("{file}\n"), |file, (from, to)| {
        assert!(file.contains(from), "{name} has no {from}");
        file.replace(from, to)
    })
}
