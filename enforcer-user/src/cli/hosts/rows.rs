//! Hosts as rows: for people, and for spreadsheets.

use std::io::{self, Write};

use anyhow::Result;

use super::{
    HostsCommand,
    listing::{Listing, part},
};
use crate::{
    cli::{
        gateway::Gateway,
        table::{level_word, lines, moment, plain, table},
    },
    control::host::{HostView, MAX_PAGE, Status},
};

/// The most characters of a reason in a row.
const LONGEST_REASON: usize = 40;

/// The columns for spreadsheets.
const COLUMNS: [&str; 17] = [
    "address",
    "zone",
    "interface",
    "status",
    "role",
    "source",
    "endpoint",
    "owner",
    "level",
    "reasons",
    "judged_at",
    "valid_until",
    "exception",
    "exception_by",
    "shared_by",
    "stopped_packets",
    "last_stop_reason",
];

/// A table with totals below it.
pub(super) fn text(list: &Listing) -> String {
    if list.total == 0 {
        return "No hosts.".to_owned();
    }
    let mut parts = Vec::new();
    if !list.hosts.is_empty() {
        parts.push(hosts(&list.hosts));
    }
    parts.push(totals(list));
    let shown = list.hosts.len() as u64;
    if shown < list.total {
        let next = list.next.as_ref();
        let next = next.map_or(String::new(), |next| {
            format!(", or go on with --after {next}")
        });
        parts.push(format!(
            "{shown} of {} hosts; narrow them down with --status, --role, --zone, --reason or --find, raise --limit{next}.",
            list.total
        ));
    }
    parts.join("\n\n")
}

fn hosts(hosts: &[HostView]) -> String {
    let mut table = table(&[
        "ADDRESS", "ZONE", "STATUS", "ROLE", "BY", "ENDPOINT", "WHY", "JUDGED", "STOPPED",
    ]);
    for host in hosts {
        table.add_row(vec![
            host.address.to_string(),
            host.zone.clone(),
            host.status.to_string(),
            host.role.clone(),
            host.source.clone(),
            endpoint(host),
            why(host),
            host.judged_at.map_or("-".to_owned(), moment),
            stopped(host),
        ]);
    }
    lines(&table)
}

fn totals(list: &Listing) -> String {
    let mut table = table(&[
        "INTERFACE",
        "AUTHORIZED",
        "UNAUTHORIZED",
        "NO-CLIENT",
        "MONITOR",
        "HOSTS",
    ]);
    let row = |name: &str, counts: &std::collections::BTreeMap<Status, u64>| {
        let by_status = Status::ALL.map(|status| counts.get(&status).copied().unwrap_or(0));
        let all: u64 = by_status.iter().sum();
        let numbers = by_status.into_iter().chain([all]);
        let numbers = numbers.map(|number| number.to_string());
        [name.to_owned()]
            .into_iter()
            .chain(numbers)
            .collect::<Vec<_>>()
    };
    for (interface, counts) in &list.by_interface {
        table.add_row(row(interface, counts));
    }
    if list.by_interface.len() > 1 {
        table.add_row(row("(all)", &list.by_status));
    }
    lines(&table)
}

