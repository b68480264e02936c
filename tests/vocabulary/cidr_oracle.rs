//! Ranges held against Python's `ipaddress`, on thousands of random questions: `cidr_oracle.py` answers.

use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::process::{Command, Stdio};

use claviger::domain::cidr::{Cidr, Cidrs};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const ORACLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vocabulary/cidr_oracle.py");

const QUESTIONS_OF_EACH_KIND: usize = 3_000;

#[test]
fn python_agrees() {
    let questions = questions();
    let Some(answers) = ask(&questions) else { return };
    assert_eq!(answers.len(), questions.len());
    for (question, expected) in questions.iter().zip(&answers) {
        assert_eq!(&ours(question), expected, "{question}");
    }
    // Random questions are worth little when nearly all of them have the same answer.
    for (kind, answer) in
        [("parse", "refused"), ("admits", "1"), ("admits", "0"), ("covers", "1"), ("covers", "0")]
    {
        let pairs = questions.iter().zip(&answers);
        let times = pairs.filter(|(question, given)| question.starts_with(kind) && *given == answer).count();
        assert!(times > QUESTIONS_OF_EACH_KIND / 20, "{kind} {answer}: {times}");
    }
}

/// What this crate says to a question, in the oracle's words.
fn ours(question: &str) -> String {
    let list = |text: &str| Cidrs::parse(text.split(',')).unwrap();
    let words: Vec<&str> = question.split(' ').collect();
    match words[..] {
        ["parse", entry] => entry.parse::<Cidr>().map_or("refused".to_owned(), |range| range.to_string()),
        ["admits", ranges, address] => {
            let address: IpAddr = address.parse().unwrap();
            u8::from(list(ranges).admits(Some(address))).to_string()
        }
        ["covers", a, b] => u8::from(list(a).covers(&list(b))).to_string(),
        _ => panic!("{question}"),
    }
}

/// Puts all questions to the oracle at once. Without Python nothing is asked, except where that has to work.
fn ask(questions: &[String]) -> Option<Vec<String>> {
    let python = Command::new("python3").arg(ORACLE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut python = match python {
        Ok(python) => python,
        Err(error) if error.kind() == ErrorKind::NotFound && std::env::var("CI").as_deref() != Ok("true") => {
            // Past the test harness, which keeps to itself what a passing test prints.
            std::io::stderr().write_all(b"left out: python_agrees, because there is no python3\n").unwrap();
            return None;
        }
        Err(error) => panic!("python3: {error}"),
    };
    let mut stdin = python.stdin.take().unwrap();
    let input = questions.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{ORACLE}: {}", output.status);
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn questions() -> Vec<String> {
    let mut runner = TestRunner::default();
    let kinds = [
        prop_oneof![entry(), damaged_entry()].prop_map(|entry| format!("parse {entry}")).boxed(),
        (ranges(), address()).prop_map(|(list, address)| format!("admits {list} {address}")).boxed(),
        (ranges(), ranges()).prop_map(|(a, b)| format!("covers {a} {b}")).boxed(),
    ];
    kinds
        .iter()
        .flat_map(|kind| std::iter::repeat_n(kind, QUESTIONS_OF_EACH_KIND))
        .map(|kind| kind.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// Addresses that are often close to each other, and often at the edges of what is special.
fn address() -> impl Strategy<Value = IpAddr> {
    let bits = prop_oneof![Just(0_u128), Just(u128::MAX), 0..16_u128, any::<u128>()];
    let v4 = (bits.clone(), any::<u32>()).prop_map(|(bits, other)| {
        IpAddr::from(((bits as u32 & 0x8000_0003) | (other & 0x0100_0000)).to_be_bytes())
    });
    let v6 =
        (bits, prop::sample::select(vec![0_u128, 0xffff << 32, 0xfffe << 32, 0x2001_0db8 << 96, 1 << 127]))
            .prop_map(|(bits, base)| IpAddr::from((base | (bits & 0x8000_0003)).to_be_bytes()));
    prop_oneof![v4, v6]
}

/// A range with no host bits, as a text in one of several spellings.
fn entry() -> impl Strategy<Value = String> {
    let prefix = prop_oneof![0..=4_u8, 28..=32_u8, 92..=100_u8, 124..=128_u8];
    (address(), prefix, any::<bool>()).prop_map(|(address, prefix, long)| match address {
        IpAddr::V4(address) => {
            let prefix = prefix.min(32);
            let free = 32 - u32::from(prefix);
            let first = u32::from(address).checked_shr(free).and_then(|a| a.checked_shl(free)).unwrap_or(0);
            format!("{}/{prefix}", IpAddr::from(first.to_be_bytes()))
        }
        IpAddr::V6(address) => {
            let free = 128 - u32::from(prefix);
            let first = u128::from(address).checked_shr(free).and_then(|a| a.checked_shl(free)).unwrap_or(0);
            let groups: Vec<String> =
                (0..8).rev().map(|group| format!("{:04X}", first >> (16 * group) & 0xffff)).collect();
            let spelled = if long { groups.join(":") } else { IpAddr::from(first.to_be_bytes()).to_string() };
            format!("{spelled}/{prefix}")
        }
    })
}

/// An entry with one character removed, doubled or replaced.
fn damaged_entry() -> impl Strategy<Value = String> {
    let replacement = prop::sample::select("0123459af:./%+-xg".chars().collect::<Vec<_>>());
    (entry(), any::<prop::sample::Index>(), replacement, 0..4).prop_map(
        |(entry, index, replacement, damage)| {
            let mut characters: Vec<char> = entry.chars().collect();
            let index = index.index(characters.len());
            match damage {
                0 => drop(characters.remove(index)),
                1 => characters.insert(index, characters[index]),
                2 => characters.insert(index, replacement),
                _ => characters[index] = replacement,
            }
            characters.into_iter().collect()
        },
    )
}

fn ranges() -> impl Strategy<Value = String> {
    prop::collection::vec(entry(), 1..8).prop_map(|entries| entries.join(","))
}
