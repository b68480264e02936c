//! CSV (RFC 4180) that a spreadsheet can't mistake for formulas.

/// A table with an optional header row.
///
/// # Errors
/// None in practice, since the table is written in memory.
pub(crate) fn table<const N: usize>(
    columns: Option<&[&str; N]>,
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if let Some(columns) = columns {
        table.write_record(columns)?;
    }
    for row in rows {
        table.write_record(row.map(harmless))?;
    }
    table.into_inner().map_err(|error| error.into_error().into())
}

/// Prepends a byte order mark. Without one, Excel reads UTF-8 in the system's legacy code page.
pub(crate) fn marked(table: Vec<u8>) -> Vec<u8> {
    ["\u{feff}".as_bytes(), &table].concat()
}

/// Quotes a cell that a spreadsheet would run as a formula. Some spreadsheets treat the full-width forms of these
/// characters alike.
fn harmless(cell: String) -> String {
    const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(BEGINNINGS) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let row = ["=1+1", "+1", "-1", "@a", "\ta", "＝1", "＠a", "a=b", ""].map(str::to_owned);
        let table = table(None, [row]).unwrap();
        assert_eq!(String::from_utf8(table).unwrap(), "'=1+1,'+1,'-1,'@a,'\ta,'＝1,'＠a,a=b,\r\n");
    }
}
