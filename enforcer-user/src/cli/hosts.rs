//! `enforcer hosts`: lists, totals, and what changes in them.

mod listing;
mod rows;
mod watch;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::{
    gateway::Gateway,
    output::{self, Format},
};
use crate::control::host::{HostQuery, HostView, Place, Status};
use listing::Listing;

/// How many hosts are listed when nothing is said.
const LIMIT: usize = 1_000;

/// Which hosts are listed, and how.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub struct HostsCommand {
    /// Only hosts that stand so: authorized; unauthorized (known and not let pass); no-client (nothing is known of
    /// them); monitor (would be stopped).
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// Only hosts of this role (authorized, quarantine, denied, unknown, bypass, or one of yours).
    #[arg(long)]
    role: Option<String>,
    /// Only hosts of this zone.
    #[arg(long)]
    zone: Option<String>,
    /// Only hosts that fail a rule, have an exception, or were stopped last, for a reason that contains this.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only hosts whose address, endpoint, owner or reasons contain this.
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    /// In which order; by address when left out.
    #[arg(long, value_enum)]
    sort: Option<Sort>,
    /// In the opposite order.
    #[arg(long, requires = "sort")]
    reverse: bool,
    /// How many are listed at most: 1000 when left out, and all of them with `--csv`.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// Only hosts behind this one, as in 192.0.2.5%lan: where the last list ended.
    #[arg(long, value_name = "ADDRESS%ZONE", conflicts_with = "sort")]
    after: Option<Place>,
    /// Go on, and show what changes.
    #[arg(long, conflicts_with_all = ["csv", "after"])]
    watch: bool,
    /// As a table for spreadsheets.
    #[arg(long)]
    csv: bool,
    /// As JSON; the same as `--output json`. With `--watch` one line for each change.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
}

/// What the order of hosts goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The zone, and within it the address.
    Address,
    /// How they stand.
    Status,
    /// The role.
    Role,
    /// The endpoint's name.
    Endpoint,
    /// Who uses it.
    Owner,
    /// When they were judged: those that were judged last first.
    Judged,
    /// Packets stopped: those of which most were stopped first.
    Stopped,
}

impl HostsCommand {
    /// Prints the list.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        let format = gateway.format(self.json);
        if self.watch {
            return watch::run(&self, gateway, format);
        }
        if self.csv {
            return rows::csv(&self, gateway);
        }
        let listing = Listing::read(&self, gateway, self.limit.unwrap_or(LIMIT))?;
        output::print(format, &listing, rows::text)
    }

    fn query(&self) -> HostQuery {
        HostQuery {
            status: self.status,
            role: self.role.clone(),
            zone: self.zone.clone(),
            reason: self.reason.clone(),
            text: self.find.clone(),
            after: self.after.clone(),
            limit: 0,
        }
    }

    /// Puts hosts in the order that is asked for.
    fn sort(&self, hosts: &mut [HostView]) {
        let Some(sort) = self.sort else { return };
        hosts.sort_by(|a, b| {
            let order = match sort {
                Sort::Address => std::cmp::Ordering::Equal,
                Sort::Status => a.status.cmp(&b.status),
                Sort::Role => a.role.cmp(&b.role),
                Sort::Endpoint => named_first(a.endpoint.as_ref(), b.endpoint.as_ref()),
                Sort::Owner => named_first(a.owner.as_ref(), b.owner.as_ref()),
                Sort::Judged => b.judged_at.cmp(&a.judged_at),
                Sort::Stopped => b.stopped_packets.cmp(&a.stopped_packets),
            };
            let order = order.then_with(|| (&a.zone, a.address).cmp(&(&b.zone, b.address)));
            if self.reverse { order.reverse() } else { order }
        });
    }
}

/// Those without a name come last.
fn named_first(a: Option<&String>, b: Option<&String>) -> std::cmp::Ordering {
    (a.is_none(), a).cmp(&(b.is_none(), b))
}

/// Whether a result is for programs.
fn is_json(format: Format) -> bool {
    format == Format::Json
}
