//! How large the kernel programs are under each kernel, and the table in which that is kept.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::workspace::{Workspace, shown};

/// The table, beside the test that prints what it holds.
const TABLE: &str = "tests/tests/size.toml";

const HEAD: &str = "\
# How large each kernel program is: its instructions, and those that the verifier of each kernel walks through, every
# path counted. Written by `cargo xtask vm --record`; what a program may have at most stands in size.rs.
";

/// How large a program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Size {
    instructions: u32,
    verified: u32,
}

/// The programs that one kernel has loaded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes(BTreeMap<String, Size>);

impl Sizes {
    /// Keeps what the size test says in a line, if it does.
    pub(super) fn add_line(&mut self, line: &str) {
        self.0.extend(parse(line));
    }

    /// The sizes under the kernel of this machine, and its series.
    pub(super) fn here(workspace: &Workspace) -> Result<(String, Self)> {
        let mut command = workspace.cargo(["test", "--quiet", "--package", "enforcer-tests"]);
        command.args(["--test", "size", "--", "--nocapture"]);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("cargo has no output")?;
        let mut sizes = Self::default();
        for line in BufReader::new(stdout).lines() {
            sizes.add_line(&line?);
        }
        ensure!(child.wait()?.success(), "`{}` failed", shown(&command));
        Ok((
            series(&fs::read_to_string("/proc/sys/kernel/osrelease")?),
            sizes,
        ))
    }
}

/// A line of the size test: `size: NAME: 12 instructions, 34 verified`.
fn parse(line: &str) -> Option<(String, Size)> {
    let (name, rest) = line.strip_prefix("size: ")?.split_once(": ")?;
    let (instructions, rest) = rest.split_once(" instructions, ")?;
    let verified = rest.strip_suffix(" verified")?;
    let size = Size {
        instructions: instructions.parse().ok()?,
        verified: verified.parse().ok()?,
    };
    Some((name.to_owned(), size))
}

/// The first two numbers of a kernel's version.
pub(super) fn series(release: &str) -> String {
    release.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// Sizes by program and series.
type Table = BTreeMap<String, BTreeMap<String, Size>>;

/// Puts what was measured into the table. Other kernels' sizes stay, and programs that are gone go.
pub(super) fn record(workspace: &Workspace, measured: &[(String, Sizes)]) -> Result<()> {
    let path = workspace.root().join(TABLE);
    let old = fs::read_to_string(&path).unwrap_or_default();
    let table = merge(toml::from_str(&old).unwrap_or_default(), measured);
    ensure!(!table.is_empty(), "the size test has named no program");
    fs::write(&path, text(&table)?).with_context(|| format!("cannot write {}", path.display()))?;
    println!("vm: {TABLE} holds the sizes of {} programs", table.len());
    Ok(())
}

fn merge(mut table: Table, measured: &[(String, Sizes)]) -> Table {
    for (series, Sizes(sizes)) in measured {
        for (name, size) in sizes {
            let row = table.entry(name.clone()).or_default();
            row.insert(series.clone(), *size);
        }
    }
    table.retain(|name, _| measured.iter().any(|(_, sizes)| sizes.0.contains_key(name)));
    table
}

fn text(table: &Table) -> Result<String> {
    let mut text = HEAD.to_owned();
    for (name, row) in table {
        writeln!(text, "\n[{name}]")?;
        for (series, size) in row {
            let Size {
                instructions,
                verified,
            } = size;
            writeln!(
                text,
                "{series:?} = {{ instructions = {instructions}, verified = {verified} }}"
            )?;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(lines: &[&str]) -> Sizes {
        let mut sizes = Sizes::default();
        for line in lines {
            sizes.add_line(line);
        }
        sizes
    }

    #[test]
    fn a_table_takes_what_is_measured_and_keeps_the_rest() -> Result<()> {
        let old = "[gone]\n\"6.1\" = { instructions = 1, verified = 2 }\n\
                   [xdp]\n\"6.12\" = { instructions = 3, verified = 4 }\n";
        let lines = ["running 1 test", "size: xdp: 5 instructions, 60 verified"];
        let measured = [("6.1".to_owned(), sizes(&lines))];
        let text = text(&merge(toml::from_str(old)?, &measured))?;
        let rows = "[xdp]\n\"6.1\" = { instructions = 5, verified = 60 }\n\
                    \"6.12\" = { instructions = 3, verified = 4 }\n";
        assert_eq!(text, format!("{HEAD}\n{rows}"));
        assert_eq!(merge(toml::from_str(&text)?, &measured).len(), 1);
        Ok(())
    }

    #[test]
    fn a_kernel_is_known_by_two_numbers() {
        assert_eq!(series("6.12.117+deb12-cloud-amd64"), "6.12");
        assert_eq!(series("6.1.0-56-cloud-amd64"), "6.1");
    }
}
