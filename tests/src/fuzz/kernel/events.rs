//! What the programs report, against what happened.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use enforcer::datapath::{Datapath, Events};
use tokio::{runtime::Runtime, time::timeout};

use super::way;
use crate::fuzz::{
    oracle::{Reading, claim},
    parser::address,
};
use enforcer_common::{
    counter::Hook,
    decide::Direction,
    event::{Event, Kind},
    host::{Address, HostKey},
    packet::Transport,
    role::RoleId,
    seen::JudgedRow,
};

/// Events that are taken at once.
const MANY: usize = 4_096;

/// The reader of the ring, and what may have been reported.
pub struct Reports {
    runtime: Runtime,
    events: Events,
    happened: Vec<Happened>,
}

/// What an event says of a packet, but for when and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Happened {
    host: (u32, Address),
    remote: Address,
    ports: (u16, u16),
    mac: [u8; 6],
    protocol: u8,
    hook: u8,
    verdict: (u8, u8),
    reason: u8,
    role: RoleId,
    monitored: u8,
    vlan: u16,
}

impl Reports {
    /// Reads the ring of this gateway.
    pub fn of(datapath: &mut Datapath) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let entered = runtime.enter();
        let events = datapath.take_events()?;
        drop(entered);
        Ok(Self {
            runtime,
            events,
            happened: Vec::new(),
        })
    }

    /// Takes note of a packet that may be reported.
    pub fn note(&mut self, hook: Hook, reading: &Reading<'_>, judged: &JudgedRow) {
        if judged.has_host != 0 {
            self.happened.extend(happened(hook, reading, judged));
        }
    }

    /// Whether all that was reported since has happened, in this order; and how many events there were.
    pub fn check(&mut self) -> Result<usize> {
        let mut happened = std::mem::take(&mut self.happened).into_iter();
        let mut last = None;
        let events = self.take()?;
        for event in &events {
            // One packet may be asked about and stopped.
            let same = |one: &Happened| one.is_told_by(event);
            if last.as_ref().is_some_and(same) {
                continue;
            }
            last = happened.find(same);
            ensure!(
                last.is_some(),
                "reported what did not happen, or not then: {event:?}"
            );
        }
        Ok(events.len())
    }

    fn take(&mut self) -> Result<Vec<Event>> {
        let mut taken = Vec::new();
        let events = &mut self.events;
        self.runtime.block_on(async {
            while let Ok(read) = timeout(Duration::ZERO, events.read(&mut taken, MANY)).await {
                read.context("the ring")?;
            }
            Ok(taken)
        })
    }
}

fn happened(hook: Hook, reading: &Reading<'_>, judged: &JudgedRow) -> Option<Happened> {
    let from_host = way(hook) == Direction::FromHost;
    let nobody = Address::v4([0; 4]);
    let (ends, protocol, ports) = if let Some(packet) = &reading.packet {
        let ports = match packet.transport {
            Transport::Tcp(ports, _) | Transport::Datagram(ports) => {
                (ports.source, ports.destination)
            }
            Transport::Icmp(_) | Transport::None => (0, 0),
        };
        let ends = (address(packet.source), address(packet.destination));
        (ends, packet.protocol, ports)
    } else {
        // ARP is about the one who sends it.
        let (ip, _) = claim::arp(reading).ok()??;
        ((address(ip), nobody), 0, (0, 0))
    };
    let (host, remote) = if from_host { ends } else { (ends.1, ends.0) };
    let ports = if from_host { ports } else { (ports.1, ports.0) };
    let vlans = reading.vlans;
    Some(Happened {
        host: (judged.zone, host),
        remote,
        ports,
        mac: reading.macs.1,
        protocol,
        hook: hook as u8,
        verdict: (judged.verdict, judged.done),
        reason: judged.reason,
        role: judged.role,
        monitored: judged.monitored,
        vlan: if vlans.inner == 0 {
            vlans.outer
        } else {
            vlans.inner
        },
    })
}

impl Happened {
    fn is_told_by(&self, event: &Event) -> bool {
        let asks = event.kind == Kind::Unknown as u8;
        let verdict = if asks { self.verdict.0 } else { self.verdict.1 };
        let host = HostKey {
            address: self.host.1.key(),
            zone: self.host.0,
            pad: 0,
        };
        let says = (
            (
                event.host,
                event.remote,
                event.host_port,
                event.remote_port,
                event.mac,
            ),
            (
                event.protocol,
                event.hook,
                event.verdict,
                event.reason,
                event.role,
            ),
            (event.monitored, event.vlan),
        );
        let happened = (
            (
                host,
                self.remote.mapped(),
                self.ports.0,
                self.ports.1,
                self.mac,
            ),
            (self.protocol, self.hook, verdict, self.reason, self.role),
            (self.monitored, self.vlan),
        );
        says == happened
    }
}
