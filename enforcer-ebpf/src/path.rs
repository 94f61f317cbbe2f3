//! The path of a packet: a first look, which lets most pass, and a second one, which decides about the others.

use enforcer_common::{
    decide::{self, Ask, Case, Direction, Judgement, Reason, Verdict, at_once, consider},
    host::Address,
    packet::{Claim, Refusal, Transport, arp_claim, neighbour_claim, parse_chain, parse_into},
    seen::{JudgedRow, Seen, Sort},
    settings::InterfaceRow,
};

use crate::{
    act,
    frame::{Frame, jiffies},
    lookup::{self, Kernel},
    maps::{self, Step},
    report,
};

/// Parses a frame, finds out what is known of its host, and lets it pass if that is all that has to be known.
#[inline(always)]
pub fn first_look<F: Frame>(frame: &F) -> i32 {
    if frame.is_own_reply() {
        return F::PASS;
    }
    let (Some(interface), Some(seen)) = (maps::interface(), maps::seen()) else {
        return F::DROP;
    };
    let cursor = frame.cursor();
    seen.sort = Sort::of(parse_into(&cursor, &mut seen.packet));
    // What neighbours say outside of any VLAN is about the link itself.
    let of_a_vlan = match seen.sort {
        Sort::Ip | Sort::Chain | Sort::Arp => true,
        Sort::Link => !seen.packet.vlans.is_none(),
        _ => false,
    };
    if of_a_vlan {
        match decide::zone(interface, seen.packet.vlans, &Kernel) {
            Some(zone) => seen.host.zone = zone,
            None => seen.sort = Sort::OfAnotherVlan,
        }
    }
    if let Sort::Ip | Sort::Chain = seen.sort {
        let now = jiffies();
        seen.host.address = *own_address::<F>(&seen.packet.source, &seen.packet.destination);
        lookup::standing(&seen.host, now, &mut seen.standing);
        if seen.sort == Sort::Ip
            && let Some(reason) = passes::<F>(seen, interface, now)
        {
            seen.judged = passed(seen, reason);
            report::count::<F>(Verdict::Pass, reason as u8, cursor.whole());
            #[cfg(feature = "log")]
            frame.log(seen);
            return F::PASS;
        }
    }
    seen.claim = Claim::NONE;
    frame.go_on(step_after::<F>(seen));
    F::DROP
}

/// What has still to be read of a frame before it is decided about.
#[inline(always)]
fn step_after<F: Frame>(seen: &Seen) -> Step {
    let claims = match seen.sort {
        Sort::Chain => return Step::Chain,
        Sort::Arp => true,
        Sort::Ip => seen.packet.is_neighbour_discovery(),
        _ => false,
    };
    if claims && F::WAY == Direction::FromHost {
        Step::Claim
    } else {
        Step::Decide
    }
}

/// Walks the extension headers of an IPv6 packet.
#[inline(always)]
pub fn walk_chain<F: Frame>(frame: &F) -> i32 {
    let Some(seen) = maps::seen() else {
        return F::DROP;
    };
    seen.sort = Sort::of(parse_chain(&frame.cursor(), &mut seen.packet));
    if seen.sort != Sort::Chain {
        frame.go_on(step_after::<F>(seen));
    }
    F::DROP
}

/// Reads what ARP or neighbour discovery claims. ARP is judged by that alone; the rest goes on to the second look.
#[inline(always)]
pub fn read_claim<F: Frame>(frame: &F) -> i32 {
    let Some(seen) = maps::seen() else {
        return F::DROP;
    };
    let cursor = frame.cursor();
    let claim = match seen.sort {
        Sort::Arp => arp_claim(&cursor, &seen.packet),
        _ => neighbour_claim(&cursor, &seen.packet),
    };
    match claim {
        Ok(claim) => seen.claim = claim,
        Err(refusal) => seen.sort = Sort::of(Err(refusal)),
    }
    if seen.sort == Sort::Arp {
        seen.host.address = seen.claim.address;
        seen.packet.describe_arp(seen.claim.address);
        lookup::from_tables(&seen.host, jiffies(), &mut seen.standing);
        let mac = seen.packet.source_mac;
        let judgement = decide::judge_arp(&seen.claim, mac, &seen.standing, &Kernel);
        return settle(frame, seen, &judgement);
    }
    frame.go_on(Step::Decide);
    F::DROP
}

/// Why a packet passes at once, if it does.
#[inline(always)]
fn passes<F: Frame>(seen: &Seen, interface: &InterfaceRow, now: u64) -> Option<Reason> {
    let case = Case {
        packet: &seen.packet,
        direction: F::WAY,
        interface,
        host: &seen.host,
        standing: &seen.standing,
        now,
    };
    let reason = at_once(&case, &Kernel)?;
    (!concerns_the_portal::<F>(seen, interface)).then_some(reason)
}

