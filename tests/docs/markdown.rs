//! As much of Markdown as these documents use.

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Fence {
    /// The word after the opening fence; empty when there is none.
    pub(crate) language: String,
    pub(crate) text: String,
}

/// What stands under the second-level heading of this title.
pub(crate) fn section<'a>(markdown: &'a str, title: &str) -> &'a str {
    let heading = format!("\n## {title}\n");
    let (_, rest) = markdown.split_once(&heading).unwrap_or_else(|| panic!("there is no section {title}"));
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// The fenced blocks, in order.
pub(crate) fn fences(markdown: &str) -> Vec<Fence> {
    let mut fences: Vec<Fence> = Vec::new();
    let mut is_inside = false;
    for line in markdown.lines() {
        match line.strip_prefix("```") {
            Some(language) => {
                is_inside = !is_inside;
                if is_inside {
                    fences.push(Fence { language: language.trim().into(), text: String::new() });
                }
            }
            None => {
                if let Some(fence) = fences.last_mut().filter(|_| is_inside) {
                    fence.text.push_str(line);
                    fence.text.push('\n');
                }
            }
        }
    }
    fences
}

/// The text without its fenced blocks.
pub(crate) fn prose(markdown: &str) -> String {
    markdown.split("\n```").step_by(2).collect()
}

/// What is set as code within a line.
pub(crate) fn code_spans(markdown: &str) -> Vec<String> {
    prose(markdown).split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Where links lead.
pub(crate) fn link_targets(markdown: &str) -> Vec<String> {
    let text = prose(markdown);
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.into())
        .collect()
}

/// What links to its headings end with: lower case, hyphens for spaces, no punctuation.
pub(crate) fn anchors(markdown: &str) -> Vec<String> {
    let text = prose(markdown);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
