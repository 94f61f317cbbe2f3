//! Connections of hosts, taken from the kernel's connection tracking table.

use std::{
    net::{IpAddr, TcpStream, UdpSocket},
    thread,
};

use anyhow::{Context, Result};
use enforcer::conntrack::{ConntrackError, Forgotten, Whose, forget};
use enforcer_tests::{
    conntrack::{entries, masquerade},
    host::{ANSWERING, Host},
    lan::{GATEWAY, Lan, SERVER, SERVER_V6, at},
    servers::ECHO,
};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

const GATEWAY_V6: &str = "2001:db8:1::1";

/// Has a host open connections of all kinds, in both directions and with the gateway itself. What is handed out
/// holds them open.
fn talk(lan: &Lan, host: &Host) -> Result<Vec<TcpStream>> {
    let mut open = Vec::new();
    for server in [SERVER, SERVER_V6] {
        open.push(host.connect(at(server, ECHO))?);
        assert!(host.echoes(at(server, ECHO), ANSWERING), "{server}");
        assert!(host.pings(server), "{server}");
    }
    for gateway in [GATEWAY, GATEWAY_V6] {
        assert!(host.pings(gateway), "{gateway}");
    }
    for address in [host.v4, host.v6] {
        lan.behind.enter(|| {
            let any: IpAddr = if address.is_ipv4() { "0.0.0.0" } else { "::" }.parse()?;
            let socket = UdpSocket::bind((any, 0))?;
            socket.send_to(b"anybody there?", (address, 4000))?;
            anyhow::Ok(())
        })?;
    }
    Ok(open)
}

/// Connections of these hosts that do not end at the gateway.
fn of<const N: usize>(hosts: [IpAddr; N]) -> Whose {
    let own = [GATEWAY, GATEWAY_V6, "198.51.100.1", "2001:db8:2::1"];
    let own = own.map(|address| address.parse().expect("an address"));
    Whose {
        hosts: hosts.into(),
        own: own.into(),
    }
}

#[test]
fn all_connections_of_a_host_go_and_no_others() -> Result<()> {
    let lan = Lan::new()?;
    masquerade(&lan.gateway, "wan0")?;
    let (cut, other) = (&lan.laptop, &lan.desktop);
    let _open = [talk(&lan, cut)?, talk(&lan, other)?];
    let listed = |host: &Host| -> Result<Vec<String>> {
        let mut all = entries(&lan.gateway, host.v4)?;
        all.extend(entries(&lan.gateway, host.v6)?);
        Ok(all)
    };
    let (before, untouched) = (listed(cut)?, listed(other)?);
    // In each family: TCP, UDP and ping to the server, a ping to the gateway, and one from the server. Neighbours
    // of IPv6 are not tracked.
    assert_eq!(before.len(), 10, "{before:#?}");
    let done = lan.gateway.enter(|| forget(&of([cut.v4, cut.v6])))?;
    let expected = Forgotten {
        entries: 8,
        garbled: 0,
    };
    assert_eq!(done, expected, "{before:#?}");
    let left = listed(cut)?;
    let ends_here = |line: &String| line.contains(GATEWAY) || line.contains(GATEWAY_V6);
    assert!(left.len() == 2 && left.iter().all(ends_here), "{left:#?}");
    assert_eq!(listed(other)?.len(), untouched.len());
    Ok(())
}

/// Many more than one datagram of the kernel holds.
#[test]
fn a_long_table_is_read_to_its_end() -> Result<()> {
    const FLOWS: u16 = 3000;
    let lan = Lan::new()?;
    masquerade(&lan.gateway, "wan0")?;
    let host = &lan.laptop;
    host.namespace.enter(|| {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        for port in 10_000..10_000 + FLOWS {
            socket.send_to(b"anybody there?", (SERVER, port))?;
        }
        anyhow::Ok(())
    })?;
    let before = entries(&lan.gateway, host.v4)?.len();
    assert!(before > usize::from(FLOWS) / 2, "{before}");
    let done = lan.gateway.enter(|| forget(&of([host.v4])))?;
    assert_eq!(usize::try_from(done.entries)?, before);
    assert!(entries(&lan.gateway, host.v4)?.is_empty());
    Ok(())
}

#[test]
fn a_kernel_without_the_table_is_told_from_a_failure() -> Result<()> {
    let hidden = thread::spawn(|| -> Result<_> {
        unshare(CloneFlags::CLONE_NEWNS).context("these tests need root")?;
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        let tables = "/proc/sys/net/netfilter";
        mount(Some("none"), tables, Some("tmpfs"), MsFlags::empty(), none)?;
        let host: IpAddr = "192.0.2.11".parse()?;
        Ok(forget(&of([host])))
    });
    let done = hidden.join().expect("no panic")?;
    assert!(matches!(done, Err(ConntrackError::Absent)), "{done:?}");
    Ok(())
}