/// Decides about a frame that the first look did not let pass.
#[inline(always)]
pub fn second_look<F: Frame>(frame: &F) -> i32 {
    let (Some(interface), Some(seen)) = (maps::interface(), maps::seen()) else {
        return F::DROP;
    };
    let judgement = match seen.sort {
        Sort::Ip => {
            let case = Case {
                packet: &seen.packet,
                direction: F::WAY,
                interface,
                host: &seen.host,
                standing: &seen.standing,
                now: jiffies(),
            };
            consider(&case, &seen.claim, &Kernel)
        }
        Sort::Arp | Sort::Link => decide::judge_link(),
        Sort::OfAnotherVlan => decide::judge_vlan(&Kernel),
        Sort::Malformed => decide::judge_refusal(Refusal::Malformed, &Kernel),
        // A chain was walked before it came here.
        Sort::Chain | Sort::TooDeep => decide::judge_refusal(Refusal::TooDeep, &Kernel),
        Sort::NotIp => decide::judge_refusal(Refusal::NotIp, &Kernel),
    };
    settle(frame, seen, &judgement)
}

/// Notes a judgement and goes on to the program that carries it out. What has none is dropped.
#[inline(always)]
fn settle<F: Frame>(frame: &F, seen: &mut Seen, judgement: &Judgement) -> i32 {
    let Judgement {
        verdict,
        reason,
        role,
        monitored,
        ask,
    } = *judgement;
    seen.judged = JudgedRow {
        verdict: verdict as u8,
        done: verdict as u8,
        reason: reason as u8,
        role,
        monitored: u8::from(monitored),
        has_host: u8::from(has_host::<F>(seen.sort)),
        pad: [0; 2],
        zone: seen.host.zone,
    };
    #[cfg(feature = "log")]
    frame.log(seen);
    seen.ask_since = match ask {
        Ask::No => 0,
        Ask::First => jiffies(),
        Ask::Again(since) => since,
    };
    let step = match verdict {
        _ if monitored || maps::is_dry() => Step::Record,
        Verdict::Pass | Verdict::Drop => Step::Record,
        Verdict::Reject => act::answer::<F>(seen),
        Verdict::Redirect => Step::Portal,
        Verdict::Close => Step::Close,
    };
    frame.go_on(step);
    F::DROP
}

/// Counts and reports a frame that passes, is dropped, or would have been stopped.
#[inline(always)]
pub fn record<F: Frame>(frame: &F) -> i32 {
    let (Some(interface), Some(seen)) = (maps::interface(), maps::seen()) else {
        return F::DROP;
    };
    let passes = seen.judged.verdict() == Verdict::Pass;
    if maps::is_dry() {
        return if passes { F::PASS } else { F::DROP };
    }
    if passes && seen.sort == Sort::Ip && concerns_the_portal::<F>(seen, interface) {
        match F::WAY {
            Direction::FromHost => act::forget_direct(seen),
            Direction::ToHost => frame.go_on(Step::Portal),
        }
    }
    let done = seen.judged.done();
    report::About::new(frame, seen, jiffies()).record(done, frame.cursor().whole());
    if passes || seen.judged.monitored != 0 {
        F::PASS
    } else {
        F::DROP
    }
}

/// ARP is of a host when it comes from one; what the gateway sends is its own.
#[inline(always)]
const fn has_host<F: Frame>(sort: Sort) -> bool {
    match sort {
        Sort::Ip => true,
        Sort::Arp => matches!(F::WAY, Direction::FromHost),
        _ => false,
    }
}

#[inline(always)]
fn own_address<'a, F: Frame>(source: &'a Address, destination: &'a Address) -> &'a Address {
    match F::WAY {
        Direction::FromHost => source,
        Direction::ToHost => destination,
    }
}

/// Whether a packet that passes is to or from the portal's port: then a redirected flow may have to be forgotten, or
/// a reply given the address that the host knows. Where the frame is no packet, what was seen of one before is still
/// there.
#[inline(always)]
fn concerns_the_portal<F: Frame>(seen: &Seen, interface: &InterfaceRow) -> bool {
    if seen.sort != Sort::Ip {
        return false;
    }
    let Transport::Tcp(ports, _) = seen.packet.transport_header() else {
        return false;
    };
    let port = match F::WAY {
        Direction::FromHost => ports.destination,
        Direction::ToHost => ports.source,
    };
    port == interface.portal_port
}

#[inline(always)]
fn passed(seen: &Seen, reason: Reason) -> JudgedRow {
    JudgedRow {
        verdict: Verdict::Pass as u8,
        done: Verdict::Pass as u8,
        reason: reason as u8,
        role: seen.standing.role,
        monitored: 0,
        has_host: 1,
        pad: [0; 2],
        zone: seen.host.zone,
    }
}
