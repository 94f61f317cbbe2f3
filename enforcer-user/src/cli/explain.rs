//! `enforcer explain`.

use std::net::IpAddr;

use anyhow::Result;
use clap::Args;

use super::{
    gateway::{Gateway, mismatch},
    output,
    table::{lines, plain, table},
};
use crate::control::{Request, Response, explanation::Explanation, remote::Remote};

/// Which host is explained.
#[derive(Debug, Args)]
pub struct ExplainCommand {
    /// The host's address.
    address: IpAddr,
    /// Its zone, where the address is in several.
    #[arg(long)]
    zone: Option<String>,
    /// Where a packet of it goes.
    #[arg(
        long,
        help = "Where a packet of it goes, as in 192.0.2.1:443/tcp or [2001:db8::1]:53/udp",
        value_name = "ADDRESS:PORT/PROTOCOL"
    )]
    to: Option<Remote>,
}

impl ExplainCommand {
    /// Prints what would happen to a packet of the host, and why.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        let request = Request::Explain {
            address: self.address,
            zone: self.zone,
            to: self.to,
        };
        match gateway.ask(&request)? {
            Response::Explanation(explanation) => output::print(gateway.output, &explanation, text),
            other => Err(mismatch(&other)),
        }
    }
}

fn text(explanation: &Explanation) -> String {
    let mut table = table(&["STEP", "FOUND", "MEANING"]);
    for step in &explanation.steps {
        table.add_row(vec![
            plain(&step.step),
            plain(&step.found),
            plain(&step.meaning),
        ]);
    }
    let Explanation {
        address,
        zone,
        verdict,
        reason,
        role,
        ..
    } = explanation;
    let fate = if explanation.monitored {
        format!("{verdict} (only counted: the packet passes)")
    } else {
        verdict.clone()
    };
    format!(
        "{address} in zone {zone}: {fate}\nReason   {reason}\nRole     {role}\n\n{}",
        lines(&table)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::explanation::Step;

    #[test]
    fn the_verdict_comes_first_and_then_the_way_to_it() {
        let explanation = Explanation {
            address: "10.0.0.5".parse().expect("an address"),
            zone: "lan".to_owned(),
            steps: vec![Step {
                step: "hosts table".to_owned(),
                found: "role quarantine, by management".to_owned(),
                meaning: "its lease holds".to_owned(),
            }],
            verdict: "reject".to_owned(),
            reason: "role_denies".to_owned(),
            role: "quarantine".to_owned(),
            monitored: true,
        };
        let text = text(&explanation);
        let mut lines = text.lines();
        let first = lines.next();
        assert_eq!(
            first,
            Some("10.0.0.5 in zone lan: reject (only counted: the packet passes)")
        );
        assert!(
            text.contains("hosts table  role quarantine, by management"),
            "{text}"
        );
    }
}
