//! API keys: the vectors, and that one wrong character anywhere is refused.

use claviger::base::entropy::Entropy;
use claviger::domain::api_key::{
    Brand, EnvironmentSlug, KeyId, NotIssuedHere, PlainKey, Tagger, display_prefix, looks_like_key,
};
use proptest::prelude::*;
use serde::Deserialize;

use crate::vectors::Vectors;

#[test]
fn every_vector_of_api_keys_holds() {
    let mut vectors = Vectors::read(include_str!("../vectors/api_keys.json"));
    vectors.take("names").iter().for_each(names);
    vectors.take("ids").iter().for_each(ids);
    vectors.take("accepted").iter().for_each(accepted);
    vectors.take("refused").iter().for_each(refused);
    vectors.take("generated").iter().for_each(generated);
    vectors.end();
}

#[derive(Deserialize)]
struct Names {
    text: String,
    brand: bool,
    environment: bool,
}

fn names(row: &Names) {
    assert_eq!(row.text.parse::<Brand>().is_ok(), row.brand, "{:?}", row.text);
    assert_eq!(row.text.parse::<EnvironmentSlug>().is_ok(), row.environment, "{:?}", row.text);
}

#[derive(Deserialize)]
struct Ids {
    text: String,
    accepted: bool,
}

fn ids(row: &Ids) {
    let read = row.text.parse::<KeyId>().map(|id| id.to_string()).ok();
    assert_eq!(read, row.accepted.then(|| row.text.clone()), "{:?}", row.text);
}

#[derive(Deserialize)]
struct Accepted {
    tag_key: String,
    key: String,
    brand: String,
    environment: String,
    id: KeyId,
    secret: String,
    prefix: String,
}

fn accepted(row: &Accepted) {
    let key = PlainKey::parse(&row.key, &tagger(&row.tag_key)).unwrap_or_else(|_| panic!("{}", row.key));
    assert!(looks_like_key(&row.key));
    assert_eq!(key.expose(), row.key);
    assert_eq!((key.brand(), key.environment()), (row.brand.as_str(), row.environment.as_str()));
    assert_eq!((key.id(), key.secret()), (row.id, row.secret.as_str()));
    let (brand, environment) = (row.brand.parse().unwrap(), row.environment.parse().unwrap());
    assert_eq!(display_prefix(&brand, &environment, &row.id), row.prefix);
}

#[derive(Deserialize)]
struct Refused {
    tag_key: String,
    key: String,
    why: String,
}

fn refused(row: &Refused) {
    assert_eq!(parse(&row.key, &tagger(&row.tag_key)), Err(NotIssuedHere), "{:?}: {}", row.key, row.why);
}

#[derive(Deserialize)]
struct Generated {
    tag_key: String,
    brand: Brand,
    environment: EnvironmentSlug,
    random: String,
    key: String,
}

fn generated(row: &Generated) {
    let entropy = Entropy::scripted(unhex(&row.random));
    let key = PlainKey::generate(&row.brand, &row.environment, &tagger(&row.tag_key), &entropy).unwrap();
    assert_eq!(key.expose(), row.key);
    assert!(entropy.bytes::<1>().is_err(), "bytes are left over");
}

#[test]
fn any_one_wrong_character_anywhere_is_refused() {
    let characters = ('\0'..='\u{7f}').chain(['é', '…', '０', 'а', '\u{200b}']);
    for (brand, environment) in [("clv", "prd"), ("ab", "x"), ("abcdefghijkl", "abcdefghijkl")] {
        let tagger = Tagger::new(&[7; 32]);
        let key = generate(brand, environment, &tagger);
        let text = key.expose();
        for position in 0..text.len() {
            let (before, after) = (&text[..position], &text[position + 1..]);
            let right = text.as_bytes()[position];
            assert!(parse(&format!("{before}{after}"), &tagger).is_err(), "{position} left out");
            for character in characters.clone() {
                let inserted = format!("{before}{character}{}", &text[position..]);
                assert!(parse(&inserted, &tagger).is_err(), "{character:?} inserted at {position}");
                let flipped = format!("{before}{character}{after}");
                let same = character == char::from(right);
                assert_eq!(parse(&flipped, &tagger).is_ok(), same, "{character:?} at {position}");
            }
        }
    }
}

