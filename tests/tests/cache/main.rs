//! The verdict cache never outlives a change: once a change is applied, no packet on any CPU is judged
//! by what held before.

mod collision;
mod concurrent;
mod interleaved;

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, ensure};
use enforcer_common::{decide::Direction, host::Host};
use enforcer_tests::{
    cpu, fixture,
    gate::{Gate, code, hooks, host},
};

const WAYS: [Direction; 2] = [Direction::FromHost, Direction::ToHost];

/// A datagram of this host, which passes or not by its role alone.
fn datagram(address: IpAddr, way: Direction) -> Vec<u8> {
    let server = if address.is_ipv4() {
        fixture::v4(99)
    } else {
        fixture::v6(99)
    };
    let (host, server): (SocketAddr, SocketAddr) = ((address, 9).into(), (server, 9).into());
    match way {
        Direction::FromHost => fixture::udp(host, server, b"data"),
        Direction::ToHost => fixture::udp(server, host, b"data"),
    }
}

/// Sends a packet each way on every CPU and compares with what the tables say now.
fn check(gate: &Gate, hosts: &[IpAddr]) -> Result<()> {
    for cpu in cpu::all_of_this_process()? {
        cpu::pin(cpu)?;
        for address in hosts {
            for way in WAYS {
                one(gate, *address, way, cpu)?;
            }
        }
    }
    Ok(())
}

fn one(gate: &Gate, address: IpAddr, way: Direction, cpu: usize) -> Result<()> {
    let packet = datagram(address, way);
    let expected = |now| -> Result<u32> {
        let judged = gate.judge(way, &packet, now)?.judgement;
        Ok(code(hooks(way)[0], judged.verdict, judged.monitored))
    };
    let clock = gate.datapath.clock();
    let before = expected(clock.now()?)?;
    let found = gate.run(hooks(way)[0], &packet)?.code;
    // Between the two readings a deadline may have passed; then either is right.
    let after = expected(clock.now()?)?;
    ensure!(
        found == before || found == after,
        "{address} {way:?} on CPU {cpu}: code {found}, but the tables say {before}"
    );
    Ok(())
}

/// Two hosts that are alike in something, as is the case for few.
fn alike(family: fn(u32) -> IpAddr, what: fn(&Host) -> u32) -> [IpAddr; 2] {
    let mut seen = std::collections::HashMap::new();
    for number in 0.. {
        let address = family(number);
        if let Some(other) = seen.insert(what(&host(address)), address) {
            return [other, address];
        }
    }
    unreachable!("there are more hosts than slots")
}

fn v4(number: u32) -> IpAddr {
    std::net::Ipv4Addr::from_bits(0x0a00_0000 | number).into()
}

fn v6(number: u32) -> IpAddr {
    let base = 0x2001_0db8_0009_0000_0000_0000_0000_0000_u128;
    std::net::Ipv6Addr::from_bits(base | u128::from(number.wrapping_mul(2_654_435_761))).into()
}
