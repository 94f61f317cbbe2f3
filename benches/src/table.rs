//! Results on a terminal.

use comfy_table::{CellAlignment, Table, presets};

/// A line of a table.
pub trait Line {
    /// The heads of the columns.
    const HEADS: &[&str];

    /// The cells, as many as there are heads.
    fn cells(&self) -> Vec<String>;
}

/// Prints lines as one table; nothing when there are none.
pub fn print<L: Line>(lines: &[L]) {
    if lines.is_empty() {
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(L::HEADS.to_vec())
        .add_rows(lines.iter().map(Line::cells));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}\n", table.trim_fmt());
}
