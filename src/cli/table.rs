//! Tables with aligned columns, and numbers with thousands separators.

pub use quorumscope::universe::words::thousands;
use std::io::{self, Write};

/// A table under construction: the first column to the left, the others to the right (numbers) or to the left (words).
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    words: bool,
}

impl Table {
    /// A table of words.
    pub fn left() -> Table {
        Table { words: true, ..Table::default() }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Writes it, indented by two.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &[String], column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
        let widths: Vec<usize> =
            (0..columns).map(|column| self.rows.iter().map(|row| cell(row, column)).max().unwrap_or(0)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, text) in row.iter().enumerate() {
                let space = " ".repeat(widths[column] - text.chars().count());
                match column {
                    _ if column == 0 || self.words => line.extend(["  ", text, &space]),
                    _ => line.extend(["  ", &space, text]),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A time in ms, with as many decimals as it has, three at most.
pub fn ms(micros: u64) -> String {
    format!("{}.{:03}", thousands(micros / 1_000), micros % 1_000)
}

/// A moment in s.
pub fn seconds(micros: u64) -> String {
    format!("{}.{:03} s", thousands(micros / 1_000_000), micros / 1_000 % 1_000)
}
