//! The gateway ends, in every way, and comes back.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use enforcer_tests::{
    config::Config,
    gateway::Gateway,
    host::{Answer, Host, SILENCE},
    lan::{SERVER, at},
    posture::Posture,
    servers::{ECHO, HTTP, HTTPS},
    site::Site,
    wait,
};
use nix::sys::signal::{Signal, kill};

/// A gateway that lets the laptop pass and not the desktop.
fn with_one_of_each(site: &Site) -> anyhow::Result<Gateway<'_>> {
    let gateway = site.start()?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    site.report(good, &Posture::good("laptop"))?;
    site.report(bad, &Posture::bad("desktop"))?;
    wait::until_so("both are decided", || {
        gateway.role(good.v4) == "authorized" && gateway.role(bad.v4) == "quarantine"
    });
    Ok(gateway)
}

fn judges_both(site: &Site) {
    assert!(site.lan.laptop.get(at(SERVER, HTTP)).is_page());
    assert_eq!(site.lan.desktop.get(at(SERVER, HTTPS)), Answer::Reset);
}

/// Sends datagrams one after the other until it is told to stop; how many had an answer, and how many
/// had none.
fn send_all_the_time(host: &Host, stop: &AtomicBool) -> (usize, usize) {
    let socket = host.datagrams(at(SERVER, ECHO), SILENCE);
    let socket = socket.expect("a socket");
    let (mut answered, mut silent) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let is_answered = socket.send(b"ping").is_ok() && socket.recv(&mut [0; 4]).is_ok();
        *if is_answered {
            &mut answered
        } else {
            &mut silent
        } += 1;
    }
    (answered, silent)
}

#[test]
fn a_killed_gateway_is_missed_by_no_packet() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = with_one_of_each(&site)?;
    let stop = AtomicBool::new(false);
    let (good, bad) = thread::scope(|scope| {
        let good = scope.spawn(|| send_all_the_time(&site.lan.laptop, &stop));
        let bad = scope.spawn(|| send_all_the_time(&site.lan.desktop, &stop));
        let played = kill_and_restart(&site, gateway);
        stop.store(true, Ordering::Relaxed);
        played.map(|()| (good.join(), bad.join()))
    })?;
    let (good, bad) = (good.expect("no panic"), bad.expect("no panic"));
    assert!(good.0 > 0 && good.1 == 0, "answered and not: {good:?}");
    assert!(bad.0 == 0 && bad.1 > 0, "answered and not: {bad:?}");
    Ok(())
}

fn kill_and_restart(site: &Site, gateway: Gateway<'_>) -> anyhow::Result<()> {
    gateway.kill()?;
    wait::until_so("its children are gone", || {
        site.lan.gateway.processes().is_empty()
    });
    judges_both(site);
    let gateway = site.start()?;
    judges_both(site);
    assert!(gateway.has_logged("\"swapped\":true"));
    assert_eq!(gateway.role(site.lan.desktop.v4), "quarantine");
    Ok(())
}

#[test]
fn a_child_that_ends_is_started_again() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = with_one_of_each(&site)?;
    for word in ["http", "server"] {
        let child = gateway.child(word).expect("a child");
        kill(child, Signal::SIGKILL)?;
        judges_both(&site);
        wait::until(format!("`{word}` runs again"), || {
            gateway.child(word).filter(|again| *again != child)
        });
    }
    wait::until_so("the gateway is ready again", || gateway.is_ready());
    let agent = || site.report(&site.lan.desktop, &Posture::good("desktop"));
    wait::until("the server takes reports again", || agent().ok());
    wait::until_so("its decisions are heard again", || {
        site.lan.desktop.passes(at(SERVER, HTTP))
    });
    Ok(())
}

#[test]
fn a_second_gateway_is_refused() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = with_one_of_each(&site)?;
    let said = site.refused()?;
    let socket = site.path("run/control.sock").display().to_string();
    assert!(said.contains("another gateway is running"), "{said}");
    assert!(said.contains(&socket), "{said}");
    assert!(gateway.is_ready());
    judges_both(&site);
    Ok(())
}

#[test]
fn a_clean_stop_leaves_what_the_configuration_says() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = with_one_of_each(&site)?;
    let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let other = gateway
        .log()
        .lines()
        .find(|line| !is_json(line))
        .map(str::to_owned);
    assert_eq!(other, None, "a line of the gateway or a child");
    assert!(gateway.stop()?.success());
    assert!(site.lan.gateway.processes().is_empty());
    assert!(site.has_xdp()?);
    judges_both(&site);

    site.configure(&Config {
        keys: "on_stop = \"detach\"".to_owned(),
        ..Config::default()
    })?;
    assert!(site.start()?.stop()?.success());
    assert!(!site.has_xdp()?);
    let pinned: Vec<_> = fs::read_dir(site.pin_dir())?.collect();
    assert!(pinned.is_empty(), "{pinned:?}");
    assert!(site.lan.desktop.get(at(SERVER, HTTPS)).is_page());
    Ok(())
}
