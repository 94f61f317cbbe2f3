//! Interfaces that vanish, come back, change their names and flap.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use enforcer_tests::{
    gateway::Gateway,
    host::{Host, SILENCE},
    lan::{SERVER, at},
    namespace::output,
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};

/// How long after it is there an interface is judged, at most.
const SOON: Duration = Duration::from_secs(1);

/// A gateway that lets the laptop pass, and not the desktop.
fn with_one_of_each(site: &Site) -> anyhow::Result<Gateway<'_>> {
    let gateway = site.start()?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    site.report(good, &Posture::good("laptop"))?;
    site.report(bad, &Posture::bad("desktop"))?;
    wait::until_so("both are decided", || {
        good.passes(at(SERVER, HTTP)) && gateway.role(bad.v4) == "quarantine"
    });
    Ok(gateway)
}

/// Has the host that is stopped send all the time while something happens; how many answers it gets.
fn answers_while(site: &Site, happens: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let stop = AtomicBool::new(false);
    let send = |host: &Host| -> anyhow::Result<u64> {
        let socket = host.datagrams(at(SERVER, ECHO), SILENCE)?;
        socket.set_nonblocking(true)?;
        let (mut sent, mut answers) = (0_u64, 0);
        while !stop.load(Ordering::Relaxed) {
            sent += u64::from(socket.send(b"anybody there?").is_ok());
            answers += u64::from(socket.recv(&mut [0; 64]).is_ok());
            thread::yield_now();
        }
        assert!(sent > 0);
        Ok(answers)
    };
    thread::scope(|scope| {
        let sender = scope.spawn(|| send(&site.lan.desktop));
        let done = happens();
        stop.store(true, Ordering::Relaxed);
        let answers = sender.join().expect("no panic");
        done.and(answers)
    })
}

fn ip(site: &Site, arguments: &str) -> anyhow::Result<()> {
    let mut ip = site.lan.gateway.command("ip");
    output(ip.args(arguments.split(' '))).map(drop)
}

fn laptop_passes(site: &Site) {
    wait::until_so("the laptop passes", || {
        site.lan.laptop.passes(at(SERVER, HTTP))
    });
}

#[test]
fn an_interface_that_is_made_anew_is_judged_within_a_second() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = with_one_of_each(&site)?;
    let answers = answers_while(&site, || {
        for _ in 0..3 {
            site.lan.unplug()?;
            wait::until_so("it is missed", || !gateway.is_ready());
            site.lan.plug()?;
            let start = Instant::now();
            wait::until_so("it is judged again", || site.has_xdp().unwrap_or(false));
            assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
            site.lan.switch_on()?;
            laptop_passes(&site);
            wait::until_so("the gateway is ready again", || gateway.is_ready());
        }
        Ok(())
    })?;
    assert_eq!(answers, 0, "the desktop was never let through");
    assert!(gateway.has_logged("was made anew; attached again"));
    // What is new is taken over by the next process as what was there at first.
    assert!(gateway.stop()?.success());
    let gateway = site.start()?;
    assert!(gateway.has_logged("\"swapped\":true"));
    laptop_passes(&site);
    Ok(())
}

#[test]
fn an_interface_that_flaps_or_is_renamed_stays_judged() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = with_one_of_each(&site)?;
    let answers = answers_while(&site, || {
        for _ in 0..20 {
            ip(&site, "link set lan0 down")?;
            ip(&site, "link set lan0 up")?;
        }
        laptop_passes(&site);
        assert!(gateway.is_ready());
        ip(&site, "link set lan0 down")?;
        ip(&site, "link set lan0 name other0")?;
        ip(&site, "link set other0 up")?;
        wait::until_so("it is noticed", || {
            gateway.has_logged("is called `other0` now")
        });
        laptop_passes(&site);
        let health = gateway.get("/readyz");
        assert!(health.text().contains("other0"), "{}", health.text());
        ip(&site, "link set other0 down")?;
        ip(&site, "link set other0 name lan0")?;
        ip(&site, "link set lan0 up")?;
        wait::until_so("all is well again", || gateway.is_ready());
        laptop_passes(&site);
        Ok(())
    })?;
    assert_eq!(answers, 0, "the desktop was never let through");
    Ok(())
}
