//! `enforcer status`.

use std::fmt::Write;

use anyhow::Result;

use super::{
    events,
    gateway::{Gateway, mismatch},
    output,
    table::{count, lines, moment, plain, span, table},
};
use crate::control::{
    Request, Response,
    alert::AlertView,
    request::Mode,
    status::{InterfaceView, PassageView, SourceView, StatusView},
};

/// Prints how the gateway is.
pub fn run(gateway: &Gateway) -> Result<()> {
    match gateway.ask(&Request::Status)? {
        Response::Status(status) => output::print(gateway.output, &*status, text),
        other => Err(mismatch(&other)),
    }
}

fn text(status: &StatusView) -> String {
    let parts = [
        summary(status),
        interfaces(&status.interfaces) + &passages(&status.passages),
        sources(&status.sources) + &alerts(&status.alerts),
        tables(status),
        hosts(status),
    ];
    let events = status.events.iter().map(events::line);
    let events = events.collect::<Vec<_>>().join("\n");
    let parts = parts
        .into_iter()
        .chain((!events.is_empty()).then_some(events));
    parts.collect::<Vec<_>>().join("\n\n")
}

fn summary(status: &StatusView) -> String {
    let mode = match status.mode {
        Mode::Enforce => "enforce: hosts are stopped as their roles say",
        Mode::Monitor => "monitor: nothing is stopped, only counted",
    };
    let ready = if status.ready { "yes" } else { "no" };
    let uptime = span(status.uptime_seconds);
    let mut text = format!(
        "Mode     {mode}\nReady    {ready}\nRunning  {} for {uptime}",
        status.version
    );
    if !status.fails_open.is_empty() {
        let conditions = status.fails_open.join(", ");
        let _infallible = write!(text, "\n         fails open: {}", plain(&conditions));
    }
    for reason in &status.not_ready_reasons {
        let _infallible = write!(text, "\n         missing: {}", plain(reason));
    }
    text
}

fn interfaces(interfaces: &[InterfaceView]) -> String {
    let mut table = table(&["INTERFACE", "ZONE", "INGRESS", "EGRESS", "ATTACHED"]);
    for interface in interfaces {
        table.add_row(vec![
            interface.name.clone(),
            interface.zone.clone(),
            interface.ingress.to_string(),
            interface.egress.to_string(),
            yes(interface.attached).to_owned(),
        ]);
    }
    let mut text = lines(&table);
    for interface in interfaces {
        let (name, ingress) = (&interface.name, &interface.ingress);
        let reason = plain(&interface.reason);
        let _infallible = write!(text, "\n{name}: {ingress}, since {reason}");
    }
    text
}

/// The interfaces that forward beside those that are judged.
fn passages(passages: &[PassageView]) -> String {
    let mut text = String::new();
    for other in passages.iter().filter(|one| one.cover != "judged") {
        let _infallible = write!(text, "\n{}: {}", other.interface, plain(&other.how));
    }
    text
}

fn sources(sources: &[SourceView]) -> String {
    let mut table = table(&[
        "SOURCE",
        "KIND",
        "CONNECTED",
        "PRIORITY",
        "REVISION",
        "DECISIONS",
        "LEASE",
    ]);
    for source in sources {
        table.add_row(vec![
            source.name.clone(),
            source.kind.to_string(),
            yes(source.connected).to_owned(),
            source.priority.to_string(),
            source.revision.to_string(),
            source.decisions.to_string(),
            lease(source.lease_seconds_left),
        ]);
    }
    let mut text = lines(&table);
    for source in sources {
        let name = &source.name;
        if let Some(at) = &source.at {
            let _infallible = write!(text, "\n{name}: {}", plain(at));
        }
        if let Some(error) = &source.last_error {
            let _infallible = write!(text, "\n{name}: {}", plain(error));
        }
    }
    text
}

/// Who is told of what is tracked, if anybody is.
fn alerts(alerts: &[AlertView]) -> String {
    if alerts.is_empty() {
        return String::new();
    }
    let mut table = table(&[
        "ALERT",
        "KIND",
        "SENT",
        "WAITING",
        "FAILED",
        "GIVEN UP",
        "LAST SENT",
    ]);
    for alert in alerts {
        table.add_row(vec![
            alert.name.clone(),
            alert.kind.to_string(),
            alert.sent.to_string(),
            alert.waiting.to_string(),
            alert.failed.to_string(),
            alert.given_up.to_string(),
            alert.last_sent.map_or("never".to_owned(), moment),
        ]);
    }
    let mut text = format!("\n\n{}", lines(&table));
    for alert in alerts {
        if let Some(failure) = &alert.last_failure {
            let (name, message) = (&alert.name, plain(&failure.message));
            let _infallible = write!(text, "\n{name}: {}: {message}", moment(failure.time));
        }
    }
    text
}

fn lease(seconds_left: Option<u64>) -> String {
    match seconds_left {
        None => "none".to_owned(),
        Some(0) => "over".to_owned(),
        Some(seconds) => format!("{} left", span(seconds)),
    }
}

