//! What a benchmark is asked for, such as `quick`.

/// The words behind `--`.
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    /// Those of this process.
    pub(crate) fn read() -> Self {
        Self(std::env::args().skip(1).filter(|argument| argument != "--bench").collect())
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|argument| argument == word)
    }

    /// The first of them that is a number.
    #[allow(dead_code)]
    pub(crate) fn number(&self) -> Option<u64> {
        self.0.iter().find_map(|argument| argument.parse().ok())
    }

    /// Whether it is `cargo test --benches`, which wants to know that it starts, and no more.
    pub(crate) fn is_test(&self) -> bool {
        self.has("--test")
    }
}
