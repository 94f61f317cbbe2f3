//! Tables for people.

use comfy_table::{Table, presets::NOTHING};

/// Rows under a line of headings, in columns.
pub fn table<const N: usize>(
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(headings);
    for row in rows {
        table.add_row(row);
    }
    table.trim_fmt()
}
