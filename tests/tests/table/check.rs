//! What the programs make of a packet that they change.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, bail, ensure};
use enforcer_common::{
    decide::{Direction, HTTP, Verdict},
    host::Family,
    packet::{Frame, Packet, Part, Transport, parse},
};
use enforcer_tests::{
    gate::PORTAL,
    reply::{Error, Link, Reply, checksum},
    table::{HOST_PORT, Known, Place, Row},
};

/// The packet in a frame that was let in.
fn packet_of(frame: &[u8]) -> Result<Packet> {
    match parse(frame) {
        Ok(Frame::Ip(packet)) => Ok(packet),
        other => bail!("no packet: {other:?}"),
    }
}

/// Both ends of a packet; port 0 where it has none.
fn ends(packet: &Packet) -> (SocketAddr, SocketAddr) {
    let (source, destination) = packet
        .ports()
        .map_or((0, 0), |ports| (ports.source, ports.destination));
    (
        SocketAddr::new(packet.source.into(), source),
        SocketAddr::new(packet.destination.into(), destination),
    )
}

/// Checks what is left of a packet after what the row says was done. Lengths and checksums are checked by the
/// independent library.
pub fn check_what_is_left(row: &Row, at: &Place, packet: &[u8], left: &[u8]) -> Result<()> {
    let from_portal =
        row.known == Known::OnPortal && row.reason == enforcer_common::decide::Reason::OwnService;
    match row.done {
        Verdict::Pass if from_portal && row.way == Direction::ToHost => {
            let me = SocketAddr::new(at.host, HOST_PORT);
            check_rewriting(packet, left, (SocketAddr::new(at.server, HTTP), me))
        }
        Verdict::Pass | Verdict::Drop => {
            ensure!(left == packet, "changed to {left:x?}");
            Ok(())
        }
        Verdict::Redirect => {
            let (me, _) = ends(&packet_of(packet)?);
            check_rewriting(packet, left, (me, SocketAddr::new(at.gateway, PORTAL)))
        }
        Verdict::Reject => {
            let sent = packet_of(packet)?;
            if let Transport::Tcp(..) = sent.transport_header() {
                check_reset(packet, &sent, left)
            } else {
                check_error(packet, left, at.gateway)
            }
        }
        Verdict::Close => {
            let sent = packet_of(packet)?;
            let reset = Reply::parse(left)?;
            ensure!((reset.from, reset.to) == ends(&sent), "turned around");
            ensure!(reset.link == Link::of(packet)?, "another link header");
            ensure!(reset.tcp.rst && reset.carried == 0, "no reset");
            let sequence = &packet[sent.transport + 4..sent.transport + 8];
            ensure!(
                reset.tcp.sequence_number.to_be_bytes() == *sequence,
                "another sequence number"
            );
            Ok(())
        }
    }
}

/// A packet that has other ends now, and is otherwise as it was.
fn check_rewriting(packet: &[u8], left: &[u8], expected: (SocketAddr, SocketAddr)) -> Result<()> {
    ensure!(left.len() == packet.len(), "another length");
    ensure!(Link::of(left)? == Link::of(packet)?, "another link header");
    let (before, after) = (packet_of(packet)?, packet_of(left)?);
    let expected = if after.part == Part::Later {
        let nowhere = |end: SocketAddr| SocketAddr::new(end.ip(), 0);
        (nowhere(expected.0), nowhere(expected.1))
    } else {
        expected
    };
    ensure!(ends(&after) == expected, "{:?}", ends(&after));
    if after.part == Part::Whole {
        Reply::parse(left)?;
    }
    if after.source.family() == Family::V4 {
        let header = &left[after.network..after.transport];
        ensure!(checksum(header) == 0, "IP checksum");
    }
    // The sum over a whole packet is right when that over each of its fragments is what it was.
    if after.part != Part::Later {
        ensure!(sum_of(packet, &before) == sum_of(left, &after), "TCP sum");
    }
    ensure!(
        packet[before.transport + 20..] == left[after.transport + 20..],
        "other data"
    );
    Ok(())
}

/// The sum over a segment and the addresses in its pseudo header.
fn sum_of(frame: &[u8], packet: &Packet) -> u16 {
    let addresses = [packet.source.mapped(), packet.destination.mapped()].concat();
    checksum(&[&addresses[..], &frame[packet.transport..packet.end]].concat())
}

/// The reset that answers a segment.
fn check_reset(packet: &[u8], sent: &Packet, left: &[u8]) -> Result<()> {
    let reply = Reply::parse(left)?;
    let (from, to) = ends(sent);
    ensure!((reply.from, reply.to) == (to, from), "not turned around");
    let link = Link::of(packet)?.turned_around();
    ensure!(reply.link == link, "{:?}", reply.link);
    ensure!(reply.tcp.rst && reply.carried == 0, "no reset");
    let was_reset = packet[sent.transport + 13] & 4 != 0;
    ensure!(!was_reset, "a reset for a reset");
    Ok(())
}

/// The ICMP error of the gateway that answers a packet.
fn check_error(packet: &[u8], left: &[u8], gateway: IpAddr) -> Result<()> {
    let error = Error::parse(left)?;
    ensure!(error.from == gateway, "from {}", error.from);
    error.check_that_it_answers(packet)
}
