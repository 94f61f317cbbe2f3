//! What the programs send and rewrite, byte by byte: link header, IP header, and what it carries.

use std::net::IpAddr;

use anyhow::{Result, ensure};
use enforcer::datapath::HostChange;
use enforcer_common::{
    counter::Hook,
    host::{FOREVER, HostRow, Origin, SourceId},
    role::RoleId,
};
use enforcer_tests::{
    fixture::{self, GATEWAY_MAC, HOST_MAC, Tcp, v4, v6},
    gate::{Gate, PORTAL, host},
};

const INGRESS: [Hook; 2] = [Hook::Xdp, Hook::TcIngress];

/// The bytes that these digits stand for.
fn bytes(lines: &[&str]) -> Vec<u8> {
    let digits: Vec<u8> = lines.concat().bytes().filter(|c| *c != b' ').collect();
    digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal digits")
        })
        .collect()
}

/// Runs a packet, of which exactly this must be left.
fn leaves(gate: &Gate, hook: Hook, packet: &[u8], expected: &[&str]) -> Result<()> {
    let (left, expected) = (gate.run(hook, packet)?.packet, bytes(expected));
    ensure!(
        left == expected,
        "{hook:?}: {left:02x?}, not {expected:02x?}"
    );
    Ok(())
}

/// Runs a packet, of which so many bytes must be left, and first of all these.
fn begins(gate: &Gate, hook: Hook, packet: &[u8], length: usize, expected: &[&str]) -> Result<()> {
    let (left, expected) = (gate.run(hook, packet)?.packet, bytes(expected));
    ensure!(
        left.len() == length && left.starts_with(&expected),
        "{hook:?}: {left:02x?}, not {length} bytes that begin with {expected:02x?}"
    );
    Ok(())
}

/// A gate where the host at 10 is quarantined, for long or only just.
fn quarantined(closing: bool) -> Result<Gate> {
    let mut gate = Gate::new()?;
    for address in [v4(10), v6(10)] {
        let origin = Origin::of(SourceId::MANAGEMENT);
        let row = HostRow {
            deadline: FOREVER,
            mac: [0; 6],
            role: RoleId::QUARANTINE,
            origin: if closing { origin.closing() } else { origin },
        };
        gate.datapath
            .apply(&[HostChange::Set(host(address), row)])?;
    }
    Ok(gate)
}

/// A segment of the host at 10 to the server at 99.
fn out(last: fn(u8) -> IpAddr, port: u16, kind: Tcp) -> Vec<u8> {
    let payload: &[u8] = if kind == Tcp::Data { b"data" } else { b"" };
    fixture::tcp(
        (last(10), 40_000).into(),
        (last(99), port).into(),
        kind,
        payload,
    )
}

/// A segment to the host, as the gateway sends it.
fn back(from: IpAddr, port: u16, to: IpAddr, kind: Tcp) -> Vec<u8> {
    let mut frame = fixture::tcp((from, port).into(), (to, 40_000).into(), kind, b"");
    frame[..6].copy_from_slice(&HOST_MAC);
    frame[6..12].copy_from_slice(&GATEWAY_MAC);
    frame
}

fn six(last: u8) -> IpAddr {
    v6(last.into())
}

fn in_vlan_7(mut frame: Vec<u8>) -> Vec<u8> {
    frame.splice(12..12, [0x81, 0, 0, 7]);
    frame
}

fn a_reset_for_a_syn(gate: &Gate, hook: Hook) -> Result<()> {
    let syn = out(v4, 443, Tcp::Syn);
    let reset = [
        "020000000010 020000000001 0800",
        "45 00 0028 0000 4000 40 06 b662 c0000263 c000020a",
        "01bb 9c40 00000000 000f4241 50 14 0000 4b17 0000",
    ];
    leaves(gate, hook, &syn, &reset)
}

fn a_reset_for_a_syn_in_a_vlan(gate: &Gate, hook: Hook) -> Result<()> {
    let syn = in_vlan_7(out(six, 443, Tcp::Syn));
    let reset = [
        "020000000010 020000000001 8100 0007 86dd",
        "60000000 0014 06 40",
        "20010db8 00000000 00000000 00000063 20010db8 00000000 00000000 0000000a",
        "01bb 9c40 00000000 000f4241 50 14 0000 73a6 0000",
    ];
    leaves(gate, hook, &syn, &reset)
}

