//! Endpoints that change their addresses.

use std::net::IpAddr;

use enforcer_tests::{
    gateway::Gateway,
    host::Host,
    lan::{SERVER, SERVER_V6, at},
    posture::Posture,
    servers::{ECHO, HTTP, HTTPS},
    site::Site,
    wait,
};

use crate::scene::ip;

/// Waits until the endpoint is at these addresses, and at once is not at those any more.
#[track_caller]
fn is_at(gateway: &Gateway<'_>, now: &[IpAddr], before: &[IpAddr]) {
    for address in now {
        wait::until_so(format!("{address} is decided"), || {
            gateway.role(*address) == "authorized"
        });
    }
    for address in before {
        let role = gateway.role(*address);
        assert!(matches!(role.as_str(), "" | "unknown"), "{address}: {role}");
    }
}

/// Somebody else takes an address that an endpoint has left.
fn takes(gateway: &Gateway<'_>, other: &Host, address: IpAddr, server: &str) -> anyhow::Result<()> {
    let length = if address.is_ipv4() { "24" } else { "64 nodad" };
    let (length, nodad) = length.split_once(' ').unwrap_or((length, ""));
    let line = format!("addr add {address}/{length} dev eth0 {nodad}");
    ip(&other.namespace, line.trim())?;
    wait::until_so(format!("{address} is unknown"), || {
        // One host is asked about once a second.
        assert!(!other.echoes_from(address, at(server, ECHO)));
        gateway.role(address) == "unknown"
    });
    assert!(!other.get_from(address, at(server, HTTPS)).is_page());
    Ok(())
}

#[test]
fn a_new_address_is_decided_and_the_old_one_withdrawn() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (host, other) = (&site.lan.laptop, &site.lan.desktop);
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));

    // A new lease.
    let moved: IpAddr = "192.0.2.41".parse()?;
    for line in [
        "addr flush dev eth0 scope global",
        "addr add 192.0.2.41/24 dev eth0",
        "addr add 2001:db8:1::11/64 dev eth0 nodad",
        "route replace 0.0.0.0/0 via 192.0.2.1",
        "route replace ::/0 via 2001:db8:1::1",
    ] {
        ip(&host.namespace, line)?;
    }
    assert!(!host.echoes_from(moved, at(SERVER, ECHO)), "not yet");
    let role = site.report(host, &Posture::good("laptop").at(&[moved]))?;
    assert_eq!(role, "authorized");
    is_at(&gateway, &[moved], &[host.v4]);
    assert!(host.get_from(moved, at(SERVER, HTTP)).is_page());
    takes(&gateway, other, host.v4, SERVER)
}

#[test]
fn a_privacy_address_follows_the_endpoint_and_ends_with_it() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (host, other) = (&site.lan.laptop, &site.lan.desktop);
    let addresses = [
        "2001:db8:1:0:1c4e:37aa:52d1:e08f",
        "2001:db8:1:0:5d02:9b1c:77e3:1a40",
    ];
    let [first, second] = addresses.map(|text| text.parse::<IpAddr>().expect("an address"));
    let add = |address| {
        let line = format!("addr add {address}/64 dev eth0 nodad");
        ip(&host.namespace, &line)
    };
    add(first)?;
    site.report(
        host,
        &Posture::good("laptop").claiming(host.v6).claiming(first),
    )?;
    host.echoes_from(first, at(SERVER_V6, ECHO));
    is_at(&gateway, &[first], &[]);

    add(second)?;
    ip(&host.namespace, &format!("addr del {first}/64 dev eth0"))?;
    site.report(
        host,
        &Posture::good("laptop").claiming(host.v6).claiming(second),
    )?;
    host.echoes_from(second, at(SERVER_V6, ECHO));
    is_at(&gateway, &[second], &[first]);
    assert!(host.get_from(second, at(SERVER_V6, HTTP)).is_page());
    takes(&gateway, other, first, SERVER_V6)
}
