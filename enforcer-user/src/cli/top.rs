//! `enforcer top`.

use std::{
    io::{self, IsTerminal},
    thread,
    time::Duration,
};

use anyhow::Result;
use clap::Args;

use super::{
    gateway::{Gateway, mismatch},
    output::{self, Format},
    table::{count, lines, moment, parse_duration, table},
};
use crate::control::{
    Request, Response,
    top::{TopBy, TopQuery, TopView},
};

/// Clears a terminal and goes to its first line.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// How the hosts that are stopped most are shown.
#[derive(Debug, Args)]
pub struct TopCommand {
    /// Once, and not again and again.
    #[arg(long)]
    once: bool,
    /// What the order goes by.
    #[arg(long, value_enum, default_value_t)]
    by: TopBy,
    /// How many hosts.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    /// How often, and over how long rates are measured, as in 1s or 10s.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "1s")]
    interval: Duration,
    /// One JSON object for each look.
    #[arg(long)]
    json: bool,
}

impl TopCommand {
    /// Shows who is stopped most.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        let format = gateway.format(self.json);
        let is_screen = format == Format::Text && !self.once && io::stdout().is_terminal();
        // The first look only begins the measurement.
        let mut view = self.ask(gateway)?;
        if view.over_milliseconds == 0 {
            thread::sleep(self.interval);
            view = self.ask(gateway)?;
        }
        loop {
            let clear = if is_screen { CLEAR } else { "" };
            let shown = match format {
                Format::Json => serde_json::to_string(&view)?,
                Format::Text => text(&view),
            };
            if !output::line(&format!("{clear}{shown}"))? || self.once {
                return Ok(());
            }
            thread::sleep(self.interval);
            view = self.ask(gateway)?;
        }
    }

    fn ask(&self, gateway: &Gateway) -> Result<TopView> {
        let (limit, by) = (self.limit, self.by);
        match gateway.ask(&Request::Top(TopQuery { limit, by }))? {
            Response::Top(view) => Ok(view),
            other => Err(mismatch(&other)),
        }
    }
}

fn text(view: &TopView) -> String {
    let mut table = table(&[
        "ADDRESS",
        "ZONE",
        "ROLE",
        "REASON",
        "PACKETS/S",
        "BYTES/S",
        "PACKETS",
        "BYTES",
        "LAST",
    ]);
    for host in &view.hosts {
        let reason = if host.monitored {
            format!("{} (monitor)", host.reason)
        } else {
            host.reason.clone()
        };
        table.add_row(vec![
            host.address.to_string(),
            host.zone.clone(),
            host.role.clone(),
            reason,
            host.packets_per_second.to_string(),
            host.bytes_per_second.to_string(),
            host.packets.to_string(),
            host.bytes.to_string(),
            moment(host.last),
        ]);
    }
    let head = format!(
        "{} stopped, {} packets a second",
        count(view.stopped, "host"),
        view.packets_per_second
    );
    if view.hosts.is_empty() {
        return head;
    }
    format!("{head}\n\n{}", lines(&table))
}
