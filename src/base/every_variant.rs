//! For tests: lists of an enum's values that can't omit a variant.

use std::any::type_name;
use std::collections::BTreeSet;
use std::fmt::Debug;

use syn::Item;

/// `values`, which must have each variant of their enum. `source` is the file that defines the enum.
#[track_caller]
pub(crate) fn with_every_variant<T: Debug>(source: &str, values: impl IntoIterator<Item = T>) -> Vec<T> {
    let values: Vec<T> = values.into_iter().collect();
    let listed: BTreeSet<String> = values.iter().map(variant).collect();
    let defined = variants(source, type_name::<T>().rsplit("::").next().unwrap_or_default());
    let omitted: Vec<&String> = defined.difference(&listed).collect();
    assert!(omitted.is_empty(), "the list omits {omitted:?}");
    values
}

/// The name of a value's variant.
pub(crate) fn variant(value: &impl Debug) -> String {
    let debug = format!("{value:?}");
    debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

#[track_caller]
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let file = syn::parse_file(source).expect("the source is Rust");
    let mut enums = file.items.iter().filter_map(|item| match item {
        Item::Enum(item) if item.ident == name => Some(&item.variants),
        _ => None,
    });
    let variants = enums.next().unwrap_or_else(|| panic!("the source has no enum {name}"));
    variants.iter().map(|variant| variant.ident.to_string()).collect()
}

mod tests {
    use super::*;

    #[derive(Debug)]
    #[expect(dead_code, reason = "only `Debug` reads the fields")]
    enum Light {
        Red(u8),
        Green { seconds: u8 },
    }

    const SOURCE: &str = "enum Other { Blue } enum Light { Red(u8), Green { seconds: u8 } }";

    #[test]
    fn a_list_with_every_variant_is_returned_in_its_order() {
        let all = [Light::Green { seconds: 2 }, Light::Red(1), Light::Red(3)];
        let names: Vec<String> = with_every_variant(SOURCE, all).iter().map(variant).collect();
        assert_eq!(names, ["Green", "Red", "Red"]);
    }

    #[test]
    #[should_panic = r#"the list omits ["Green"]"#]
    fn a_list_without_one_variant_is_refused() {
        with_every_variant(SOURCE, [Light::Red(1)]);
    }
}