fn a_reset_for_data(gate: &Gate, hook: Hook) -> Result<()> {
    let data = in_vlan_7(in_vlan_7(out(v4, 443, Tcp::Data)));
    let reset = [
        "020000000010 020000000001 8100 0007 8100 0007 0800",
        "45 00 0028 0000 4000 40 06 b662 c0000263 c000020a",
        "01bb 9c40 001e8480 00000000 50 04 0000 08d9 0000",
    ];
    leaves(gate, hook, &data, &reset)?;
    let data = out(six, 443, Tcp::Data);
    let reset = [
        "020000000010 020000000001 86dd",
        "60000000 0014 06 40",
        "20010db8 00000000 00000000 00000063 20010db8 00000000 00000000 0000000a",
        "01bb 9c40 001e8480 00000000 50 04 0000 3168 0000",
    ];
    leaves(gate, hook, &data, &reset)
}

fn an_icmp_error_for_a_short_datagram(gate: &Gate, hook: Hook) -> Result<()> {
    let asks = |last: fn(u8) -> IpAddr| {
        fixture::udp(
            (last(10), 40_000).into(),
            (last(99), 53).into(),
            b"question",
        )
    };
    let error = [
        "020000000010 020000000001 0800",
        "45 00 0040 0000 4000 40 01 b6b1 c0000201 c000020a",
        "03 0d 8182 00000000",
        "45 00 0024 0000 4000 40 11 b65b c000020a c0000263",
        "9c40 0035 0010 242a 7175657374696f6e",
    ];
    leaves(gate, hook, &asks(v4), &error)?;
    let error = [
        "020000000010 020000000001 8100 0007 86dd",
        "60000000 0040 3a 40",
        "20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 0000000a",
        "01 01 31d8 00000000",
        "60000000 0010 11 40",
        "20010db8 00000000 00000000 0000000a 20010db8 00000000 00000000 00000063",
        "9c40 0035 0010 4cb9 7175657374696f6e",
    ];
    leaves(gate, hook, &in_vlan_7(asks(six)), &error)
}

fn an_icmp_error_for_a_long_datagram(gate: &Gate, hook: Hook) -> Result<()> {
    let payload: Vec<u8> = (0..=u8::MAX).cycle().take(1400).collect();
    let asks = |last: fn(u8) -> IpAddr| {
        fixture::udp((last(10), 40_000).into(), (last(99), 53).into(), &payload)
    };
    let error = [
        "020000000010 020000000001 8100 0007 0800",
        "45 00 0240 0000 4000 40 01 b4b1 c0000201 c000020a",
        "03 0d 9dbf 00000000",
        "45 00 0594 0000 4000 40 11 b0eb c000020a c0000263",
        "9c40 0035 0580 30ae 000102030405060708090a0b0c0d0e0f",
    ];
    begins(gate, hook, &in_vlan_7(asks(v4)), 18 + 576, &error)?;
    let error = [
        "020000000010 020000000001 86dd",
        "60000000 04d8 3a 40",
        "20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 0000000a",
        "01 01 0685 00000000",
        "60000000 0580 11 40",
        "20010db8 00000000 00000000 0000000a 20010db8 00000000 00000000 00000063",
        "9c40 0035 0580 593d 0001020304050607",
    ];
    begins(gate, hook, &asks(six), 14 + 1280, &error)
}

/// The far end is told in the host's name, and the frame goes back to where it came from.
fn a_reset_for_the_far_end(gate: &Gate, hook: Hook) -> Result<()> {
    let data = back(v4(99), 443, v4(10), Tcp::Ack);
    let reset = [
        "020000000001 020000000010 0800",
        "45 00 0028 0000 4000 40 06 b662 c000020a c0000263",
        "9c40 01bb 001e8480 00000000 50 04 0000 08d9 0000",
    ];
    leaves(gate, hook, &data, &reset)?;
    let data = in_vlan_7(back(v6(99), 443, v6(10), Tcp::Ack));
    let reset = [
        "020000000001 020000000010 8100 0007 86dd",
        "60000000 0014 06 40",
        "20010db8 00000000 00000000 0000000a 20010db8 00000000 00000000 00000063",
        "9c40 01bb 001e8480 00000000 50 04 0000 3168 0000",
    ];
    leaves(gate, hook, &data, &reset)
}

