//! Text in columns, each as wide as its content.

use std::fmt;

use anstream::adapter::strip_str;
use unicode_width::UnicodeWidthStr as _;

/// A table with a heading. Columns are two spaces apart, and nothing follows the last one.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn of(headings: &[&str]) -> Self {
        let mut table = Self { rows: Vec::new() };
        table.row(headings);
        table
    }

    /// Cells may be styled.
    pub(crate) fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|cell| (*cell).to_owned()).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        for row in &self.rows {
            let pad = |(cell, column): (&String, &usize)| {
                cell.clone() + &" ".repeat(column - width(cell))
            };
            let line = row.iter().zip(&widths).map(pad).collect::<Vec<_>>().join("  ");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Width on a terminal, without styles.
fn width(cell: &str) -> usize {
    strip_str(cell).to_string().width()
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::output::GOOD;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::of(&["A", "BB"]);
        table.row(&["long", "b"]);
        table.row(&["ü", "long"]);
        table.row(&[&format!("{GOOD}ok{GOOD:#}"), "b"]);
        table.row(&["表", "b"]);
        let expected = format!("A     BB\nlong  b\nü     long\n{GOOD}ok{GOOD:#}    b\n表    b\n");
        assert_eq!(table.to_string(), expected);
    }
}
