//! The way to the portal and back: HTTP of a stopped host is rewritten to the gateway's own portal,
//! and the replies are rewritten so that they seem to come from where the host connected to.

use aya_ebpf::{
    bindings::BPF_F_PSEUDO_HDR,
    programs::{TcContext, XdpContext},
};
use enforcer_common::{
    checksum,
    decide::{HTTP, Verdict},
    host::{Address, Family},
    packet::{Packet, Ports, Transport},
    settings::InterfaceRow,
};

use crate::{
    Seen,
    cursor::Cursor,
    maps::{self, PORTAL_FLOWS, PortalFlow, PortalKey},
};

/// Offset of the checksum in a TCP header.
const TCP_CHECKSUM: usize = 16;

/// Rewrites a segment to port 80 so that the portal gets it. A flow that was not opened to the portal
/// cannot go on there: it is rejected.
#[inline(never)]
pub fn redirect(context: &XdpContext, seen: &Seen, interface: &InterfaceRow) -> Verdict {
    let Seen { host, packet, .. } = seen;
    let Transport::Tcp(ports, _) = packet.transport_header() else {
        return Verdict::Drop;
    };
    let key = PortalKey {
        host: host.key(),
        port: u32::from(ports.source),
    };
    let flow = PortalFlow {
        server: packet.destination.mapped(),
    };
    if !has_portal(&packet.destination, interface) {
        return Verdict::Reject;
    }
    if packet.is_bare_syn() {
        if PORTAL_FLOWS.insert(key, flow, 0).is_err() {
            return Verdict::Drop;
        }
    } else if known(&key) != Some(flow) {
        return Verdict::Reject;
    }
    let mut cursor = Cursor::xdp(context);
    let written = to_portal(&mut cursor, packet, interface);
    if written.is_some() {
        Verdict::Redirect
    } else {
        Verdict::Drop
    }
}

/// A host that opens a flow to the portal itself gets the portal's own address in the replies, also
/// when the same port was redirected before.
#[inline(always)]
pub fn forget_direct(seen: &Seen, interface: &InterfaceRow) {
    let Seen { host, packet, .. } = seen;
    let Transport::Tcp(ports, _) = packet.transport_header() else {
        return;
    };
    if ports.destination == interface.portal_port && packet.is_bare_syn() {
        let _ = PORTAL_FLOWS.remove(PortalKey {
            host: host.key(),
            port: u32::from(ports.source),
        });
    }
}

/// Gives a reply of the portal the address that the host connected to.
#[inline(always)]
pub fn restore(context: &mut TcContext, seen: &Seen, interface: &InterfaceRow) {
    let Seen { host, packet, .. } = seen;
    let Transport::Tcp(
        Ports {
            source,
            destination,
        },
        _,
    ) = packet.transport_header()
    else {
        return;
    };
    if source != interface.portal_port || !has_portal(&packet.source, interface) {
        return;
    }
    let Some(flow) = known(&PortalKey {
        host: host.key(),
        port: u32::from(destination),
    }) else {
        return;
    };
    // A reply that could not be rewritten whole is of no use to the host, and does no harm.
    let server = Address::from_mapped(flow.server);
    let _ = match packet.source.family() {
        Family::V4 => from_v4(
            context,
            packet,
            packet.source.last_bytes(),
            server.last_bytes(),
        ),
        Family::V6 => from_v6(context, packet, &packet.source.mapped(), &server.mapped()),
    };
}

#[inline(always)]
fn has_portal(address: &Address, interface: &InterfaceRow) -> bool {
    interface.portal_port != 0
        && match address.family() {
            Family::V4 => interface.has_v4 != 0,
            Family::V6 => interface.has_v6 != 0,
        }
}

#[inline(always)]
fn known(key: &PortalKey) -> Option<PortalFlow> {
    PORTAL_FLOWS.get_ptr(key).map(maps::read)
}

#[inline(always)]
fn to_portal(cursor: &mut Cursor, packet: &Packet, interface: &InterfaceRow) -> Option<()> {
    let server = packet.destination;
    let portal = match server.family() {
        Family::V4 => {
            let portal = Address::v4(interface.portal_v4);
            let ip = cursor.header_mut::<20>(packet.network)?;
            let old = u16::from_be_bytes([ip[10], ip[11]]);
            let new = checksum::replaced_address(old, &server, &portal);
            ip[10..12].copy_from_slice(&new.to_be_bytes());
            ip[16..20].copy_from_slice(&interface.portal_v4);
            portal
        }
        Family::V6 => {
            let ip = cursor.header_mut::<40>(packet.network)?;
            ip[24..40].copy_from_slice(&interface.portal_v6);
            Address::v6(interface.portal_v6)
        }
    };
    let tcp = cursor.header_mut::<20>(packet.transport)?;
    let old = u16::from_be_bytes([tcp[TCP_CHECKSUM], tcp[TCP_CHECKSUM + 1]]);
    let new = checksum::replaced_address(old, &server, &portal);
    let new = checksum::replaced_word(new, HTTP, interface.portal_port);
    tcp[2..4].copy_from_slice(&interface.portal_port.to_be_bytes());
    tcp[TCP_CHECKSUM..TCP_CHECKSUM + 2].copy_from_slice(&new.to_be_bytes());
    Some(())
}

/// The helpers know of checksums that hardware is still to complete, which direct writes would break.
#[inline(always)]
fn from_v4(
    context: &mut TcContext,
    packet: &Packet,
    old: [u8; 4],
    new: [u8; 4],
) -> Result<(), i64> {
    let (old_word, new_word) = (word(old), word(new));
    let checksum = packet.transport + TCP_CHECKSUM;
    let pseudo = u64::from(BPF_F_PSEUDO_HDR) | 4;
    context.l4_csum_replace(checksum, old_word, new_word, pseudo)?;
    context.l3_csum_replace(packet.network + 10, old_word, new_word, 4)?;
    context.store(packet.network + 12, &new, 0)?;
    from_port(context, packet)
}

#[inline(always)]
fn from_v6(
    context: &mut TcContext,
    packet: &Packet,
    old: &[u8; 16],
    new: &[u8; 16],
) -> Result<(), i64> {
    let checksum = packet.transport + TCP_CHECKSUM;
    let pseudo = u64::from(BPF_F_PSEUDO_HDR) | 4;
    for at in [0, 4, 8, 12] {
        let (old, new) = (word4(old, at), word4(new, at));
        context.l4_csum_replace(checksum, old, new, pseudo)?;
    }
    context.store(packet.network + 8, new, 0)?;
    from_port(context, packet)
}

#[inline(always)]
fn from_port(context: &mut TcContext, packet: &Packet) -> Result<(), i64> {
    let Some(ports) = packet.ports() else {
        return Ok(());
    };
    let (old, new) = (ports.source.to_be_bytes(), HTTP.to_be_bytes());
    let checksum = packet.transport + TCP_CHECKSUM;
    let word = |bytes| u64::from(u16::from_ne_bytes(bytes));
    context.l4_csum_replace(checksum, word(old), word(new), 2)?;
    context.store(packet.transport, &new, 0)
}

/// A word as it lies in the packet, which is what the helpers take.
#[inline(always)]
fn word(bytes: [u8; 4]) -> u64 {
    u64::from(u32::from_ne_bytes(bytes))
}

#[inline(always)]
fn word4(bytes: &[u8; 16], at: usize) -> u64 {
    word([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
