//! `enforcer hosts`.

use anyhow::Result;
use clap::Args;

use super::{
    gateway::{Gateway, mismatch},
    output,
    table::{lines, moment, plain, table},
};
use crate::control::{
    Request, Response,
    host::{HostFilter, HostList, HostView},
};

/// The most characters of a reason in a row.
const LONGEST_REASON: usize = 40;

/// Which hosts are listed.
#[derive(Debug, Args)]
pub struct HostsCommand {
    /// Only hosts of this role (authorized, quarantine, denied, unknown, bypass, or one of yours).
    #[arg(long)]
    role: Option<String>,
    /// Only hosts of this zone.
    #[arg(long)]
    zone: Option<String>,
    /// Only hosts whose address, endpoint, owner or reasons contain this.
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    /// How many are listed at most.
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER")]
    limit: u32,
}

impl HostsCommand {
    /// Prints the list.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        let filter = HostFilter {
            role: self.role,
            zone: self.zone,
            text: self.find,
            limit: self.limit,
        };
        match gateway.ask(&Request::Hosts(filter))? {
            Response::Hosts(list) => output::print(gateway.output, &list, text),
            other => Err(mismatch(&other)),
        }
    }
}

fn text(list: &HostList) -> String {
    if list.hosts.is_empty() {
        return "No hosts.".to_owned();
    }
    let mut table = table(&[
        "ADDRESS", "ZONE", "ROLE", "BY", "ENDPOINT", "WHY", "JUDGED", "STOPPED",
    ]);
    for host in &list.hosts {
        table.add_row(vec![
            host.address.to_string(),
            host.zone.clone(),
            host.role.clone(),
            host.source.clone(),
            endpoint(host),
            why(host),
            host.judged_at.map_or("-".to_owned(), moment),
            stopped(host),
        ]);
    }
    let shown = u64::try_from(list.hosts.len()).unwrap_or(u64::MAX);
    let rest = if shown < list.total {
        format!(
            "\n\n{shown} of {} hosts; narrow them down with --role, --zone or --find, or raise --limit.",
            list.total
        )
    } else {
        String::new()
    };
    lines(&table) + &rest
}

fn endpoint(host: &HostView) -> String {
    let name = host.endpoint.as_deref().map_or("-".to_owned(), plain);
    let owner = host.owner.as_deref().map(plain);
    let owner = owner.map_or(String::new(), |owner| format!(" ({owner})"));
    let shared = match host.shared_by {
        0 | 1 => String::new(),
        many => format!(", shared by {many} endpoints"),
    };
    name + &owner + &shared
}

fn why(host: &HostView) -> String {
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

    #[test]
    fn what_is_left_out_is_said() {
        let mut list = HostList {
            hosts: vec![host()],
            total: 1,
        };
        assert!(!text(&list).contains("narrow"));
        list.total = 12;
        assert!(
            text(&list).ends_with("or raise --limit."),
            "{}",
            text(&list)
        );
        assert_eq!(text(&HostList::default()), "No hosts.");
    }
}
