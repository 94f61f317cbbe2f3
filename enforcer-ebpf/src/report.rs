//! What is counted of a packet, and what the controller is told.

use enforcer_common::{
    counter::{self, Hook, Outcome},
    decide::{Ask, Judgement, Verdict},
    event::{Event, Kind},
    host::{Asked, Blocked},
    packet::Packet,
};

use crate::{Seen, maps};

/// Counts the packet by what was done with it, and reports stops and unknown hosts.
#[inline(always)]
pub fn record(hook: Hook, seen: &Seen, done: Verdict, length: usize, interface: u32, now: u64) {
    let judgement = Judgement {
        verdict: done,
        ..seen.judgement
    };
    count(
        counter::row(hook, Outcome::of(&judgement), judgement.reason),
        length as u64,
    );
    if !seen.is_ip {
        return;
    }
    let about = About {
        hook,
        judgement: &judgement,
        seen,
        interface,
        now,
    };
    if judgement.ask != Ask::No {
        about.ask();
    }
    if judgement.verdict != Verdict::Pass {
        about.stopped(length as u64);
    }
}

#[inline(always)]
fn count(row: u32, bytes: u64) {
    let Some(counter) = maps::COUNTERS.get_ptr_mut(row) else {
        return;
    };
    let counter = maps::write(counter);
    counter.packets += 1;
    counter.bytes += bytes;
}

struct About<'a> {
    hook: Hook,
    judgement: &'a Judgement,
    seen: &'a Seen,
    interface: u32,
    now: u64,
}

impl About<'_> {
    /// Tells the controller of an unknown host. When the ring is full, the next packet asks again.
    #[inline(never)]
    fn ask(&self) {
        let since = match self.judgement.ask {
            Ask::Again(since) => since,
            Ask::First | Ask::No => self.now,
        };
        let every = maps::SETTINGS
            .get(0)
            .map_or(0, |settings| settings.report_every);
        let told = self.emit(Kind::Unknown, 1);
        let last = if told {
            self.now
        } else {
            self.now.wrapping_sub(every)
        };
        let _ = maps::ASKED.insert(self.seen.host.key(), Asked { since, last }, 0);
    }

    /// Counts a stop by host, and reports the first and then one each `report_every`.
    #[inline(never)]
    fn stopped(&self, bytes: u64) {
        let key = self.seen.host.key();
        let Some(row) = maps::BLOCKED.get_ptr_mut(key) else {
            let reported = u64::from(self.emit(Kind::Stop, 1));
            let row = Blocked {
                packets: 1,
                bytes,
                first: self.now,
                last: self.now,
                reported: self.now,
                reported_packets: reported,
                reason: self.judgement.reason as u8,
                role: self.judgement.role,
                would: u8::from(self.judgement.monitored),
                pad: [0; 5],
            };
            let _ = maps::BLOCKED.insert(key, row, 0);
            return;
        };
        let row = maps::write(row);
        maps::add(&mut row.packets, 1);
        maps::add(&mut row.bytes, bytes);
        row.last = self.now;
        row.reason = self.judgement.reason as u8;
        row.role = self.judgement.role;
        row.would = u8::from(self.judgement.monitored);
        let every = maps::SETTINGS
            .get(0)
            .map_or(0, |settings| settings.report_every);
        if self.now.wrapping_sub(row.reported) < every {
            return;
        }
        row.reported = self.now;
        let packets = row.packets;
        if self.emit(Kind::Stop, packets.wrapping_sub(row.reported_packets)) {
            row.reported_packets = packets;
        }
    }

    /// Writes an event into the ring; false, and counted, when it is full.
    #[inline(always)]
    fn emit(&self, kind: Kind, packets: u64) -> bool {
        let Some(mut entry) = maps::EVENTS.reserve::<Event>(0) else {
            count(counter::LOST_EVENTS, 0);
            return false;
        };
        let Packet {
            source,
            destination,
            source_mac,
            protocol,
            ..
        } = self.seen.packet;
        let from_host = !matches!(self.hook, Hook::TcEgress);
        let remote = if from_host { destination } else { source };
        let (host_port, remote_port) = match self.seen.packet.ports() {
            Some(ports) if from_host => (ports.source, ports.destination),
            Some(ports) => (ports.destination, ports.source),
            None => (0, 0),
        };
        entry.write(Event {
            at: self.now,
            count: packets,
            host: self.seen.host.key(),
            remote: remote.mapped(),
            interface: self.interface,
            host_port,
            remote_port,
            mac: source_mac,
            protocol,
            kind: kind as u8,
            hook: self.hook as u8,
            verdict: self.judgement.verdict as u8,
            reason: self.judgement.reason as u8,
            role: self.judgement.role,
            monitored: u8::from(self.judgement.monitored),
            pad: [0; 7],
        });
        entry.submit(0);
        true
    }
}
