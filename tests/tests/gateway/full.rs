//! More than fits: hosts, and events.

use std::net::{IpAddr, Ipv4Addr};

use enforcer_tests::{
    config::Config,
    fixture::udp,
    host::{ANSWERING, SILENCE},
    lan::{SERVER, at},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use nix::sys::signal::{Signal, kill};

#[test]
fn a_full_table_changes_nothing_for_those_in_it() -> anyhow::Result<()> {
    let site = Site::with(&Config {
        host_capacity: 2,
        ..Config::default()
    })?;
    let gateway = site.start()?;
    let (old, new) = (&site.lan.desktop, &site.lan.laptop);
    let old_one = old.v4.to_string();
    site.control(&["allow", &old_one, "--reason", "the first"])?;
    site.control(&["allow", "192.0.2.50", "--reason", "the second"])?;
    site.report(new, &Posture::good("laptop"))?;
    wait::until_so("it is not ready", || !gateway.is_ready());
    assert!(gateway.has_logged("HOSTS_V4"));
    assert!(!new.passes(at(SERVER, HTTP)));
    // What waits for room keeps nothing else from being put in force.
    for _ in 0..8 {
        site.control(&["deny", &old_one, "--reason", "scanning"])?;
        assert!(!old.echoes(at(SERVER, ECHO), SILENCE));
        site.control(&["allow", &old_one, "--reason", "the first"])?;
        assert!(old.echoes(at(SERVER, ECHO), ANSWERING));
    }
    assert!(!new.passes(at(SERVER, HTTP)));

    site.control(&["release", "192.0.2.50", "--reason", "makes room"])?;
    wait::until_so("there is room for it", || new.passes(at(SERVER, HTTP)));
    wait::until_so("it is ready again", || gateway.is_ready());
    assert!(old.get(at(SERVER, HTTP)).is_page());
    Ok(())
}

/// More than the ring has room for.
const FLOOD: u32 = 15_000;

#[test]
fn a_flood_of_strangers_costs_only_their_own_events() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (host, flooder) = (&site.lan.laptop, &site.lan.desktop);
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    // Nobody reads the ring meanwhile.
    kill(gateway.pid(), Signal::SIGSTOP)?;
    let stranger = |number: u32| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + number));
    let frame = |number| udp(at(&stranger(number).to_string(), 9), at(SERVER, 9), b"");
    let frames: Vec<_> = (1..=FLOOD).map(frame).collect();
    flooder.send_frames(frames.iter().map(Vec::as_slice))?;
    assert!(host.echoes(at(SERVER, ECHO), ANSWERING));
    assert!(host.get(at(SERVER, HTTP)).is_page());
    kill(gateway.pid(), Signal::SIGCONT)?;
    wait::until_so("the lost events are counted", || {
        gateway.counted("enforcer_events_lost_total", &[]) > 0
    });
    let last = stranger(FLOOD);
    assert_eq!(gateway.role(last), "");
    wait::until_so("its next packets make it known", || {
        let sent = flooder.send_frames([&*frame(FLOOD)].into_iter());
        sent.is_ok() && gateway.role(last) == "unknown"
    });
    assert!(host.echoes(at(SERVER, ECHO), ANSWERING));
    assert!(gateway.is_ready());
    Ok(())
}
