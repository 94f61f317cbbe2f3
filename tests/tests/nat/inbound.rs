//! Ports of the gateway that are forwarded to a host: it is judged by its own address.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use enforcer_tests::{
    conntrack::rules,
    host::{ANSWERING, Host, SILENCE, get},
    lan::at,
    posture::Posture,
    servers::Servers,
    site::Site,
    wait,
};

use crate::scene::OUTSIDE;

/// Pages and echoes of the laptop, forwarded on both address families.
const FORWARDS: &str = "add table inet inbound
    add chain inet inbound in { type nat hook prerouting priority dstnat ; }
    add rule inet inbound in iifname wan0 ip daddr 198.51.100.1 tcp dport 8080 dnat ip to 192.0.2.11:80
    add rule inet inbound in iifname wan0 ip daddr 198.51.100.1 tcp dport 8007 dnat ip to 192.0.2.11:7
    add rule inet inbound in iifname wan0 ip6 daddr 2001:db8:2::1 tcp dport 8080 dnat ip6 to [2001:db8:1::11]:80
    add rule inet inbound in iifname wan0 ip6 daddr 2001:db8:2::1 tcp dport 8007 dnat ip6 to [2001:db8:1::11]:7";

/// Whether those outside see the host's page.
fn is_seen(site: &Site) -> [bool; 2] {
    OUTSIDE.map(|address| {
        let page = at(address, 8080);
        let answer = site.lan.behind.enter(|| get(page, "/", SILENCE));
        answer.is_page()
    })
}

/// A connection from outside to the host's echo.
fn connect(site: &Site, to: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = site
        .lan
        .behind
        .enter(|| TcpStream::connect_timeout(&to, ANSWERING))?;
    stream.set_read_timeout(Some(ANSWERING))?;
    Ok(stream)
}

/// Whether something that is said there comes back.
fn echoes(stream: &mut TcpStream) -> bool {
    stream.write_all(b"hello").is_ok() && stream.read_exact(&mut [0; 5]).is_ok()
}

fn report(site: &Site, host: &Host, posture: Posture, role: &str) -> anyhow::Result<()> {
    let given = site.report(host, &posture.claiming(host.v6))?;
    assert_eq!(given, role);
    Ok(())
}

#[test]
fn a_host_behind_forwarded_ports_is_judged_by_its_own_address() -> anyhow::Result<()> {
    let site = Site::new()?;
    rules(&site.lan.gateway, FORWARDS)?;
    let host = &site.lan.laptop;
    let _servers = Servers::start(&host.namespace)?;
    let gateway = site.start()?;
    assert_eq!(is_seen(&site), [false; 2], "while it is unknown");

    report(&site, host, Posture::good("laptop"), "authorized")?;
    wait::until_so("it is seen from outside", || is_seen(&site) == [true; 2]);
    let mut open = Vec::new();
    for address in OUTSIDE {
        open.push(connect(&site, at(address, 8007))?);
    }
    assert!(open.iter_mut().all(echoes));

    let stopped = || gateway.packets("tc_egress", "reject", "role_denies");
    let before = stopped();
    report(&site, host, Posture::bad("laptop"), "quarantine")?;
    wait::until_so("both addresses are in quarantine", || {
        [host.v4, host.v6]
            .iter()
            .all(|address| gateway.role(*address) == "quarantine")
    });
    assert!(!open.iter_mut().any(echoes), "connections from before");
    assert_eq!(is_seen(&site), [false; 2], "new connections");
    assert!(stopped() > before, "{} {}", stopped(), before);
    // Nothing is decided of the address that is forwarded.
    for address in OUTSIDE {
        assert_eq!(gateway.host(address.parse()?), None, "{address}");
    }

    report(&site, host, Posture::good("laptop"), "authorized")?;
    wait::until_so("it is seen again", || is_seen(&site) == [true; 2]);
    Ok(())
}
