//! The scopes of the catalogue, for a command line that is still being typed.

use std::time::Duration;

use clap::Parser;
use serde::Deserialize;

use crate::cli::output::plain;
use crate::cli::remote::{OrganizationArgs, read};
use crate::client::Request;

/// A server that takes longer is not waited for.
const WITHIN: Duration = Duration::from_secs(1);

/// The options of a command line that say which server and organization it is about, and with which key.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Place {
    #[command(flatten)]
    organization: OrganizationArgs,
}

/// Those of them that have a value.
const WITH_VALUE: [&str; 5] = ["--org", "--url", "--profile", "--ca-file", "--api-key-file"];

/// The one that has none.
const ALONE: &str = "--allow-http";

#[derive(Deserialize)]
struct Page {
    data: Vec<Entry>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    scope: String,
    name: String,
}

/// Each scope of the catalogue, a tab and its name, as lines. `None` if they can't be had quickly and without asking.
pub(super) async fn lines(words: &[String]) -> Option<String> {
    tokio::time::timeout(WITHIN, listed(words)).await.ok()?
}

async fn listed(words: &[String]) -> Option<String> {
    let place = Place::try_parse_from(place_of(words)).ok()?;
    let remote = place.organization.connect_unattended().ok()??;
    let organization = remote.organization().await.ok()?;
    let path = ["v1", "orgs", organization.as_str(), "scopes"];
    let (mut lines, mut cursor) = (String::new(), None);
    loop {
        let request = Request::get(&path).flag("inherited", true).query("limit", Some(200));
        let page: Page = read(&remote.ask(request.query("cursor", cursor)).await.ok()?).ok()?;
        for Entry { scope, name } in page.data {
            lines.push_str(&format!("{}\t{}\n", plain(&scope), plain(&name)));
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Some(lines);
        }
    }
}

/// The options among the words that name the place. All others may be incomplete.
fn place_of(words: &[String]) -> Vec<String> {
    let mut place = vec!["--timeout".to_owned(), WITHIN.as_secs().to_string()];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, value) = word.split_once('=').map_or((&**word, None), |(name, value)| (name, Some(value)));
        if word == ALONE {
            place.push(word.clone());
        } else if WITH_VALUE.contains(&name)
            && let Some(value) = value.or_else(|| words.next().map(String::as_str))
        {
            place.push(format!("{name}={value}"));
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_what_the_words_say_so_far() {
        let place =
            |line: &str| place_of(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).split_off(2);
        assert_eq!(
            place("keys create x --org acme --url=http://a.example --allow-http --scope read:"),
            ["--org=acme", "--url=http://a.example", "--allow-http"]
        );
        assert!(place("keys create x --scope read: --org").is_empty());
    }
}