/// A segment becomes the reset that takes its way.
fn a_reset_in_place_of_data(gate: &Gate, hook: Hook) -> Result<()> {
    let data = in_vlan_7(out(v4, 443, Tcp::Data));
    let reset = [
        "020000000001 020000000010 8100 0007 0800",
        "45 00 0028 0000 4000 40 06 b662 c000020a c0000263",
        "9c40 01bb 000f4240 001e8480 50 14 0000 c679 0000",
    ];
    leaves(gate, hook, &data, &reset)?;
    let data = out(six, 443, Tcp::Data);
    let reset = [
        "020000000001 020000000010 86dd",
        "60000000 0014 06 40",
        "20010db8 00000000 00000000 0000000a 20010db8 00000000 00000000 00000063",
        "9c40 01bb 000f4240 001e8480 50 14 0000 ef08 0000",
    ];
    leaves(gate, hook, &data, &reset)
}

fn the_way_to_the_portal(gate: &Gate, hook: Hook) -> Result<()> {
    let syn = in_vlan_7(out(v4, 80, Tcp::Syn));
    let redirected = [
        "020000000001 020000000010 8100 0007 0800",
        "45 00 0028 0000 4000 40 06 b6c4 c000020a c0000201",
        "9c40 2120 000f4240 00000000 50 02 fa00 3226 0000",
    ];
    leaves(gate, hook, &syn, &redirected)?;
    let syn = out(six, 80, Tcp::Syn);
    let redirected = [
        "020000000001 020000000010 86dd",
        "60000000 0014 06 40",
        "20010db8 00000000 00000000 0000000a 20010db8 00000000 00000000 00000001",
        "9c40 2120 000f4240 00000000 50 02 fa00 5ab5 0000",
    ];
    leaves(gate, hook, &syn, &redirected)
}

#[test]
fn stopped_hosts_are_told() -> Result<()> {
    for hook in INGRESS {
        let gate = quarantined(false)?;
        a_reset_for_a_syn(&gate, hook)?;
        a_reset_for_a_syn_in_a_vlan(&gate, hook)?;
        a_reset_for_data(&gate, hook)?;
        an_icmp_error_for_a_short_datagram(&gate, hook)?;
        an_icmp_error_for_a_long_datagram(&gate, hook)?;
        the_way_to_the_portal(&gate, hook)?;
    }
    Ok(())
}

#[test]
fn far_ends_are_told() -> Result<()> {
    a_reset_for_the_far_end(&quarantined(true)?, Hook::TcEgress)?;
    for hook in INGRESS {
        a_reset_in_place_of_data(&quarantined(true)?, hook)?;
    }
    Ok(())
}

#[test]
fn the_way_back_from_the_portal() -> Result<()> {
    let gate = quarantined(false)?;
    gate.from_host(&out(v4, 80, Tcp::Syn))?;
    gate.from_host(&out(six, 80, Tcp::Syn))?;
    let accepts = in_vlan_7(back(v4(1), PORTAL, v4(10), Tcp::SynAck));
    let restored = [
        "020000000010 020000000001 8100 0007 0800",
        "45 00 0028 0000 4000 40 06 b662 c0000263 c000020a",
        "0050 9c40 000f4240 001e8480 50 12 fa00 cde5 0000",
    ];
    assert_eq!(gate.to_host(&accepts)?.packet, bytes(&restored));
    let accepts = back(v6(1), PORTAL, v6(10), Tcp::SynAck);
    let restored = [
        "020000000010 020000000001 86dd",
        "60000000 0014 06 40",
        "20010db8 00000000 00000000 00000063 20010db8 00000000 00000000 0000000a",
        "0050 9c40 000f4240 001e8480 50 12 fa00 f674 0000",
    ];
    assert_eq!(gate.to_host(&accepts)?.packet, bytes(&restored));
    Ok(())
}
