//! What is counted of a packet, and what the controller is told.

use enforcer_common::{
    bucket::Purpose,
    counter::{self, Outcome},
    decide::{Direction, Reason, Verdict},
    event::{Event, Kind},
    host::{Asked, Blocked},
    packet::Packet,
    seen::Seen,
};

use crate::{frame::Frame, maps};

/// Counts a packet that was not stopped.
#[inline(always)]
pub fn count<F: Frame>(done: Verdict, reason: u8, length: usize) {
    let row = counter::row_by_number(F::HOOK, Outcome::Done(done), reason);
    add(row, length as u64);
}

#[inline(always)]
fn add(row: u32, bytes: u64) {
    if maps::is_dry() {
        return;
    }
    let Some(counter) = maps::COUNTERS.get_ptr_mut(row) else {
        return;
    };
    let counter = maps::write(counter);
    counter.packets += 1;
    counter.bytes += bytes;
}

/// A frame that was judged.
pub struct About<'a> {
    hook: u8,
    from_host: bool,
    row: u32,
    interface: u32,
    seen: &'a Seen,
    now: u64,
}

impl<'a> About<'a> {
    #[inline(always)]
    pub fn new<F: Frame>(frame: &F, seen: &'a Seen, now: u64) -> Self {
        Self {
            hook: F::HOOK as u8,
            from_host: matches!(F::WAY, Direction::FromHost),
            row: counter::row_by_number(F::HOOK, Outcome::Done(Verdict::Pass), 0),
            interface: frame.interface(),
            seen,
            now,
        }
    }

    /// Counts the packet, `length` bytes before anything was done with it, by what was done, and reports stops and unknown
    /// hosts.
    #[inline(always)]
    pub fn record(&self, done: Verdict, length: usize) {
        let judged = &self.seen.judged;
        let outcome = if judged.monitored != 0 {
            Outcome::WouldStop
        } else {
            Outcome::Done(done)
        };
        add(
            self.row + counter::within_hook(outcome, judged.reason),
            length as u64,
        );
        if self.seen.ask_since != 0 {
            self.ask();
        }
        if done != Verdict::Pass && judged.has_host != 0 {
            self.stopped(done, length as u64);
        }
    }

    /// Tells the controller of an unknown host. When the ring is full, the next packet asks again.
    #[inline(never)]
    fn ask(&self) {
        let every = maps::SETTINGS
            .get(0)
            .map_or(0, |settings| settings.report_every);
        let verdict = self.seen.judged.verdict();
        let told = self.emit(Kind::Unknown, verdict, 1);
        let last = if told {
            self.now
        } else {
            self.now.wrapping_sub(every)
        };
        let asked = Asked {
            since: self.seen.ask_since,
            last,
        };
        let _ = maps::ASKED.insert(self.seen.host.key(), asked, 0);
    }

    /// Counts a stop by host, and reports the first and then one each `report_every`.
    #[inline(never)]
    fn stopped(&self, done: Verdict, bytes: u64) {
        let key = self.seen.host.key();
        let judged = &self.seen.judged;
        let Some(row) = maps::BLOCKED.get_ptr_mut(key) else {
            let reported = u64::from(self.tell(done, 1));
            let row = Blocked {
                packets: 1,
                bytes,
                first: self.now,
                last: self.now,
                reported: self.now,
                reported_packets: reported,
                reason: judged.reason,
                role: judged.role,
                would: judged.monitored,
                pad: [0; 5],
            };
            let _ = maps::BLOCKED.insert(key, row, 0);
            return;
        };
        let row = maps::write(row);
        maps::add(&mut row.packets, 1);
        maps::add(&mut row.bytes, bytes);
        row.last = self.now;
        row.reason = judged.reason;
        row.role = judged.role;
        row.would = judged.monitored;
        let every = maps::SETTINGS
            .get(0)
            .map_or(0, |settings| settings.report_every);
        if self.now.wrapping_sub(row.reported) < every {
            return;
        }
        row.reported = self.now;
        let packets = row.packets;
        if self.tell(done, packets.wrapping_sub(row.reported_packets)) {
            row.reported_packets = packets;
        }
    }

    /// Reports a stop, unless this CPU has reported too much of late; false when it was not.
    #[inline(always)]
    fn tell(&self, done: Verdict, packets: u64) -> bool {
        if !maps::take(Purpose::Report, self.now) {
            return false;
        }
        let kind = if self.seen.judged.reason == Reason::Spoofed as u8 {
            Kind::Spoof
        } else if done == Verdict::Redirect {
            Kind::Portal
        } else {
            Kind::Stop
        };
        self.emit(kind, done, packets)
    }

    /// Writes an event into the ring; false, and counted, when it is full.
    #[inline(always)]
    fn emit(&self, kind: Kind, done: Verdict, packets: u64) -> bool {
        let Some(mut entry) = maps::EVENTS.reserve::<Event>(0) else {
            add(counter::LOST_EVENTS, 0);
            return false;
        };
        let Packet {
            source,
            destination,
            source_mac,
            protocol,
            vlans,
            ..
        } = &self.seen.packet;
        let remote = if self.from_host { destination } else { source };
        let (host_port, remote_port) = match self.seen.packet.ports() {
            Some(ports) if self.from_host => (ports.source, ports.destination),
            Some(ports) => (ports.destination, ports.source),
            None => (0, 0),
        };
        let judged = &self.seen.judged;
        entry.write(Event {
            at: self.now,
            count: packets,
            host: self.seen.host.key(),
            remote: remote.mapped(),
            interface: self.interface,
            host_port,
            remote_port,
            mac: source_mac.bytes(),
            protocol: *protocol,
            kind: kind as u8,
            hook: self.hook,
            verdict: done as u8,
            reason: judged.reason,
            role: judged.role,
            monitored: judged.monitored,
            pad: 0,
            vlan: if vlans.inner == 0 {
                vlans.outer
            } else {
                vlans.inner
            },
        });
        entry.submit(0);
        true
    }
}
