//! Expectations as a table that people read: a row for each thing that is asked for, a column for each caller.

/// Asserts that the outcomes are those of `table`. It begins with the names of the columns; every other line is a row.
///
/// What is missing from the table, what is in it and was never asked for, and what is otherwise fails.
#[track_caller]
pub(crate) fn check_table(table: &str, columns: &[&str], rows: &[(String, Vec<String>)]) {
    let found = written(columns, rows);
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let (wanted, found_lines) = (lines(table), lines(&found));
    let missing: Vec<_> = found_lines.iter().filter(|line| !wanted.contains(line)).collect();
    let left: Vec<_> = wanted.iter().filter(|line| !found_lines.contains(line)).collect();
    assert!(
        missing.is_empty() && left.is_empty(),
        "found, and not in the table: {missing:#?}\nin the table, and not found: {left:#?}\nall that was found:\n{found}"
    );
}

fn written(columns: &[&str], rows: &[(String, Vec<String>)]) -> String {
    let first = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let width = |at: usize, column: &str| {
        rows.iter().map(|(_, words)| words[at].len()).chain([column.len()]).max().unwrap_or(0)
    };
    let widths: Vec<_> = columns.iter().enumerate().map(|(at, column)| width(at, column)).collect();
    let line = |name: &str, words: &[&str]| {
        let cells: Vec<_> = words.iter().zip(&widths).map(|(word, width)| format!("{word:width$}")).collect();
        format!("{name:first$}  {}", cells.join("  ")).trim_end().to_owned()
    };
    let header = line("", columns);
    let rows =
        rows.iter().map(|(name, words)| line(name, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    [header].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}
