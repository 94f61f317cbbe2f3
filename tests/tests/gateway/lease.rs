//! The management server falls silent.

use enforcer_tests::{
    config::Config,
    host::ANSWERING,
    lan::{GATEWAY, SERVER, at},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use nix::sys::signal::{Signal, kill};

#[test]
fn a_silent_server_loses_its_hosts_until_it_speaks_again() -> anyhow::Result<()> {
    let site = Site::with(&Config {
        lease: "2s",
        ..Config::default()
    })?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    // Its connections stay open, and nothing comes over them.
    let server = gateway.child("server").expect("the embedded server");
    kill(server, Signal::SIGSTOP)?;
    assert!(host.echoes(at(SERVER, ECHO), ANSWERING));
    wait::until_so("the lease is over", || {
        let passes = host.passes(at(SERVER, HTTP));
        let row = gateway.host(host.v4).unwrap_or_default();
        !passes && row["last_stop_reason"] == "lease_expired"
    });
    assert!(!gateway.is_ready());
    let page = host.get(at(GATEWAY, 8480));
    assert!(page.text().contains("has run out"), "{page:?}");

    kill(server, Signal::SIGCONT)?;
    wait::until_so("it passes again", || host.passes(at(SERVER, HTTP)));
    wait::until_so("the gateway is ready again", || gateway.is_ready());
    Ok(())
}