#[test]
fn debug_output_holds_no_secret() {
    let tagger = Tagger::new(&[7; 32]);
    assert_eq!(format!("{tagger:?}"), "Tagger([redacted])");
    assert_eq!(format!("{:?}", generate("clv", "prd", &tagger)), "PlainKey([redacted])");
}

#[test]
fn a_new_secret_leaves_id_and_place_as_they_are() {
    let tagger = Tagger::new(&[7; 32]);
    let old = generate("clv", "prd", &tagger);
    let (brand, environment) = ("acme".parse().unwrap(), old.environment().parse().unwrap());
    let new = PlainKey::with_id(&brand, &environment, old.id(), &tagger, &Entropy::system()).unwrap();
    assert_eq!((new.id(), new.environment(), new.brand()), (old.id(), "prd", "acme"));
    assert_ne!(new.secret(), old.secret());
    // Another brand from now on: what was issued under the old one stays good.
    assert!(parse(old.expose(), &tagger).is_ok() && parse(new.expose(), &tagger).is_ok());
}

#[test]
fn a_failing_source_of_randomness_is_an_error() {
    let (brand, environment) = (Brand::default(), "prd".parse().unwrap());
    let dry = Entropy::scripted([0; 58]);
    assert!(PlainKey::generate(&brand, &environment, &Tagger::new(&[7; 32]), &dry).is_err());
}

#[test]
fn every_character_of_the_alphabet_comes_up_about_equally_often() {
    let tagger = Tagger::new(&[7; 32]);
    let mut counts = [0_usize; 128];
    for _ in 0..2_000 {
        for byte in generate("clv", "prd", &tagger).secret().bytes() {
            counts[usize::from(byte)] += 1;
        }
    }
    let mean = 2_000 * 43 / 62;
    for character in ('0'..='9').chain('A'..='Z').chain('a'..='z') {
        let count = counts[character as usize];
        // The deviation is about 37; unrejected bytes would give eight characters a quarter more.
        assert!(count.abs_diff(mean) < 250, "{character}: {count} times, and {mean} on average");
    }
}

fn generate(brand: &str, environment: &str, tagger: &Tagger) -> PlainKey {
    let (brand, environment) = (brand.parse().unwrap(), environment.parse().unwrap());
    PlainKey::generate(&brand, &environment, tagger, &Entropy::system()).unwrap()
}

fn parse(text: &str, tagger: &Tagger) -> Result<KeyId, NotIssuedHere> {
    PlainKey::parse(text, tagger).map(|key| key.id())
}

fn tagger(hex: &str) -> Tagger {
    Tagger::new(&unhex(hex).try_into().unwrap())
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_generated_is_read_back(
        brand in "[a-z][a-z0-9]{1,11}",
        environment in "[a-z][a-z0-9]{0,11}",
        tag_key in any::<[u8; 32]>(),
        other_tag_key in any::<[u8; 32]>(),
    ) {
        let tagger = Tagger::new(&tag_key);
        let key = generate(&brand, &environment, &tagger);
        let text = key.expose();
        prop_assert_eq!(text.len(), brand.len() + environment.len() + 2 + 16 + 43 + 6);
        prop_assert!(text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()));
        let read = PlainKey::parse(text, &tagger).unwrap();
        prop_assert_eq!((read.id(), read.brand(), read.environment(), read.secret()), (key.id(), &*brand, &*environment, key.secret()));
        prop_assert!(looks_like_key(text));
        prop_assert_eq!(parse(text, &Tagger::new(&other_tag_key)), Err(NotIssuedHere));
        let id = key.id();
        prop_assert_eq!(id.to_string().parse::<KeyId>(), Ok(id));
        prop_assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
        prop_assert_eq!(KeyId::from_bare(id.as_str()), Some(id));
    }

    #[test]
    fn no_text_at_all_is_a_key(text in any::<String>(), near in "[a-z]{2,4}_[a-z]{1,4}_[0-9A-Za-z]{64,66}") {
        let tagger = Tagger::new(&[7; 32]);
        prop_assert_eq!(parse(&text, &tagger), Err(NotIssuedHere));
        prop_assert_eq!(parse(&near, &tagger), Err(NotIssuedHere));
        prop_assert_eq!(looks_like_key(&near), near.len() - near.rfind('_').unwrap() == 66);
    }
}
