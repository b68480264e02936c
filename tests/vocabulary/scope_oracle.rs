//! *Covers* held against what it stands for, exhaustively: each filter of up to four segments over a few
//! literals against each other one, by the set of resources that each of the two matches.
//!
//! What a filter matches is decided here a second time, in a way of its own. Resources go one segment
//! further than filters, over one literal more, so that what is said of them holds for all others too.

use claviger::domain::scope::{Filter, Resource};

const LITERALS: [&str; 3] = ["a", "b", "claviger"];
const MAX_SEGMENTS: usize = 4;

#[test]
fn covers_says_exactly_what_the_sets_of_matched_resources_say() {
    let resources = paths(&[&LITERALS[..], &["other"]].concat(), MAX_SEGMENTS + 1);
    let filters: Vec<(Filter, Vec<bool>)> =
        filters().into_iter().map(|text| matched(&text, &resources)).collect();
    for (a, matched_by_a) in &filters {
        for (b, matched_by_b) in &filters {
            let subset = matched_by_a.iter().zip(matched_by_b).all(|(by_a, by_b)| *by_a || !by_b);
            assert_eq!(a.covers(b), subset, "{a} covers {b}");
        }
    }
}

/// The filter, and for each resource whether it matches, on which the oracle has to agree.
fn matched(text: &str, resources: &[String]) -> (Filter, Vec<bool>) {
    let filter: Filter = text.parse().unwrap();
    let pattern: Vec<&str> = text.split('/').collect();
    let matched = resources
        .iter()
        .map(|path| {
            let resource: Resource = path.parse().unwrap();
            let segments: Vec<&str> = path.split('/').collect();
            let expected = oracle(&pattern, &segments, true);
            assert_eq!(filter.matches(&resource), expected, "{filter} matches {resource}");
            expected
        })
        .collect();
    (filter, matched)
}

fn oracle(pattern: &[&str], path: &[&str], at_root: bool) -> bool {
    let ([wanted, patterns @ ..], [segment, segments @ ..]) = (pattern, path) else {
        return pattern.is_empty() && path.is_empty();
    };
    let wildcard_applies = !(at_root && *segment == "claviger");
    match *wanted {
        "**" => wildcard_applies,
        "*" => wildcard_applies && oracle(patterns, segments, false),
        literal => literal == *segment && oracle(patterns, segments, false),
    }
}

/// All filters of up to [`MAX_SEGMENTS`] segments; the one that matches everything once, as `**`.
fn filters() -> Vec<String> {
    let closed = paths(&[&LITERALS[..], &["*"]].concat(), MAX_SEGMENTS);
    let open = closed.iter().filter(|path| path.matches('/').count() + 1 < MAX_SEGMENTS);
    let open: Vec<String> = open.map(|path| format!("{path}/**")).collect();
    let single_wildcard = |path: &String| path == "*";
    closed
        .iter()
        .filter(|path| !single_wildcard(path))
        .cloned()
        .chain(open)
        .chain(["**".to_owned()])
        .collect()
}

/// All paths of 1 to `max` segments.
fn paths(segments: &[&str], max: usize) -> Vec<String> {
    let mut all: Vec<String> = segments.iter().map(|segment| (*segment).to_owned()).collect();
    let mut longest = all.clone();
    for _ in 1..max {
        longest =
            longest.iter().flat_map(|path| segments.iter().map(move |s| format!("{path}/{s}"))).collect();
        all.extend(longest.iter().cloned());
    }
    all
}
