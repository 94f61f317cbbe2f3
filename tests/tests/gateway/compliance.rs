//! Hosts that comply pass, the others are stopped and told why.

use enforcer_tests::{
    config::Config,
    host::{Answer, SILENCE},
    lan::{GATEWAY, REMEDIATION, SERVER, SERVER_V6, at},
    posture::Posture,
    servers::{ECHO, HTTP, HTTPS},
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
    assert_eq!(host.get_within(at(SERVER, HTTPS), "/", SILENCE), Answer::Silence);
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
    assert!(page.is_page() && page.text().contains("not known"), "{page:?}");
    Ok(())
}
