//! Snapshots of many hosts: how long until they are in force, and what they take.

use std::time::Instant;

use anyhow::{Context, Result};
use enforcer_common::role::RoleId;
use serde::Serialize;

use crate::{
    spread::Spread,
    stage::{Observer, Stage, address, resident},
    table::Line,
};

/// How many hosts are looked at, all over the snapshot: it is in force when all of them are.
const SAMPLE: u32 = 64;

/// A snapshot of a number of hosts.
#[derive(Serialize)]
pub struct Row {
    hosts: u32,
    /// The first one, into empty tables.
    first_ms: f64,
    /// One that changes every host.
    changed_ms: Spread,
    /// What the gateway's memory has grown by, for each host.
    bytes_per_host: f64,
}

/// Measures snapshots of several sizes, each with a gateway of its own.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let sizes: &[u32] = if quick {
        &[10_000, 100_000]
    } else {
        &[10_000, 100_000, 1_000_000]
    };
    let rounds = if quick { 3 } else { 5 };
    sizes.iter().map(|hosts| snapshot(*hosts, rounds)).collect()
}

fn snapshot(hosts: u32, rounds: u32) -> Result<Row> {
    let stage = Stage::new()?;
    let gateway = stage.start()?;
    let (observer, base) = (stage.observer()?, resident(&gateway)?);
    let first_ms = tell(&stage, &observer, hosts, ROLES[0])?;
    let grown = resident(&gateway)?.saturating_sub(base);
    let changed = (1..=rounds).map(|round| {
        let role = ROLES[round as usize % ROLES.len()];
        tell(&stage, &observer, hosts, role)
    });
    let changed: Vec<f64> = changed.collect::<Result<_>>()?;
    #[expect(clippy::cast_precision_loss, reason = "a rounded figure")]
    let bytes_per_host = grown as f64 / f64::from(hosts);
    Ok(Row {
        hosts,
        first_ms,
        changed_ms: Spread::of(changed),
        bytes_per_host,
    })
}

/// Roles that snapshots give in turn.
const ROLES: [(&str, RoleId); 2] = [
    ("authorized", RoleId::AUTHORIZED),
    ("quarantine", RoleId::QUARANTINE),
];

/// Milliseconds from the first byte of a snapshot until it is in force.
fn tell(stage: &Stage, observer: &Observer, hosts: u32, role: (&str, RoleId)) -> Result<f64> {
    let (name, role) = role;
    stage
        .server
        .decide((0..hosts).map(|number| (address(number), name)));
    stage.server.hang_up();
    let mut last = None;
    for step in 0..SAMPLE {
        let number = u64::from(hosts - 1) * u64::from(step) / u64::from(SAMPLE - 1);
        last = Some(observer.once(address(u32::try_from(number)?), role)?);
    }
    let began: Instant = stage.server.began().context("nothing was told")?;
    let in_force = last.context("nothing was looked at")?;
    Ok(in_force.duration_since(began).as_secs_f64() * 1e3)
}

impl Line for Row {
    const HEADS: &[&str] = &[
        "hosts of a snapshot",
        "first, ms",
        "all changed, ms",
        "min – max",
        "resident bytes a host",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.hosts.to_string(),
            format!("{:.0}", self.first_ms),
            format!("{:.0}", self.changed_ms.median),
            self.changed_ms.range(),
            format!("{:.0}", self.bytes_per_host),
        ]
    }
}
