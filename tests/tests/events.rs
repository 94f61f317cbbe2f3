//! What the controller is told of packets, through the real programs and their ring.

use std::net::IpAddr;

use anyhow::{Context, Result};
use enforcer::datapath::{Events, HostChange};
use enforcer_common::{
    counter::Hook,
    decide::{Reason, Verdict},
    event::{Event, Kind},
    host::{Address, FOREVER, Host, HostRow, Origin, SourceId},
    role::RoleId,
};
use enforcer_tests::{
    cpu,
    fixture::{self, HOST_MAC, OTHER_MAC, Tcp, v4, v6},
    gate::{Gate, host},
};

/// Binds a host to its MAC address.
fn bind(gate: &mut Gate, address: IpAddr) -> Result<()> {
    let row = HostRow {
        deadline: FOREVER,
        mac: HOST_MAC,
        role: RoleId::QUARANTINE,
        origin: Origin::of(SourceId::MANAGEMENT),
    };
    let change = HostChange::Set(host(address), row);
    Ok(gate.datapath.apply(&[change])?)
}

/// The only event that is there.
async fn the_event(events: &mut Events) -> Result<Event> {
    let mut found = Vec::new();
    events.read(&mut found, 16).await?;
    assert_eq!(found.len(), 1, "{found:?}");
    found.pop().context("no event")
}

#[tokio::test]
async fn a_stop_is_told_with_both_ends() -> Result<()> {
    let mut gate = Gate::new()?;
    let mut events = gate.datapath.take_events()?;
    for (hook, address, server) in [
        (Hook::Xdp, v4(10), v4(99)),
        (Hook::TcIngress, v6(10), v6(99)),
    ] {
        bind(&mut gate, address)?;
        let syn = fixture::tcp(
            (address, 40_000).into(),
            (server, 443).into(),
            Tcp::Syn,
            b"",
        );
        gate.run(hook, &syn)?;
        let event = the_event(&mut events).await?;
        assert_eq!(Host::from(event.host), host(address));
        assert_eq!(event.remote, Address::from(server).mapped());
        assert_eq!((event.host_port, event.remote_port), (40_000, 443));
        assert_eq!((event.protocol, event.mac, event.vlan), (6, HOST_MAC, 0));
        assert_eq!(event.kind, Kind::Stop as u8);
        assert_eq!(event.hook, hook as u8);
        assert_eq!(event.verdict, Verdict::Reject as u8);
        assert_eq!(event.reason, Reason::RoleDenies as u8);
        assert_eq!((event.role, event.monitored), (RoleId::QUARANTINE, 0));
        assert_eq!(event.count, 1);
    }
    Ok(())
}

/// ARP has no ports, no protocol and no other side: what the packet before had is not of it.
#[tokio::test]
async fn spoofed_arp_is_told_without_what_was_before() -> Result<()> {
    let mut gate = Gate::new()?;
    let mut events = gate.datapath.take_events()?;
    cpu::pin(cpu::all_of_this_process()?[0])?;
    for (hook, address) in [(Hook::Xdp, v4(10)), (Hook::TcIngress, v4(11))] {
        bind(&mut gate, address)?;
        let before = fixture::udp((v4(77), 4000).into(), (v4(1), 53).into(), b"query");
        gate.run(hook, &before)?;
        gate.run(hook, &fixture::arp(OTHER_MAC, address, v4(1)))?;
        let event = the_event(&mut events).await?;
        assert_eq!(event.kind, Kind::Spoof as u8);
        assert_eq!(event.reason, Reason::Spoofed as u8);
        assert_eq!(Host::from(event.host), host(address));
        assert_eq!(event.mac, HOST_MAC, "the frame's sender");
        assert_eq!(event.remote, Address::v4([0; 4]).mapped());
        let carried = (event.protocol, event.host_port, event.remote_port);
        assert_eq!(carried, (0, 0, 0));
    }
    Ok(())
}

/// An unknown host is asked about once, and then once a second at most.
#[tokio::test]
async fn an_unknown_host_is_asked_about_once() -> Result<()> {
    let mut gate = Gate::new()?;
    let mut events = gate.datapath.take_events()?;
    let syn = fixture::tcp((v4(10), 1).into(), (v4(99), 443).into(), Tcp::Syn, b"");
    for _ in 0..3 {
        gate.from_host(&syn)?;
    }
    let event = the_event(&mut events).await?;
    assert_eq!(event.kind, Kind::Unknown as u8);
    assert_eq!(Host::from(event.host), host(v4(10)));
    assert_eq!(event.verdict, Verdict::Pass as u8);
    Ok(())
}
