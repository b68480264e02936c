//! Entity tags in requests (RFC 9110 §8.8.3), and the two ways to compare them (§8.8.3.2).
//!
//! A proxy that compresses a response weakens its tag: `"a"` becomes `W/"a"`. A weak tag still matches for
//! `If-None-Match`, and never for `If-Match`.

#[derive(Clone, Debug, PartialEq, Eq)]
struct EntityTag {
    is_weak: bool,
    /// The tag with its quotes.
    opaque: String,
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTags(Named);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    /// `*`: any version.
    Any,
    /// At least one tag.
    OneOf(Vec<EntityTag>),
}

/// The text is neither `*` nor a list of entity tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of ETags, or *")]
pub struct NotEntityTags;

impl EntityTags {
    /// The most tags of a list.
    pub const MOST: usize = 16;

    /// Reads all lines of a header. Empty elements are ignored (RFC 9110 §5.6.1.2). A tag may contain a comma.
    ///
    /// # Errors
    /// [`NotEntityTags`], also for a list that is empty or has more than [`EntityTags::MOST`] tags.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, NotEntityTags> {
        let lines: Vec<&[u8]> = lines.into_iter().map(<[u8]>::trim_ascii).collect();
        if lines == [b"*"] {
            return Ok(Self(Named::Any));
        }
        let mut tags = Vec::new();
        for line in lines {
            let mut rest = line;
            while let Some((tag, behind)) = EntityTag::first(rest)? {
                tags.push(tag);
                if tags.len() > Self::MOST {
                    return Err(NotEntityTags);
                }
                rest = behind;
            }
        }
        if tags.is_empty() { Err(NotEntityTags) } else { Ok(Self(Named::OneOf(tags))) }
    }

    /// Whether a tag matches `current`, a strong tag with its quotes, by the weak comparison of `If-None-Match` (RFC
    /// 9110 §13.1.2).
    pub fn name_weakly(&self, current: &str) -> bool {
        self.any(|tag| tag.opaque == current)
    }

    /// Whether a tag matches `current` by the strong comparison of `If-Match` (RFC 9110 §13.1.1). A weak tag never
    /// does.
    pub fn name_strongly(&self, current: &str) -> bool {
        self.any(|tag| !tag.is_weak && tag.opaque == current)
    }

    fn any(&self, is_it: impl Fn(&EntityTag) -> bool) -> bool {
        match &self.0 {
            Named::Any => true,
            Named::OneOf(tags) => tags.iter().any(is_it),
        }
    }
}

impl EntityTag {
    /// The first tag of a list, and the rest after its comma. `None` at the end.
    fn first(list: &[u8]) -> Result<Option<(Self, &[u8])>, NotEntityTags> {
        let mut list = list.trim_ascii_start();
        while let Some(rest) = list.strip_prefix(b",") {
            list = rest.trim_ascii_start();
        }
        if list.is_empty() {
            return Ok(None);
        }
        let (is_weak, quoted) = match list.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, list),
        };
        let inner = quoted.strip_prefix(b"\"").ok_or(NotEntityTags)?;
        let end = inner.iter().position(|byte| *byte == b'"').ok_or(NotEntityTags)?;
        let (inner, behind) = inner.split_at(end);
        // A tag may contain other bytes, but ours are ASCII, so such a tag can't match.
        if !inner.iter().all(u8::is_ascii_graphic) {
            return Err(NotEntityTags);
        }
        let behind = behind[1..].trim_ascii_start();
        let behind = match behind.strip_prefix(b",") {
            Some(behind) => behind,
            None if behind.is_empty() => behind,
            None => return Err(NotEntityTags),
        };
        let opaque = format!("\"{}\"", String::from_utf8_lossy(inner));
        Ok(Some((Self { is_weak, opaque }, behind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<EntityTags, NotEntityTags> {
        EntityTags::parse(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn a_list_names_each_of_its_tags_and_a_star_every_one() {
        for (lines, weakly, strongly) in [
            (&["\"a\""][..], true, true),
            (&["W/\"a\""], true, false),
            (&[" W/\"b\" , \"a\" ,"], true, true),
            (&["\"b\"", "W/\"a\""], true, false),
            (&["\"a,b\", \"b\""], false, false),
            (&["\"\""], false, false),
            (&["*"], true, true),
        ] {
            let tags = read(lines).unwrap();
            assert_eq!(
                (tags.name_weakly("\"a\""), tags.name_strongly("\"a\"")),
                (weakly, strongly),
                "{lines:?}"
            );
        }
        assert!(read(&["\"a,b\""]).unwrap().name_strongly("\"a,b\""));
    }

    #[test]
    fn anything_else_is_refused() {
        let many = ["\"a\""; 17].join(",");
        for bad in [
            "",
            ",",
            "a",
            "\"a",
            "a\"",
            "\"a\"b\"",
            "\"a\" \"b\"",
            "w/\"a\"",
            "W/ \"a\"",
            "\"a b\"",
            "*, \"a\"",
            &many,
        ] {
            assert_eq!(read(&[bad]), Err(NotEntityTags), "{bad}");
        }
        assert_eq!(read(&[]), Err(NotEntityTags));
        assert_eq!(read(&["*", "*"]), Err(NotEntityTags));
    }
}
