//! The arguments of a benchmark, such as `quick`.

/// The words after `--`.
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    /// The arguments of this process.
    pub(crate) fn read() -> Self {
        Self(std::env::args().skip(1).filter(|argument| argument != "--bench").collect())
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|argument| argument == word)
    }

    /// The first argument that is a number.
    #[allow(dead_code)]
    pub(crate) fn number(&self) -> Option<u64> {
        self.0.iter().find_map(|argument| argument.parse().ok())
    }

    /// Whether `cargo test --benches` runs this benchmark only to see that it starts.
    pub(crate) fn is_test(&self) -> bool {
        self.has("--test")
    }
}
