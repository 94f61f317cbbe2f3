//! `enforcer events`.

use std::net::IpAddr;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{
    gateway::{Gateway, mismatch},
    output::{self, Format},
    table::{count, moment, plain},
};
use crate::control::{
    Request, Response,
    event::{EventKind, EventPage, EventQuery, EventView, MAX_EVENTS, MAX_WAIT_SECONDS},
};

/// Which events are shown, and for how long.
#[derive(Debug, Args)]
pub struct EventsCommand {
    /// Go on, and show what happens.
    #[arg(long, short)]
    follow: bool,
    /// How many of those before are shown at most.
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 50)]
    last: usize,
    /// Only events of this kind; may be given several times.
    #[arg(long, value_enum)]
    kind: Vec<EventKind>,
    /// Only events about this host.
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// What is said when events were not read in time.
#[derive(Debug, Serialize)]
struct Lost {
    lost: u64,
}

impl EventsCommand {
    /// Shows events.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        let format = gateway.format(self.json);
        let mut page = ask(
            gateway,
            &EventQuery {
                limit: MAX_EVENTS,
                ..EventQuery::default()
            },
        )?;
        page.events.retain(|event| self.is_wanted(event));
        let skipped = page.events.len().saturating_sub(self.last);
        page.events.drain(..skipped);
        while show(&page, format)? && self.follow {
            page = ask(
                gateway,
                &EventQuery {
                    after: Some(page.mark),
                    limit: MAX_EVENTS,
                    wait_seconds: MAX_WAIT_SECONDS,
                },
            )?;
            page.events.retain(|event| self.is_wanted(event));
        }
        Ok(())
    }

    fn is_wanted(&self, event: &EventView) -> bool {
        (self.kind.is_empty() || self.kind.contains(&event.kind))
            && self.host.is_none_or(|host| event.address == Some(host))
    }
}

/// Whether anybody still reads.
fn show(page: &EventPage, format: Format) -> Result<bool> {
    if page.lost > 0 {
        let lost = Lost { lost: page.lost };
        let line = match format {
            Format::Json => serde_json::to_string(&lost)?,
            Format::Text => {
                let events = count(page.lost, "event");
                format!("-- {events} came faster than they were read, and are lost")
            }
        };
        if !output::line(&line)? {
            return Ok(false);
        }
    }
    if page.restarted && format == Format::Text {
        output::line("-- the gateway was started anew")?;
    }
    for event in &page.events {
        let line = match format {
            Format::Json => serde_json::to_string(event)?,
            Format::Text => line(event),
        };
        if !output::line(&line)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Asks for events.
pub(super) fn ask(gateway: &Gateway, query: &EventQuery) -> Result<EventPage> {
    match gateway.ask(&Request::Events(query.clone()))? {
        Response::Events(page) => Ok(page),
        other => Err(mismatch(&other)),
    }
}

/// An event in a line.
pub(super) fn line(event: &EventView) -> String {
    let host = match (event.address, &event.zone) {
        (Some(address), Some(zone)) => format!("{address}%{zone}"),
        _ => "-".to_owned(),
    };
    let particulars = match (&event.reason, event.packets) {
        (Some(reason), Some(packets)) => format!(" ({reason}, {})", count(packets, "packet")),
        _ => String::new(),
    };
    format!(
        "{} {:<13} {host:<20} {}{particulars}",
        moment(event.time),
        event.kind.to_string(),
        plain(&event.message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line() {
        let event = EventView {
            sequence: 7,
            time: jiff::Timestamp::UNIX_EPOCH,
            kind: EventKind::Stop,
            address: "10.0.0.5".parse().ok(),
            zone: Some("lan".to_owned()),
            role: Some("quarantine".to_owned()),
            reason: Some("role_denies".to_owned()),
            packets: Some(1),
            monitored: Some(false),
            message: "stopped (reject): 192.0.2.1:443\n".to_owned(),
        };
        let line = line(&event);
        let end = " stop          10.0.0.5%lan         \
                   stopped (reject): 192.0.2.1:443\u{fffd} (role_denies, 1 packet)";
        assert!(line.ends_with(end), "{line}");
    }
}
