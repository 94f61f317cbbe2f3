//! `enforcer host`.

use std::{fmt::Write, net::IpAddr};

use anyhow::Result;
use clap::Args;

use super::{
    gateway::{Gateway, mismatch},
    output,
    table::{count, level_word, lines, moment, plain, table},
};
use crate::control::{
    Request, Response,
    detail::{EndpointView, HostDetail, Turn},
    host::{ExceptionView, HostView},
};

/// Which host is shown.
#[derive(Debug, Args)]
pub struct HostCommand {
    /// The host's address.
    address: IpAddr,
    /// Its zone, where the address is in several.
    #[arg(long)]
    zone: Option<String>,
    /// As JSON; the same as `--output json`.
    #[arg(long)]
    json: bool,
}

impl HostCommand {
    /// Prints everything that is known of the host.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        let format = gateway.format(self.json);
        let request = Request::Host {
            address: self.address,
            zone: self.zone,
        };
        match gateway.ask(&request)? {
            Response::Host(detail) => output::print(format, &*detail, text),
            other => Err(mismatch(&other)),
        }
    }
}

fn text(detail: &HostDetail) -> String {
    let mut text = summary(&detail.host);
    let mut line = |name: &str, value: &str| {
        let _infallible = write!(text, "\n{name:<10} {}", plain(value));
    };
    line("Scope", &detail.scope);
    line("Seen", &seen(detail));
    line("Asked", &asked(detail));
    line("Kernel", &kernel(detail));
    line("Stopped", &stopped(detail));
    if let Some(exception) = &detail.host.exception {
        line("Exception", &exception_of(exception));
    }
    let mut parts = vec![text];
    if !detail.host.reasons.is_empty() {
        parts.push(reasons(&detail.host));
    }
    if !detail.endpoints.is_empty() {
        parts.push(endpoints(&detail.endpoints));
    }
    if !detail.history.is_empty() {
        parts.push(history(&detail.history));
    }
    parts.join("\n\n")
}

fn summary(host: &HostView) -> String {
    let until = host
        .valid_until
        .map_or("until it is decided anew".to_owned(), |until| {
            format!("until {}", moment(until))
        });
    let judged = host
        .judged_at
        .map_or(String::new(), |at| format!(", judged {}", moment(at)));
    let shared = match host.shared_by {
        0 | 1 => String::new(),
        many => format!("\nShared     by {many} endpoints: the strictest counts"),
    };
    format!(
        "Host       {} in zone {}, behind {}\nStatus     {}\nRole       {} by {}{judged}, {until}{shared}",
        host.address, host.zone, host.interface, host.status, host.role, host.source
    )
}

fn seen(detail: &HostDetail) -> String {
    detail.seen.as_ref().map_or("nowhere".to_owned(), |seen| {
        let at = seen.interface.as_ref();
        let at = at.map_or(String::new(), |interface| format!(" on {interface}"));
        let how = match seen.how.as_str() {
            "answered" => "it answered when it was asked",
            "told" => "the kernel was told so",
            _ => "a packet came from there",
        };
        format!("at {}{at}: {how}", seen.mac)
    })
}

fn asked(detail: &HostDetail) -> String {
    detail.asked.as_ref().map_or("never".to_owned(), |asked| {
        let (since, last) = (moment(asked.since), moment(asked.last));
        format!("first packet {since}, last asked about {last}")
    })
}

fn kernel(detail: &HostDetail) -> String {
    let Some(row) = &detail.kernel else {
        return "no row".to_owned();
    };
    let mut parts = vec![format!("{} by {}", row.role, row.source)];
    parts.extend(row.mac.as_ref().map(|mac| format!("bound to {mac}")));
    parts.extend(row.until.map(|until| format!("until {}", moment(until))));
    parts.extend(
        row.closing
            .then(|| "its connections are being ended".to_owned()),
    );
    let lapsed = |role| format!("the lease of {} is over: counts as {role}", row.source);
    parts.extend(row.lease_over.as_ref().map(lapsed));
    let differs = "NOT as decided: it will be set right";
    parts.extend((!row.in_step).then(|| differs.to_owned()));
    parts.join(", ")
}

fn stopped(detail: &HostDetail) -> String {
    let Some(stopped) = &detail.stopped else {
        return "nothing".to_owned();
    };
    let would = if stopped.monitored {
        " (only counted)"
    } else {
        ""
    };
    format!(
        "{}, {}{would}, last for {} as {}; first {}, last {}",
        count(stopped.packets, "packet"),
        count(stopped.bytes, "byte"),
        stopped.reason,
        stopped.role,
        moment(stopped.first),
        moment(stopped.last)
    )
}

fn exception_of(exception: &ExceptionView) -> String {
    let end = exception
        .until
        .map_or("until released".to_owned(), |until| {
            format!("until {}", moment(until))
        });
    format!(
        "{} {end}, by {} at {}: {}",
        exception.role,
        exception.by,
        moment(exception.made_at),
        exception.reason
    )
}

fn reasons(host: &HostView) -> String {
    let mut table = table(&["FAILS", "WHY", "REMEDY"]);
    for reason in &host.reasons {
        let remedy = [reason.remedy.as_deref(), reason.link.as_deref()];
        let remedy: Vec<_> = remedy.into_iter().flatten().collect();
        let remedy = match remedy[..] {
            [] => "-".to_owned(),
            _ => remedy.join(" "),
        };
        table.add_row(vec![
            plain(&reason.rule),
            plain(&reason.text),
            plain(&remedy),
        ]);
    }
    lines(&table)
}

fn endpoints(endpoints: &[EndpointView]) -> String {
    let mut table = table(&["ENDPOINT", "OWNER", "SOURCE", "ROLE", "LEVEL", "BOUND TO"]);
    for one in endpoints {
        table.add_row(vec![
            named(one),
            one.owner.as_deref().map_or("-".to_owned(), plain),
            one.source.clone(),
            one.role.clone(),
            level_word(one.level).to_owned(),
            one.mac.clone().unwrap_or("-".to_owned()),
        ]);
    }
    lines(&table)
}

/// Hosts of lists have no names of their own.
fn named(one: &EndpointView) -> String {
    match one.name.as_str() {
        "" => plain(&one.endpoint),
        name => format!("{} ({})", plain(name), plain(&one.endpoint)),
    }
}

fn history(turns: &[Turn]) -> String {
    let mut table = table(&["WHEN", "FROM", "TO", "BY", "CAUSE"]);
    let or_none = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
    for turn in turns {
        table.add_row(vec![
            moment(turn.time),
            or_none(&turn.before),
            or_none(&turn.after),
            or_none(&turn.source),
            plain(&turn.cause),
        ]);
    }
    lines(&table)
}