fn tables(status: &StatusView) -> String {
    let mut table = table(&["TABLE", "USED", "CAPACITY", "FILL"]);
    for (name, view) in &status.tables {
        let percent = view.used.saturating_mul(100).div_ceil(view.capacity.max(1));
        table.add_row(vec![
            name.clone(),
            view.used.to_string(),
            view.capacity.to_string(),
            format!("{percent} %"),
        ]);
    }
    lines(&table)
}

fn hosts(status: &StatusView) -> String {
    let roles: Vec<_> = status
        .hosts_by_role
        .iter()
        .map(|(role, number)| format!("{number} {role}"))
        .collect();
    let roles = match roles.as_slice() {
        [] => "none decided".to_owned(),
        roles => roles.join(", "),
    };
    let drift = count(status.drift_repaired, "row");
    let compared = status
        .compared_at
        .map_or("not compared yet".to_owned(), |at| {
            format!("compared at {}", moment(at))
        });
    format!(
        "Hosts    {roles}; {} awaiting an answer\nEvents   {} lost\nDrift    {drift} repaired, {compared}",
        status.pending, status.events_lost
    )
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        control::{
            event::{EventKind, EventView},
            status::{Egress, Ingress, TableView},
        },
        sources::Kind,
    };

    fn event() -> EventView {
        EventView {
            sequence: 1,
            time: jiff::Timestamp::UNIX_EPOCH,
            kind: EventKind::Mode,
            address: None,
            zone: None,
            role: None,
            reason: None,
            packets: None,
            monitored: None,
            message: "root switched from monitor to enforce".to_owned(),
        }
    }

    fn status() -> StatusView {
        StatusView {
            mode: Mode::Enforce,
            version: "0.1.0".to_owned(),
            uptime_seconds: 11_520,
            zones: vec!["lan".to_owned()],
            interfaces: vec![InterfaceView {
                name: "eth1".to_owned(),
                zone: "lan".to_owned(),
                ingress: Ingress::XdpNative,
                reason: "its driver takes XDP".to_owned(),
                egress: Egress::Tcx,
                attached: true,
            }],
            passages: vec![PassageView {
                interface: "wan0".to_owned(),
                v4: true,
                v6: false,
                covered: false,
                cover: "uncovered".to_owned(),
                how: "UNCOVERED".to_owned(),
                remedy: Some("declare it".to_owned()),
            }],
            sources: vec![SourceView {
                name: "management".to_owned(),
                kind: Kind::Server,
                at: Some("https://10.0.0.2:8443/".to_owned()),
                priority: 0,
                connected: false,
                revision: 42,
                decisions: 120,
                lease_seconds_left: Some(171),
                held_back: 0,
                last_error: Some("connection \u{1b}[31mrefused".to_owned()),
            }],
            tables: BTreeMap::from([(
                "hosts_v4".to_owned(),
                TableView {
                    used: 120,
                    capacity: 1_048_576,
                },
            )]),
            hosts_by_role: BTreeMap::from([
                ("authorized".to_owned(), 118),
                ("quarantine".to_owned(), 2),
            ]),
            pending: 1,
            events_lost: 0,
            drift_repaired: 1,
            fails_open: vec!["startup".to_owned()],
            compared_at: None,
            alerts: vec![AlertView {
                name: "help-desk".to_owned(),
                kind: crate::config::AlertKind::Mail,
                sent: 3,
                waiting: 1,
                failed: 2,
                given_up: 0,
                last_sent: None,
                last_failure: None,
            }],
            events: vec![event()],
            ready: false,
            not_ready_reasons: vec!["source management is not connected".to_owned()],
        }
    }

    #[test]
    fn everything_is_said_in_a_screenful() {
        let expected = "\
Mode     enforce: hosts are stopped as their roles say
Ready    no
Running  0.1.0 for 3h 12m
         fails open: startup
         missing: source management is not connected

INTERFACE  ZONE  INGRESS     EGRESS  ATTACHED
eth1       lan   xdp native  tcx     yes
eth1: xdp native, since its driver takes XDP
wan0: UNCOVERED

SOURCE      KIND    CONNECTED  PRIORITY  REVISION  DECISIONS  LEASE
management  server  no         0         42        120        2m 51s left
management: https://10.0.0.2:8443/
management: connection \u{fffd}[31mrefused

ALERT      KIND  SENT  WAITING  FAILED  GIVEN UP  LAST SENT
help-desk  mail  3     1        2       0         never

TABLE     USED  CAPACITY  FILL
hosts_v4  120   1048576   1 %

Hosts    118 authorized, 2 quarantine; 1 awaiting an answer
Events   0 lost
Drift    1 row repaired, not compared yet

";
        let text = text(&status());
        let last = text.strip_prefix(expected).expect(&text);
        assert!(
            last.ends_with(
                " mode          -                    root switched from monitor to enforce"
            ),
            "{last}"
        );
        assert_eq!(last.lines().count(), 1, "{last}");
    }
}
