//! Output: tables on standard output, progress on standard error.

use std::fmt::Write as _;

/// Bytes in a MiB.
pub(crate) const MEBIBYTE: f64 = 1_048_576.0;

/// Prints a part of the result.
#[expect(clippy::print_stdout, reason = "the one place that prints results")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}

/// Prints the progress.
#[expect(clippy::print_stderr, reason = "the one place that prints progress")]
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

/// Columns under headings: the first and the last one left-aligned, the others right-aligned.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|&heading| heading.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let written = if column == 0 || column + 1 == columns {
                    write!(line, "{cell:<width$}  ")
                } else {
                    write!(line, "{cell:>width$}  ")
                };
                written.expect("writing to a string");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A figure with this number of decimals; a dash where there is none.
pub(crate) fn figure(value: Option<f64>, digits: usize) -> String {
    match value.filter(|value| value.is_finite()) {
        Some(value) => format!("{value:.digits$}"),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, figure};

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["what", "ms", "note"]);
        table.row(vec!["get".to_owned(), figure(Some(1.25), 2), "good".to_owned()]);
        table.row(vec!["create".to_owned(), figure(None, 2), String::new()]);
        assert_eq!(table.render(), "what      ms  note\nget     1.25  good\ncreate     -\n");
    }
}
