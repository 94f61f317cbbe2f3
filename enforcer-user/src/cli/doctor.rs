//! `enforcer doctor`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::{
    gateway::Gateway,
    output::{self, Format},
    table::{count, plain},
};
use crate::{
    config::Config,
    control::{Request, Response},
    doctor::{self, Finding, State, Subject},
};

/// Which configuration is looked at.
#[derive(Debug, Args)]
pub struct DoctorCommand {
    /// The configuration.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/enforcer/enforcer.toml"
    )]
    config: PathBuf,
}

/// The result for programs.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    findings: Vec<Finding>,
}

impl DoctorCommand {
    /// Looks at everything, and ends with an error when something fails.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        let (config, mut findings) = configuration(&self.config);
        let running = match gateway.ask(&Request::Status) {
            Ok(Response::Status(status)) => Some(*status),
            _ => None,
        };
        let subject = Subject::read(config, running)?;
        findings.extend(doctor::examine(&subject));
        let ok = findings.iter().all(|one| one.state != State::Fail);
        let report = Report { ok, findings };
        output::print(gateway.output, &report, text)?;
        if !ok && gateway.output == Format::Text {
            let failed = report
                .findings
                .iter()
                .filter(|one| one.state == State::Fail);
            bail!("{} failed", count(failed.count() as u64, "check"));
        }
        if !ok {
            bail!("some checks failed");
        }
        Ok(())
    }
}

/// The configuration, and what is wrong with it. Where it cannot be read, what does not depend on it is looked at all
/// the same.
fn configuration(path: &Path) -> (Config, Vec<Finding>) {
    match Config::load(path) {
        Ok(config) => {
            let findings = doctor::configuration(path, &config);
            (config, findings)
        }
        Err(error) => {
            let finding = Finding {
                check: "configuration",
                object: path.display().to_string(),
                state: State::Fail,
                found: error.to_string(),
                remedy: Some("`enforcer config example` prints one to begin with".to_owned()),
            };
            (Config::default(), vec![finding])
        }
    }
}

fn text(report: &Report) -> String {
    let lines = report.findings.iter().map(|one| {
        let word = match one.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "FAIL",
        };
        let object = if one.object.is_empty() {
            String::new()
        } else {
            format!(" {}", one.object)
        };
        let remedy = one
            .remedy
            .iter()
            .map(|remedy| format!("\n      {}", plain(remedy)));
        let remedy: String = remedy.collect();
        format!(
            "{word:<5} {}{object}: {}{remedy}",
            one.check,
            plain(&one.found)
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
