//! `enforcer alert`.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use super::{
    gateway::{Gateway, mismatch},
    output,
    table::{lines, plain, table},
};
use crate::control::{Request, Response, alert::AlertTested};

/// What is done about alerts.
#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// Sends a test alert through the running gateway, and says what came of it.
    Test(TestCommand),
}

/// Who is to be told.
#[derive(Debug, Args)]
pub struct TestCommand {
    /// The name of the alert in the configuration; all when left out.
    name: Option<String>,
    /// As JSON; the same as `--output json`.
    #[arg(long)]
    json: bool,
}

impl AlertCommand {
    /// Does it.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        match self {
            Self::Test(command) => command.run(gateway),
        }
    }
}

impl TestCommand {
    fn run(self, gateway: &Gateway) -> Result<()> {
        let tested = match gateway.ask(&Request::TestAlerts { name: self.name })? {
            Response::AlertsTested(tested) => tested,
            other => return Err(mismatch(&other)),
        };
        output::print(gateway.format(self.json), &tested, |tested| text(tested))?;
        let failed = tested.iter().filter(|one| one.failure.is_some()).count();
        if failed > 0 {
            bail!("{failed} of {} did not arrive", tested.len());
        }
        Ok(())
    }
}

fn text(tested: &[AlertTested]) -> String {
    let mut table = table(&["ALERT", "KIND", "TOOK", "RESULT"]);
    for one in tested {
        let result = one.failure.as_deref().unwrap_or("arrived");
        table.add_row(vec![
            one.name.clone(),
            one.kind.to_string(),
            format!("{} ms", one.milliseconds),
            plain(result),
        ]);
    }
    lines(&table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AlertKind;

    #[test]
    fn what_came_of_it_is_said() {
        let tested = |name: &str, failure: Option<&str>| AlertTested {
            name: name.to_owned(),
            kind: AlertKind::Mail,
            milliseconds: 7,
            failure: failure.map(ToOwned::to_owned),
        };
        let text = text(&[tested("a", None), tested("b", Some("no \u{1b}server"))]);
        let expected = "\
ALERT  KIND  TOOK  RESULT
a      mail  7 ms  arrived
b      mail  7 ms  no \u{fffd}server";
        assert_eq!(text, expected);
    }
}
