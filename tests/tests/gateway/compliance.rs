//! Hosts that comply pass; the others are stopped and told why.

use std::{
    io::ErrorKind,
    net::{TcpStream, UdpSocket},
};

use enforcer_tests::{
    host::{ANSWERING, Answer, Host, SILENCE},
    lan::{GATEWAY, REMEDIATION, SERVER, SERVER_V6, at},
    posture::Posture,
    servers::{ECHO, HTTP, HTTPS, PAGE},
    site::Site,
    wait,
};

/// The portal's port.
const PORTAL: u16 = 8480;

#[test]
fn an_unknown_host_is_asked_about_stopped_and_told() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    // Not patiently: after a second TCP sends again what was held, and that is answered.
    let first = host
        .namespace
        .enter(|| TcpStream::connect_timeout(&at(SERVER, HTTPS), SILENCE));
    let held = first.map_err(|error| error.kind());
    assert_eq!(held.expect_err("no connection"), ErrorKind::TimedOut);
    wait::until_so("the server is asked about it", || {
        gateway.counted("enforcer_queries_total", &[("result", "unknown")]) == 1
    });
    wait::until_so("it has the role of the unknown", || {
        gateway.role(host.v4) == "unknown"
    });
    assert_eq!(host.get(at(SERVER, HTTPS)), Answer::Reset);
    let answer = host.get(at(SERVER, HTTP));
    assert_eq!(answer.leads_to(), Some("http://192.0.2.1:8480/"));
    let page = host.get(at(GATEWAY, PORTAL));
    let told = page.text().contains("This device is not known");
    assert!(page.is_page() && told, "{page:?}");
    Ok(())
}

#[test]
fn a_host_that_complies_passes_by_both_addresses() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    // The agent is seen by its IPv4 address; the other one is only claimed.
    let posture = Posture::good("laptop").claiming(host.v6);
    assert_eq!(site.report(host, &posture)?, "authorized");
    for server in [SERVER, SERVER_V6] {
        wait::until_so(format!("{server} answers"), || {
            host.passes(at(server, HTTP))
        });
        assert_eq!(
            host.get(at(server, HTTPS)).text().lines().last(),
            Some(PAGE)
        );
        assert!(host.echoes(at(server, ECHO), ANSWERING), "{server}");
        assert!(host.pings(server), "{server}");
    }
    assert_eq!(gateway.role(host.v6), "authorized");
    Ok(())
}

#[test]
fn an_address_of_another_is_not_had_by_claiming_it() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (thief, owner) = (&site.lan.desktop, &site.lan.laptop);
    assert!(!owner.passes(at(SERVER_V6, HTTP)));
    wait::until_so("the owner is known to be unknown", || {
        gateway.role(owner.v6) == "unknown"
    });
    site.report(thief, &Posture::good("desktop").claiming(owner.v6))?;
    wait::until_so("the thief passes by itself", || {
        thief.passes(at(SERVER, HTTP))
    });
    assert_eq!(gateway.role(owner.v6), "unknown");
    assert!(!owner.passes(at(SERVER_V6, HTTP)));
    assert!(gateway.has_logged("the claim changes nothing"));
    // With the MAC address of the owner the claim is one about the owner's device.
    let mac = "02:00:00:00:00:99";
    site.report(
        thief,
        &Posture::good("desktop").claiming(owner.v6).behind(mac),
    )?;
    wait::until_so("the second claim is doubted", || gateway.has_logged(mac));
    assert_eq!(gateway.role(owner.v6), "unknown");
    Ok(())
}

#[test]
fn a_host_that_does_not_comply_is_stopped_until_it_is_repaired() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    site.report(good, &Posture::good("laptop"))?;
    assert_eq!(site.report(bad, &Posture::bad("desktop"))?, "quarantine");
    wait::until_so("the good one passes", || good.passes(at(SERVER, HTTP)));
    wait::until_so("the bad one is in quarantine", || {
        gateway.role(bad.v4) == "quarantine"
    });
    is_led_to_its_reasons(bad);
    assert_eq!(bad.get(at(SERVER, HTTPS)), Answer::Reset);
    // What is silent for one speaks to the other.
    assert!(good.echoes(at(SERVER, ECHO), ANSWERING) && good.pings(SERVER));
    assert!(!bad.echoes(at(SERVER, ECHO), SILENCE) && !bad.pings(SERVER));
    assert!(bad.get(at(REMEDIATION, HTTP)).is_page());
    assert_eq!(bad.get(at(REMEDIATION, HTTPS)), Answer::Reset);
    asks_the_gateway_for_names(&site, bad)?;

    assert_eq!(site.report(bad, &Posture::good("desktop"))?, "authorized");
    wait::until_so("the repaired one passes", || bad.passes(at(SERVER, HTTP)));
    assert!(bad.echoes(at(SERVER, ECHO), ANSWERING) && bad.pings(SERVER));
    let page = bad.get(at(GATEWAY, PORTAL));
    assert!(page.text().contains("may use the network"), "{page:?}");
    Ok(())
}

fn is_led_to_its_reasons(host: &Host) {
    let answer = host.get(at(SERVER, HTTP));
    assert_eq!(answer.leads_to(), Some("http://192.0.2.1:8480/"));
    let page = host.get(at(GATEWAY, PORTAL));
    for words in [
        "The firewall of this device is off",
        "Turn the firewall on.",
        "Example Ltd",
    ] {
        assert!(page.text().contains(words), "{words}: {page:?}");
    }
}

/// There is no name server on the gateway, but its socket is one that packets reach.
fn asks_the_gateway_for_names(site: &Site, host: &Host) -> anyhow::Result<()> {
    let dns = at(GATEWAY, 53);
    let server = site.lan.gateway.enter(|| UdpSocket::bind(dns))?;
    server.set_read_timeout(Some(wait::patient(ANSWERING)))?;
    let client = host.datagrams(dns, ANSWERING)?;
    client.send(b"who is it?")?;
    let (_, from) = server.recv_from(&mut [0; 64])?;
    server.send_to(b"it is me", from)?;
    client.recv(&mut [0; 64])?;
    Ok(())
}
