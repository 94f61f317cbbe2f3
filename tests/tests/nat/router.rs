//! A router between hosts and gateway that translates: its endpoints share its address.

use std::net::{IpAddr, SocketAddr};

use enforcer_tests::{
    config::Config,
    conntrack::masquerade,
    gateway::Gateway,
    host::Host,
    lan::{GATEWAY, GATEWAY_V6, at},
    namespace::{Namespace, output},
    posture::Posture,
    site::Site,
    wait,
};

use crate::scene::{gets_out, ip, passes, place};

/// Two phones behind a router that is a host of the gateway.
struct Household {
    /// Removed with what is in it.
    _router: Namespace,
    phones: [Host; 2],
    /// The router's addresses.
    shared: [IpAddr; 2],
}

impl Household {
    fn new(site: &Site) -> anyhow::Result<Self> {
        let router = place(site, "router")?;
        let switch = &site.lan.switch;
        let cable = format!(
            "link add router type veth peer name eth0 netns {}",
            router.name()
        );
        ip(switch, &cable)?;
        ip(switch, "link set router master lan up")?;
        router.set(&[("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")])?;
        for line in [
            "link set eth0 address 02:00:00:00:00:14 up",
            "addr add 192.0.2.14/24 dev eth0",
            "addr add 2001:db8:1::14/64 dev eth0 nodad",
            "route add 0.0.0.0/0 via 192.0.2.1",
            "route add ::/0 via 2001:db8:1::1",
        ] {
            ip(&router, line)?;
        }
        masquerade(&router, "eth0")?;
        let phones = [phone(site, &router, 1)?, phone(site, &router, 2)?];
        Ok(Self {
            _router: router,
            phones,
            shared: ["192.0.2.14".parse()?, "2001:db8:1::14".parse()?],
        })
    }

    /// Has both report over the family of this end of the server; the second one as it is told.
    fn report(
        &self,
        site: &Site,
        to: SocketAddr,
        names: [&'static str; 2],
        second: fn(&'static str) -> Posture,
    ) -> anyhow::Result<()> {
        let postures = [Posture::good(names[0]), second(names[1])];
        for (phone, posture) in self.phones.iter().zip(postures) {
            site.report_to(
                phone,
                to,
                site.pin()?.trim(),
                &site.agent_token()?,
                &posture,
            )?;
        }
        Ok(())
    }

    /// Waits until the shared address has this role, for so many endpoints.
    #[track_caller]
    fn has_role(&self, gateway: &Gateway<'_>, family: usize, role: &str, endpoints: u64) {
        let address = self.shared[family];
        wait::until_so(format!("{address} is {role} for {endpoints}"), || {
            let host = gateway.host(address).unwrap_or_default();
            host["role"] == role && host["shared_by"] == endpoints
        });
    }
}

/// A phone on a cable of its own to the router.
fn phone(site: &Site, router: &Namespace, number: u8) -> anyhow::Result<Host> {
    let phone = place(site, &format!("phone{number}"))?;
    let cable = format!(
        "link add in{number} type veth peer name eth0 netns {}",
        phone.name()
    );
    ip(router, &cable)?;
    let (net4, net6) = (format!("10.9.{number}"), format!("fd00:9:{number}:"));
    for line in [
        format!("addr add {net4}.1/24 dev in{number}"),
        format!("addr add {net6}:1/64 dev in{number} nodad"),
        format!("link set in{number} up"),
    ] {
        ip(router, &line)?;
    }
    for line in [
        format!("addr add {net4}.2/24 dev eth0"),
        format!("addr add {net6}:2/64 dev eth0 nodad"),
        "link set eth0 up".to_owned(),
        format!("route add 0.0.0.0/0 via {net4}.1"),
        format!("route add ::/0 via {net6}:1"),
    ] {
        ip(&phone, &line)?;
    }
    Ok(Host {
        namespace: phone,
        v4: format!("{net4}.2").parse()?,
        v6: format!("{net6}:2").parse()?,
        mac: format!("02:00:00:00:09:0{number}"),
    })
}

fn sharing(word: &str) -> Config {
    Config {
        sections: format!("\n[nat]\nshared_addresses = \"{word}\"\n"),
        ..Config::default()
    }
}

/// The embedded server's ends, with the names of the phones as they report by each.
fn ends() -> [(SocketAddr, [&'static str; 2]); 2] {
    [
        (at(GATEWAY, 8443), ["first-4", "second-4"]),
        (at(GATEWAY_V6, 8443), ["first-6", "second-6"]),
    ]
}

#[test]
fn the_strictest_role_of_those_who_share_an_address_counts() -> anyhow::Result<()> {
    let site = Site::new()?;
    let home = Household::new(&site)?;
    let gateway = site.start()?;
    for (family, (end, names)) in ends().into_iter().enumerate() {
        home.report(&site, end, names, Posture::good)?;
        home.has_role(&gateway, family, "authorized", 2);
    }
    assert!(home.phones.iter().all(passes));
    for (family, (end, names)) in ends().into_iter().enumerate() {
        home.report(&site, end, names, Posture::bad)?;
        home.has_role(&gateway, family, "quarantine", 2);
    }
    assert!(!home.phones.iter().any(gets_out));
    for address in home.shared {
        let mut hosts = site.operator(&["hosts", "--find", &address.to_string()]);
        let printed = output(&mut hosts)?;
        assert!(printed.contains("shared by 2 endpoints"), "{printed}");
    }
    for (family, (end, names)) in ends().into_iter().enumerate() {
        home.report(&site, end, names, Posture::good)?;
        home.has_role(&gateway, family, "authorized", 2);
    }
    assert!(home.phones.iter().all(passes));
    Ok(())
}

#[test]
fn nobody_passes_by_a_shared_address_where_that_is_denied() -> anyhow::Result<()> {
    let site = Site::with(&sharing("deny"))?;
    let home = Household::new(&site)?;
    let gateway = site.start()?;
    for (family, (end, names)) in ends().into_iter().enumerate() {
        let alone = Posture::good(names[0]);
        let (pin, token) = (site.pin()?, site.agent_token()?);
        site.report_to(&home.phones[0], end, pin.trim(), &token, &alone)?;
        home.has_role(&gateway, family, "authorized", 1);
        home.report(&site, end, names, Posture::good)?;
        home.has_role(&gateway, family, "denied", 2);
    }
    assert!(!home.phones.iter().any(gets_out));
    Ok(())
}

#[test]
fn whoever_had_a_shared_address_first_keeps_it_where_that_counts() -> anyhow::Result<()> {
    let site = Site::with(&sharing("first"))?;
    let home = Household::new(&site)?;
    let gateway = site.start()?;
    for (family, (end, names)) in ends().into_iter().enumerate() {
        home.report(&site, end, names, Posture::bad)?;
        home.has_role(&gateway, family, "authorized", 2);
    }
    assert!(home.phones.iter().all(passes));
    Ok(())
}
