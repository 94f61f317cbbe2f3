//! The way to the portal and back: HTTP of a stopped host is rewritten to the gateway's own portal,
//! and the replies are rewritten so that they seem to come from where the host connected to.

use enforcer_common::{
    bucket::Purpose,
    decide::{HTTP, Verdict},
    host::{Address, Host},
    packet::{Part, Transport},
    seen::Seen,
    settings::InterfaceRow,
};

use super::rewrite::{End, Rewrite};
use crate::{
    frame::Frame,
    maps::{self, PORTAL_FLOWS, PORTAL_FRAGMENTS, PortalFlow, PortalKey},
};

/// Rewrites a segment to port 80 so that the portal gets it. A flow that was not opened to the portal
/// cannot go on there: it is rejected. Out of line, so that its keys do not share the 512 bytes of stack with what is
/// recorded afterwards.
#[inline(never)]
pub fn redirect<F: Frame>(
    frame: &F,
    seen: &Seen,
    interface: &InterfaceRow,
    now: u64,
) -> Option<Verdict> {
    let Seen { host, packet, .. } = seen;
    let portal = interface.own(packet.destination.family());
    let portal = portal.filter(|_| interface.portal_port != 0);
    let fragments = key(host, packet.fragment_id);
    let flow = PortalFlow {
        server: packet.destination.key(),
        last: now,
    };
    let Some(portal) = portal else {
        return (packet.part != Part::Later).then_some(Verdict::Reject);
    };
    if packet.part == Part::Later {
        let first = maps::read(PORTAL_FRAGMENTS.get_ptr(fragments)?);
        if first.server != flow.server || is_idle(&first, now) {
            return None;
        }
    } else {
        let Transport::Tcp(ports, _) = packet.transport_header() else {
            return None;
        };
        let key = key(host, u32::from(ports.source));
        if packet.is_bare_syn() {
            // A stack that answers too many of these has no time for anybody else's packets.
            if !maps::take(Purpose::Portal, now) {
                return None;
            }
        } else if !is_known(&key, &flow) {
            return Some(Verdict::Reject);
        }
        PORTAL_FLOWS.insert(key, flow, 0).ok()?;
        if packet.part == Part::First {
            PORTAL_FRAGMENTS.insert(fragments, flow, 0).ok()?;
        }
    }
    frame.rewrite(&Rewrite {
        packet,
        end: End::Destination,
        old: &packet.destination,
        new: &portal,
        old_port: HTTP,
        new_port: interface.portal_port,
    })?;
    Some(Verdict::Redirect)
}

/// A host that opens a flow to the portal itself gets the portal's own address in the replies, also
/// when the same port was redirected before.
#[inline(always)]
pub fn forget_direct(seen: &Seen) {
    let Seen { host, packet, .. } = seen;
    let Transport::Tcp(ports, _) = packet.transport_header() else {
        return;
    };
    if packet.is_bare_syn() && !maps::is_dry() {
        let _ = PORTAL_FLOWS.remove(key(host, u32::from(ports.source)));
    }
}

/// Gives a reply of the portal the address that the host connected to.
#[inline(never)]
pub fn restore<F: Frame>(frame: &F, seen: &Seen, interface: &InterfaceRow, now: u64) -> Option<()> {
    let Seen { host, packet, .. } = seen;
    let ports = packet.ports()?;
    if interface.own(packet.source.family()) != Some(packet.source) {
        return None;
    }
    let flow = maps::write(PORTAL_FLOWS.get_ptr_mut(key(host, u32::from(ports.destination)))?);
    if is_idle(flow, now) {
        return None;
    }
    flow.last = now;
    frame.rewrite(&Rewrite {
        packet,
        end: End::Source,
        old: &packet.source,
        new: &Address::from_key(flow.server),
        old_port: ports.source,
        new_port: HTTP,
    })
}

#[inline(always)]
fn key(host: &Host, number: u32) -> PortalKey {
    PortalKey {
        host: host.key(),
        number: u64::from(number),
    }
}

/// Whether a flow goes to the portal and has not been idle for too long.
#[inline(always)]
fn is_known(key: &PortalKey, flow: &PortalFlow) -> bool {
    PORTAL_FLOWS
        .get_ptr(key)
        .map(maps::read)
        .is_some_and(|known| known.server == flow.server && !is_idle(&known, flow.last))
}

#[inline(always)]
fn is_idle(flow: &PortalFlow, now: u64) -> bool {
    let longest = maps::SETTINGS
        .get(0)
        .map_or(0, |settings| settings.portal_idle);
    now.saturating_sub(flow.last) > longest
}
