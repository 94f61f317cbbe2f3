//! Another machine translates by a fixed rule, which the configuration names.

use enforcer_tests::{config::Config, conntrack::rules, posture::Posture, site::Site, wait};

use crate::scene::{Scene, gets_out, passes};

/// The server sees each host in a block of ports of one address.
const FIXED: &str = "add table inet fixed
    add chain inet fixed in { type nat hook input priority 100 ; }
    add rule inet fixed in ip saddr 192.0.2.11 tcp dport 8443 snat ip to 203.0.113.5:1024-2047
    add rule inet fixed in ip saddr 192.0.2.12 tcp dport 8443 snat ip to 203.0.113.5:2048-3071
    add rule inet fixed in ip6 saddr 2001:db8:1::11 tcp dport 8443 snat ip6 to [2001:db8:f::5]:1024-2047
    add rule inet fixed in ip6 saddr 2001:db8:1::12 tcp dport 8443 snat ip6 to [2001:db8:f::5]:2048-3071";

/// The same in the configuration, but for the desktop's block by IPv6.
fn mappings() -> String {
    let blocks = [
        ("203.0.113.5", "1024-2047", "192.0.2.11"),
        ("203.0.113.5", "2048-3071", "192.0.2.12"),
        ("2001:db8:f::5", "1024-2047", "2001:db8:1::11"),
    ];
    let mapping = |(outside, ports, host)| {
        format!(
            "\n[[nat.static]]\noutside = \"{outside}\"\nports = \"{ports}\"\nhost = \"{host}\"\nzone = \"lan\"\n"
        )
    };
    blocks.map(mapping).concat()
}

#[test]
fn a_fixed_rule_says_whose_an_observed_port_is() -> anyhow::Result<()> {
    let site = Site::new()?;
    rules(&site.lan.behind, FIXED)?;
    let config = Config {
        sections: mappings(),
        ..Config::default()
    };
    let scene = Scene::with(&site, config)?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    scene.follows(good, Posture::good, ["laptop-4", "laptop-6"])?;
    assert!(passes(good));

    let [v4, v6] = scene.remote.ends();
    let posture = Posture::bad("desktop-4").without_addresses();
    assert_eq!(scene.remote.report(bad, v4, &posture)?, "quarantine");
    scene.has_role(bad.v4, "quarantine");
    // Nobody has said whose this block is.
    let posture = Posture::good("desktop-6").without_addresses();
    assert_eq!(scene.remote.report(bad, v6, &posture)?, "authorized");
    wait::until_so("it is not found", || {
        scene
            .gateway
            .counted("enforcer_doubts_total", &[("doubt", "untraced")])
            > 0
    });
    assert!(!gets_out(bad));
    scene.nothing_of(&["203.0.113.5", "2001:db8:f::5"]);
    Ok(())
}