/// Every host as a row, part by part: there may be more than fit into memory.
pub(super) fn csv(command: &HostsCommand, gateway: &Gateway) -> Result<()> {
    let mut writer = csv::Writer::from_writer(io::stdout().lock());
    let written = write_csv(command, gateway, &mut writer);
    let is_over = |error: &anyhow::Error| {
        let io = error
            .chain()
            .find_map(|cause| cause.downcast_ref::<io::Error>());
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    match written {
        // Whoever reads has seen enough, as `head` has.
        Err(error) if is_over(&error) => Ok(()),
        written => written,
    }
}

fn write_csv<W: Write>(
    command: &HostsCommand,
    gateway: &Gateway,
    writer: &mut csv::Writer<W>,
) -> Result<()> {
    let mut left = command.limit.unwrap_or(usize::MAX);
    if command.sort.is_some() {
        // Only the whole can be sorted.
        let hosts = Listing::read(command, gateway, left)?.hosts;
        writer.write_record(COLUMNS).map_err(io::Error::from)?;
        return write_rows(&hosts, writer);
    }
    let mut query = command.query();
    let mut is_first = true;
    while is_first || (query.after.is_some() && left > 0) {
        query.limit = u32::try_from(left).unwrap_or(MAX_PAGE).min(MAX_PAGE);
        let page = part(gateway, &query)?;
        // What is refused leaves no head without rows.
        if std::mem::take(&mut is_first) {
            writer.write_record(COLUMNS).map_err(io::Error::from)?;
        }
        write_rows(&page.hosts, writer)?;
        left -= page.hosts.len().min(left);
        query.after = page.next;
    }
    Ok(())
}

fn write_rows<W: Write>(hosts: &[HostView], writer: &mut csv::Writer<W>) -> Result<()> {
    for host in hosts {
        writer.write_record(cells(host)).map_err(io::Error::from)?;
    }
    Ok(writer.flush()?)
}

fn cells(host: &HostView) -> [String; COLUMNS.len()] {
    let text = |text: Option<&String>| text.map_or_else(String::new, |text| cell(text));
    let time =
        |time: Option<jiff::Timestamp>| time.map_or_else(String::new, |time| time.to_string());
    let reasons: Vec<_> = host
        .reasons
        .iter()
        .map(|reason| reason.rule.as_str())
        .collect();
    let exception = host.exception.as_ref();
    [
        host.address.to_string(),
        host.zone.clone(),
        host.interface.clone(),
        host.status.to_string(),
        host.role.clone(),
        host.source.clone(),
        text(host.endpoint.as_ref()),
        text(host.owner.as_ref()),
        host.level
            .map_or_else(String::new, |level| level_word(level).to_owned()),
        cell(&reasons.join(" ")),
        time(host.judged_at),
        time(host.valid_until),
        text(exception.map(|made| &made.reason)),
        text(exception.map(|made| &made.by)),
        host.shared_by.to_string(),
        host.stopped_packets.to_string(),
        text(host.last_stop_reason.as_ref()),
    ]
}

/// A text that others wrote, which no spreadsheet is to take for a formula.
fn cell(text: &str) -> String {
    let text = plain(text);
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

pub(super) fn endpoint(host: &HostView) -> String {
    let name = host.endpoint.as_deref().map_or("-".to_owned(), plain);
    let owner = host.owner.as_deref().map(plain);
    let owner = owner.map_or(String::new(), |owner| format!(" ({owner})"));
    let shared = match host.shared_by {
        0 | 1 => String::new(),
        many => format!(", shared by {many} endpoints"),
    };
    name + &owner + &shared
}

pub(super) fn why(host: &HostView) -> String {
    if let Some(exception) = &host.exception {
        let end = exception
            .until
            .map_or("until released".to_owned(), |until| {
                format!("until {}", moment(until))
            });
        let (by, reason) = (plain(&exception.by), plain(&exception.reason));
        return format!("exception of {by} {end}: {}", shortened(&reason));
    }
    match host.reasons.as_slice() {
        [] => "-".to_owned(),
        [only] => shortened(&plain(&only.text)),
        [first, rest @ ..] => {
            let first = shortened(&plain(&first.text));
            format!("{first} (+{} more)", rest.len())
        }
    }
}

/// As many words of a text as a row has room for; `explain` and JSON have the whole.
fn shortened(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(LONGEST_REASON) else {
        return text.to_owned();
    };
    let part = &text[..end];
    let words = part.rsplit_once(' ').map_or(part, |(words, _)| words);
    format!("{}…", words.trim_end())
}

fn stopped(host: &HostView) -> String {
    match (&host.last_stop_reason, host.stopped_packets) {
        (Some(reason), number) => format!("{number} ({reason})"),
        (None, number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use enforcer_protocol::judgement::{Level, Reason};

    use super::*;
    use crate::control::{host::ExceptionView, request::Granted};

    fn reason(text: &str) -> Reason {
        Reason {
            rule: "firewall".to_owned(),
            text: text.to_owned(),
            remedy: None,
            link: None,
        }
    }

    fn host() -> HostView {
        HostView {
            address: "10.0.0.5".parse().expect("an address"),
            zone: "lan".to_owned(),
            interface: "lan0".to_owned(),
            status: Status::Unauthorized,
            role: "quarantine".to_owned(),
            source: "management".to_owned(),
            endpoint: Some("laptop-7".to_owned()),
            owner: Some("ada".to_owned()),
            level: Some(Level::Danger),
            reasons: vec![reason("The firewall is off"), reason("Patches are missing")],
            judged_at: None,
            valid_until: None,
            exception: None,
            shared_by: 2,
            stopped_packets: 17,
            last_stop_reason: Some("role_denies".to_owned()),
        }
    }

    #[test]
    fn a_row_says_who_and_why() {
        let row = host();
        assert_eq!(endpoint(&row), "laptop-7 (ada), shared by 2 endpoints");
        assert_eq!(why(&row), "The firewall is off (+1 more)");
        assert_eq!(stopped(&row), "17 (role_denies)");
    }

    #[test]
    fn a_long_reason_does_not_widen_the_table() {
        let mut row = host();
        row.reasons = vec![reason(&"Ä".repeat(LONGEST_REASON))];
        assert_eq!(why(&row), "Ä".repeat(LONGEST_REASON));
        row.reasons = vec![reason(&"Ärger ".repeat(20))];
        assert!(why(&row).chars().count() <= LONGEST_REASON + 1);
        assert!(why(&row).ends_with("Ärger…"), "{}", why(&row));
    }

    #[test]
    fn an_exception_goes_first() {
        let mut row = host();
        row.exception = Some(ExceptionView {
            address: row.address,
            zone: row.zone.clone(),
            role: Granted::Authorized,
            until: None,
            reason: "new disk".to_owned(),
            by: "root".to_owned(),
            made_at: jiff::Timestamp::UNIX_EPOCH,
        });
        assert_eq!(why(&row), "exception of root until released: new disk");
    }

    fn list(hosts: Vec<HostView>, total: u64) -> Listing {
        let counts = std::collections::BTreeMap::from([(Status::Unauthorized, total)]);
        Listing {
            hosts,
            total,
            by_status: counts.clone(),
            by_interface: [("lan0".to_owned(), counts)].into(),
            next: None,
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let mut list = list(vec![host()], 1);
        assert!(!text(&list).contains("narrow"));
        list.total = 12;
        list.next = "10.0.0.5%lan".parse().ok();
        let shown = text(&list);
        assert!(
            shown.ends_with("or go on with --after 10.0.0.5%lan."),
            "{shown}"
        );
        assert_eq!(text(&Listing::default()), "No hosts.");
    }

    #[test]
    fn totals_are_below_the_rows() {
        let shown = text(&list(Vec::new(), 12));
        let last = shown.lines().nth(1).expect("a row");
        let words: Vec<_> = last.split_whitespace().collect();
        assert_eq!(words, ["lan0", "0", "12", "0", "0", "12"], "{shown}");
    }

    #[test]
    fn no_text_of_others_is_a_formula() {
        for (text, shown) in [
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("@x", "'@x"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
