//! An endpoint with several interfaces and addresses: all follow one judgement.

use std::net::IpAddr;

use enforcer_tests::{
    lan::{SERVER, SERVER_V6, at},
    namespace::output,
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};

use crate::scene::ip;

/// The second interface, and its addresses.
const MAC: &str = "02:00:00:00:00:21";
const SECOND: [&str; 2] = ["192.0.2.21", "2001:db8:1::21"];

/// Gives the laptop a second interface on the same network; what it sends from there goes out there.
fn second_interface(site: &Site) -> anyhow::Result<()> {
    let (laptop, switch) = (&site.lan.laptop.namespace, &site.lan.switch);
    let cable = format!(
        "link add laptop2 type veth peer name eth1 netns {}",
        laptop.name()
    );
    ip(switch, &cable)?;
    ip(switch, "link set laptop2 master lan up")?;
    let mut ethtool = laptop.command("ethtool");
    output(ethtool.args(["-K", "eth1", "gro", "on"]))?;
    laptop.set(&[
        ("ipv4/conf/all/arp_ignore", "1"),
        ("ipv4/conf/all/arp_announce", "2"),
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/eth1/rp_filter", "0"),
    ])?;
    for line in [
        "link set eth1 address 02:00:00:00:00:21 up",
        "addr add 192.0.2.21/24 dev eth1 noprefixroute",
        "addr add 2001:db8:1::21/64 dev eth1 nodad noprefixroute",
        "route add 192.0.2.0/24 dev eth1 table 21",
        "route add 0.0.0.0/0 via 192.0.2.1 dev eth1 table 21",
        "route add 2001:db8:1::/64 dev eth1 table 21",
        "route add ::/0 via 2001:db8:1::1 dev eth1 table 21",
        "rule add from 192.0.2.21 lookup 21",
        "-6 rule add from 2001:db8:1::21 lookup 21",
    ] {
        ip(laptop, line)?;
    }
    Ok(())
}

#[test]
fn all_addresses_of_an_endpoint_follow_one_judgement() -> anyhow::Result<()> {
    let site = Site::new()?;
    second_interface(&site)?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    let second = SECOND.map(|text| text.parse::<IpAddr>().expect("an address"));
    let ways = [
        (host.v4, SERVER),
        (host.v6, SERVER_V6),
        (second[0], SERVER),
        (second[1], SERVER_V6),
    ];
    let gets =
        |(address, server): (IpAddr, &str)| host.get_from(address, at(server, HTTP)).is_page();
    for (round, (posture, role)) in [
        (Posture::good as fn(&'static str) -> Posture, "authorized"),
        (Posture::bad, "quarantine"),
        (Posture::good, "authorized"),
    ]
    .into_iter()
    .enumerate()
    {
        let posture = posture("laptop")
            .claiming(host.v6)
            .with_another(MAC, &second);
        assert_eq!(site.report(host, &posture)?, role);
        for (address, server) in ways {
            // So that it is seen where it is.
            host.echoes_from(address, at(server, ECHO));
            wait::until_so(format!("{address} is {role}, round {round}"), || {
                gateway.role(address) == role
            });
        }
        let passed = ways.map(gets);
        assert_eq!(passed, [role == "authorized"; 4], "round {round}");
    }
    assert_eq!(gateway.counted("enforcer_doubts_total", &[]), 0);
    Ok(())
}
