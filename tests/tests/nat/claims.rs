//! Addresses that endpoints only claim.

use std::net::IpAddr;

use enforcer_tests::{
    lan::{SERVER, SERVER_V6, at},
    posture::Posture,
    servers::HTTP,
    site::Site,
    wait,
};

/// The addresses of the desktop, claimed by the laptop.
fn of_the_desktop(site: &Site) -> [IpAddr; 2] {
    [site.lan.desktop.v4, site.lan.desktop.v6]
}

#[test]
fn a_claim_counts_when_the_claimed_device_is_seen_there() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    // It reports by IPv4; that it has the other address is its word and the neighbour table's.
    let posture = Posture::good("laptop").claiming(host.v6);
    assert_eq!(site.report(host, &posture)?, "authorized");
    wait::until_so("the claimed address passes", || {
        host.passes(at(SERVER_V6, HTTP))
    });
    assert_eq!(gateway.role(host.v6), "authorized");
    assert_eq!(gateway.counted("enforcer_doubts_total", &[]), 0);
    Ok(())
}

#[test]
fn a_false_claim_changes_nothing_and_is_reported() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (liar, victim) = (&site.lan.laptop, &site.lan.desktop);
    // The gateway has seen where the claimed addresses are.
    for server in [SERVER, SERVER_V6] {
        assert!(!victim.passes(at(server, HTTP)));
    }
    for address in of_the_desktop(&site) {
        wait::until_so(format!("{address} is known to be unknown"), || {
            gateway.role(address) == "unknown"
        });
    }
    let posture = Posture::good("laptop")
        .claiming(victim.v4)
        .claiming(victim.v6);
    assert_eq!(site.report(liar, &posture)?, "authorized");
    wait::until_so("both claims are counted", || {
        gateway.counted("enforcer_doubts_total", &[("doubt", "other_mac")]) >= 2
    });
    for address in of_the_desktop(&site) {
        let said = format!(
            "endpoint id-laptop claims {address} with the MAC address {}",
            liar.mac
        );
        assert!(gateway.has_logged(&said), "{said}");
        assert_eq!(gateway.role(address), "unknown");
    }
    for server in [SERVER, SERVER_V6] {
        assert!(!victim.passes(at(server, HTTP)), "{server}");
    }
    assert!(liar.passes(at(SERVER, HTTP)), "its own address");
    Ok(())
}
