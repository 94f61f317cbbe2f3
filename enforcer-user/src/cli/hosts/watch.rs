//! `enforcer hosts --watch`: the list again whenever something happened, and what changed in it.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    thread,
    time::Duration,
};

use anyhow::Result;
use serde::Serialize;

use super::{HostsCommand, LIMIT, is_json, listing::Listing, rows};
use crate::{
    cli::{
        events,
        gateway::Gateway,
        output::{self, Format},
    },
    control::{
        event::{EventQuery, MAX_EVENTS, MAX_WAIT_SECONDS},
        host::{HostView, Place},
    },
};

/// Between two lists at least.
const PAUSE: Duration = Duration::from_millis(500);

/// Clears a terminal and goes to its first line.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// What became of a host in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Added,
    Changed,
    Removed,
}

/// A line for programs.
#[derive(Debug, Serialize)]
struct Line<'a> {
    change: Change,
    host: &'a HostView,
}

type Rows = BTreeMap<Place, HostView>;

/// Shows the list and its changes until nobody reads any more.
pub(super) fn run(command: &HostsCommand, gateway: &Gateway, format: Format) -> Result<()> {
    let limit = command.limit.unwrap_or(LIMIT);
    let mut shown = Rows::new();
    let mut text = String::new();
    // What happens after this mark makes the list anew, so that nothing is missed in between.
    let mut mark = events::ask(gateway, &EventQuery::default())?.mark;
    loop {
        let listing = Listing::read(command, gateway, limit)?;
        let goes_on = if is_json(format) {
            let rows = by_place(listing.hosts);
            let goes_on = print_changes(&shown, &rows)?;
            shown = rows;
            goes_on
        } else {
            redraw(&mut text, rows::text(&listing))?
        };
        if !goes_on {
            return Ok(());
        }
        thread::sleep(PAUSE);
        loop {
            let query = EventQuery {
                after: Some(mark),
                limit: MAX_EVENTS,
                wait_seconds: MAX_WAIT_SECONDS,
            };
            let page = events::ask(gateway, &query)?;
            mark = page.mark;
            if page.lost > 0 || page.restarted || !page.events.is_empty() {
                break;
            }
        }
    }
}

fn by_place(hosts: Vec<HostView>) -> Rows {
    let place = |host: &HostView| Place {
        zone: host.zone.clone(),
        address: host.address,
    };
    hosts.into_iter().map(|host| (place(&host), host)).collect()
}

/// A host with other counters is the same host.
fn is_same(a: &HostView, b: &HostView) -> bool {
    let quiet = |host: &HostView| HostView {
        stopped_packets: 0,
        last_stop_reason: None,
        ..host.clone()
    };
    quiet(a) == quiet(b)
}

fn changes<'a>(before: &'a Rows, after: &'a Rows) -> Vec<Line<'a>> {
    let gone = before
        .iter()
        .filter(|(place, _)| !after.contains_key(place));
    let gone = gone.map(|(_, host)| Line {
        change: Change::Removed,
        host,
    });
    let news = after.iter().filter_map(|(place, host)| {
        let change = match before.get(place) {
            None => Change::Added,
            Some(known) if !is_same(known, host) => Change::Changed,
            Some(_) => return None,
        };
        Some(Line { change, host })
    });
    gone.chain(news).collect()
}

fn print_changes(before: &Rows, after: &Rows) -> Result<bool> {
    for line in changes(before, after) {
        if !output::line(&serde_json::to_string(&line)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn redraw(shown: &mut String, text: String) -> Result<bool> {
    if *shown == text {
        return Ok(true);
    }
    let before = if io::stdout().is_terminal() {
        CLEAR
    } else if shown.is_empty() {
        ""
    } else {
        "\n"
    };
    let goes_on = output::line(&format!("{before}{text}"))?;
    *shown = text;
    Ok(goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::host::Status;

    fn host(last: u8, role: &str) -> HostView {
        HostView {
            address: [10, 0, 0, last].into(),
            zone: "lan".to_owned(),
            interface: "lan0".to_owned(),
            status: Status::Authorized,
            role: role.to_owned(),
            source: "management".to_owned(),
            endpoint: None,
            owner: None,
            level: None,
            reasons: Vec::new(),
            judged_at: None,
            valid_until: None,
            exception: None,
            shared_by: 1,
            stopped_packets: last.into(),
            last_stop_reason: None,
        }
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = by_place(vec![host(1, "a"), host(2, "a"), host(3, "a")]);
        let mut counted = host(1, "a");
        counted.stopped_packets += 1;
        let after = by_place(vec![counted, host(2, "b"), host(4, "a")]);
        let told: Vec<_> = changes(&before, &after)
            .iter()
            .map(|line| (line.change, line.host.address.to_string()))
            .collect();
        let expected = [
            (Change::Removed, "10.0.0.3"),
            (Change::Changed, "10.0.0.2"),
            (Change::Added, "10.0.0.4"),
        ];
        assert_eq!(
            told,
            expected.map(|(change, address)| (change, address.to_owned()))
        );
    }
}
