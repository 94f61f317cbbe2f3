//! Time to put the decisions of many hosts in force.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Instant,
};

use anyhow::Result;
use enforcer::datapath::{Datapath, HostChange, Options};
use enforcer_common::{
    host::{FOREVER, Family, Host, HostRow, Origin, SourceId},
    role::RoleId,
};
use enforcer_tests::bpffs::BpfFs;
use serde::Serialize;

use crate::{spread::Spread, table::Line};

/// Hosts that the control writes, each with a call of its own.
const SINGLE: u32 = 10_000;

/// What a number of hosts costs.
#[derive(Serialize)]
pub struct Row {
    hosts: u32,
    family: &'static str,
    calls: &'static str,
    ms: Spread,
    ns_per_host: f64,
    /// How many times faster a host is written than by the control of the same family.
    against_single: f64,
}

/// One way of writing.
struct Case {
    hosts: u32,
    family: Family,
    single: bool,
}

/// Fills and empties the tables with every case in turn, round after round.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let (rounds, largest) = if quick { (3, 100_000) } else { (11, 1_000_000) };
    let bpffs = BpfFs::new()?;
    let mut datapath = Datapath::open(Options {
        pin_dir: bpffs.pin_dir(),
        host_capacity: 1 << 20,
    })?;
    let cases = cases(largest);
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..rounds {
        for (case, times) in cases.iter().zip(&mut times) {
            times.push(case.fill(&mut datapath)? * 1e3);
        }
    }
    let spreads: Vec<Spread> = times.into_iter().map(Spread::of).collect();
    let each = |(case, ms): (&Case, &Spread)| ms.median * 1e6 / f64::from(case.hosts);
    let control = |family| {
        let mut measured = cases.iter().zip(&spreads);
        measured
            .find(|(case, _)| case.single && case.family == family)
            .map_or(f64::NAN, each)
    };
    let row = |(case, ms): (&Case, &Spread)| Row {
        hosts: case.hosts,
        family: match case.family {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        },
        calls: if case.single { "one each" } else { "batches" },
        ms: *ms,
        ns_per_host: each((case, ms)),
        against_single: control(case.family) / each((case, ms)),
    };
    Ok(cases.iter().zip(&spreads).map(row).collect())
}

fn cases(largest: u32) -> Vec<Case> {
    let sizes = [10_000, 100_000, 1_000_000];
    let batches = sizes.into_iter().filter(|hosts| *hosts <= largest);
    let ways: Vec<_> = [(SINGLE, true)]
        .into_iter()
        .chain(batches.map(|hosts| (hosts, false)))
        .collect();
    let of = |family| {
        ways.iter().map(move |&(hosts, single)| Case {
            hosts,
            family,
            single,
        })
    };
    of(Family::V4).chain(of(Family::V6)).collect()
}

impl Case {
    /// Seconds until all are in force. The tables are empty before and after.
    fn fill(&self, datapath: &mut Datapath) -> Result<f64> {
        let hosts: Vec<Host> = (0..self.hosts).map(|n| host(self.family, n)).collect();
        let set: Vec<_> = hosts
            .iter()
            .map(|host| HostChange::Set(*host, ROW))
            .collect();
        let started = Instant::now();
        if self.single {
            set.chunks(1).try_for_each(|one| datapath.apply(one))?;
        } else {
            datapath.apply(&set)?;
        }
        let elapsed = started.elapsed();
        let remove: Vec<_> = hosts.into_iter().map(HostChange::Remove).collect();
        datapath.apply(&remove)?;
        Ok(elapsed.as_secs_f64())
    }
}

const ROW: HostRow = HostRow {
    deadline: FOREVER,
    mac: [0; 6],
    role: RoleId::AUTHORIZED,
    origin: Origin::of(SourceId::MANAGEMENT),
};

/// The `n`th host of 10.0.0.0/8, or of `2001:db8::/32`.
fn host(family: Family, n: u32) -> Host {
    let address: IpAddr = match family {
        Family::V4 => Ipv4Addr::from(0x0a00_0000 + n).into(),
        Family::V6 => Ipv6Addr::from((0x2001_0db8 << 96) + u128::from(n)).into(),
    };
    Host {
        zone: 0,
        address: address.into(),
    }
}

impl Line for Row {
    const HEADS: &[&str] = &[
        "hosts",
        "family",
        "calls",
        "ms",
        "min – max",
        "ns a host",
        "against one each",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.hosts.to_string(),
            self.family.to_owned(),
            self.calls.to_owned(),
            self.ms.to_string(),
            self.ms.range(),
            format!("{:.0}", self.ns_per_host),
            format!("{:.1}×", self.against_single),
        ]
    }
}
