//! The hosts that are asked for, put together from the parts that the gateway hands out.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::HostsCommand;
use crate::{
    cli::gateway::{Gateway, mismatch},
    control::{
        Request, Response,
        host::{HostPage, HostQuery, HostView, MAX_PAGE, Place, Status, Tally},
    },
};

/// Hosts, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Listing {
    /// The first of them, up to the limit.
    pub(super) hosts: Vec<HostView>,
    /// How many there are.
    pub(super) total: u64,
    /// How many stand how.
    pub(super) by_status: BTreeMap<Status, u64>,
    /// The same by interface of the gateway.
    pub(super) by_interface: BTreeMap<String, BTreeMap<Status, u64>>,
    /// Where the rest begins, when there is more and the order is that of addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<Place>,
}

impl Listing {
    /// Reads what is asked for. Whatever there is, no more than twice the limit and a page is held at once.
    pub(super) fn read(command: &HostsCommand, gateway: &Gateway, limit: usize) -> Result<Self> {
        let mut listing = Self::default();
        let mut query = command.query();
        loop {
            let room = limit.saturating_sub(listing.hosts.len());
            query.limit = match command.sort {
                Some(_) if limit > 0 => MAX_PAGE,
                Some(_) => 0,
                None => u32::try_from(room).unwrap_or(MAX_PAGE).min(MAX_PAGE),
            };
            let page = part(gateway, &query)?;
            listing.count(&page.tallies);
            listing.hosts.extend(page.hosts);
            if command.sort.is_some() && listing.hosts.len() > limit.saturating_mul(2) {
                command.sort(&mut listing.hosts);
                listing.hosts.truncate(limit);
            }
            let is_full = command.sort.is_none() && listing.hosts.len() >= limit;
            if is_full && listing.next.is_none() {
                listing.next.clone_from(&page.next);
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        command.sort(&mut listing.hosts);
        listing.hosts.truncate(limit);
        if listing.hosts.len() as u64 == listing.total {
            listing.next = None;
        }
        Ok(listing)
    }

    fn count(&mut self, tallies: &[Tally]) {
        for tally in tallies {
            self.total += tally.hosts;
            *self.by_status.entry(tally.status).or_default() += tally.hosts;
            let interface = self.by_interface.entry(tally.interface.clone());
            *interface.or_default().entry(tally.status).or_default() += tally.hosts;
        }
    }
}

/// One part of the hosts.
pub(super) fn part(gateway: &Gateway, query: &HostQuery) -> Result<HostPage> {
    match gateway.ask(&Request::Hosts(query.clone()))? {
        Response::Hosts(page) => Ok(page),
        other => Err(mismatch(&other)),
    }
}
