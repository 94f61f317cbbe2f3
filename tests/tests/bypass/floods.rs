//! Floods: who is decided does not feel them, and nothing grows without bound.
//!
//! All of it stays on the wires of the test, and ends after seconds.

use std::{
    fs, io,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::Context;
use enforcer_tests::{
    attack::run_for,
    host::{Host, SILENCE},
    lan::{SERVER, at},
    namespace::output,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use nix::unistd::Pid;

use crate::scene::{Scene, give};

/// For how many seconds a tool sends as fast as it can: some ten thousand packets in each.
const SECONDS: &str = "4";

/// Two floods at a time would fill a small machine, and measure that.
static ALONE: Mutex<()> = Mutex::new(());

/// Exchanges datagrams with a server until it is told to stop; how many were answered, and how many were not.
fn exchange(host: &Host, stop: &AtomicBool) -> io::Result<(usize, usize)> {
    let socket = host.datagrams(at(SERVER, ECHO), SILENCE)?;
    let (mut answered, mut lost) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        socket.send(b"ping")?;
        match socket.recv(&mut [0; 4]) {
            Ok(_) => answered += 1,
            Err(_) => lost += 1,
        }
    }
    Ok((answered, lost))
}

/// How many packets the cables of this network have lost, and the queues of this machine behind them: what no gateway
/// has seen, or has let pass.
fn lost_on_the_way(site: &Site) -> anyhow::Result<usize> {
    let queues = fs::read_to_string("/proc/net/softnet_stat")?;
    let of_queues = queues
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .map(|dropped| usize::from_str_radix(dropped, 16));
    let mut lost: usize = of_queues.sum::<Result<_, _>>()?;
    let lan = &site.lan;
    for place in [&lan.switch, &lan.gateway, &lan.behind] {
        let mut links = place.command("sh");
        let links = output(links.args(["-c", "cat /sys/class/net/*/statistics/tx_dropped"]))?;
        let of_links = links.lines().map(str::parse::<usize>);
        lost += of_links.sum::<Result<usize, _>>()?;
    }
    Ok(lost)
}

/// What the gateway has said of packets of the neighbour that it stopped: some, until it was decided.
fn stops(scene: &Scene<'_>) -> Vec<String> {
    let stopped = format!("\"stopped\",\"host\":\"{}\"", scene.neighbour().v4);
    let log = scene.gateway.log();
    let lines = log.lines().filter(|line| line.contains(&stopped));
    lines.map(str::to_owned).collect()
}

/// Does something while the host beside it exchanges datagrams, each of which is answered, or lost before the gateway
/// or behind it.
fn while_exchanging(
    scene: &Scene<'_>,
    attack: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let _alone = ALONE.lock();
    let (before, already) = (lost_on_the_way(scene.site)?, stops(scene));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let exchanging = scope.spawn(|| exchange(scene.neighbour(), &stop));
        let attacked = attack();
        stop.store(true, Ordering::Relaxed);
        let (answered, lost) = exchanging.join().expect("no panic")?;
        let on_the_way = lost_on_the_way(scene.site)? - before;
        assert!(
            answered > 100 && lost <= on_the_way,
            "{answered} answered, {lost} not, {on_the_way} lost on the way"
        );
        assert_eq!(stops(scene), already, "before and after");
        attacked
    })
}

/// The memory of a process, in KiB.
fn memory(pid: Pid) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = line.context("no VmRSS")?.trim().trim_end_matches(" kB");
    Ok(size.parse()?)
}

#[test]
fn a_flood_of_strangers_is_nothing_to_those_who_are_known() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let before = memory(scene.gateway.pid())?;
    let stopped = || {
        let reasons = ["held", "no_answer", "martian", "role_denies"];
        let verdicts = ["drop", "reject"].iter();
        let counts = verdicts
            .flat_map(|verdict| reasons.map(|reason| scene.counted(("xdp", verdict, reason))));
        counts.sum::<u64>()
    };
    let already = stopped();
    while_exchanging(&scene, || {
        let flood = ["-q", "--flood", "--rand-source", "--udp", "-p", "7", SERVER];
        run_for(scene.attacker(), SECONDS, "hping3", flood)
    })?;
    assert!(stopped() - already > 20_000, "{}", stopped() - already);
    scene.nothing_arrived();
    let after = memory(scene.gateway.pid())?;
    assert!(
        after < before + (64 << 10),
        "{before} KiB, and then {after}"
    );
    wait::until_so("all that waited is done", || {
        let status = site.control(&["status"]).unwrap_or_default();
        status["pending"] == 0
    });
    let hosts = site.control(&["hosts", "--limit", "4096"])?;
    let hosts = hosts["hosts"].as_array().context("no hosts")?;
    let here = [scene.neighbour(), scene.attacker()].map(|host| host.v4.to_string());
    let strangers = hosts.iter().filter_map(|host| host["address"].as_str());
    // The flood is of IPv4 alone.
    let strangers =
        strangers.filter(|one| !one.contains(':') && !here.iter().any(|own| own == one));
    let strangers = strangers.count();
    assert!(strangers <= 1024, "a quarter of the table: {strangers}");
    assert!(scene.gateway.is_ready());
    // Whoever comes next is asked about as ever.
    let (bad, next) = (scene.attacker(), "192.0.2.77".parse()?);
    give(bad, next)?;
    wait::until_so("the next stranger is known", || {
        assert!(!bad.echoes_from(next, at(SERVER, ECHO)));
        scene.gateway.role(next) == "unknown"
    });
    Ok(())
}

#[test]
fn strangers_open_no_more_connections_than_are_asked_about() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let first = ("xdp", "pass", "first_packet");
    let before = scene.counted(first);
    while_exchanging(&scene, || {
        let flood = ["-q", "--flood", "--rand-source", "-S", "-p", "443", SERVER];
        run_for(scene.attacker(), SECONDS, "hping3", flood)
    })?;
    // Ten thousand a second for each CPU, and those that the bucket held at first.
    let cpus = thread::available_parallelism()?.get() as u64;
    let passed = scene.counted(first) - before;
    assert!(passed <= 10_000 * cpus * 6, "{passed} on {cpus} CPUs");
    Ok(())
}

#[test]
fn a_flood_in_the_name_of_another_costs_him_nothing() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let spoofed = ("xdp", "drop", "spoofed");
    let before = scene.counted(spoofed);
    while_exchanging(&scene, || {
        let flood = [
            "-q",
            "--flood",
            "-a",
            "192.0.2.11",
            "--udp",
            "-p",
            "7",
            SERVER,
        ];
        run_for(scene.attacker(), SECONDS, "hping3", flood)
    })?;
    assert!(scene.counted(spoofed) - before > 20_000);
    let good = scene.neighbour();
    assert_eq!(scene.bound(good.v4).as_ref(), Some(&good.mac));
    scene.nothing_arrived();
    Ok(())
}

#[test]
fn a_stopped_host_that_floods_the_portal_keeps_nobody_from_it() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let (good, bad) = (scene.neighbour(), scene.attacker());
    let portal = at("192.0.2.1", 8480);
    let child = scene.gateway.child("http").context("no child")?;
    let before = memory(child)?;
    assert!(bad.get(at(SERVER, HTTP)).leads_to().is_some());
    while_exchanging(&scene, || {
        let flood = ["-q", "--flood", "-S", "-p", "80", SERVER];
        run_for(bad, SECONDS, "hping3", flood)
    })?;
    // Connections that say nothing, as many as there are.
    let idle: Vec<_> = (0..300).filter_map(|_| bad.connect(portal).ok()).collect();
    assert!(good.get(portal).is_page());
    let files = fs::read_dir(format!("/proc/{child}/fd"))?.count();
    assert!(
        files < 200,
        "{files} files are open, for {} connections",
        idle.len()
    );
    drop(idle);
    // And as many that ask.
    let ask = [
        "-s",
        "-o",
        "/dev/null",
        "--parallel",
        "--parallel-max",
        "50",
        "--max-time",
        "5",
    ];
    run_for(
        bad,
        "10",
        "curl",
        ask.into_iter().chain(["http://192.0.2.1:8480/?[1-500]"]),
    )?;
    let page = good.get(portal);
    assert!(
        page.is_page() && page.text().len() < 16 << 10,
        "{}",
        page.text().len()
    );
    wait::until_so("the one who flooded is told again, too", || {
        bad.get(portal).text().contains("is stopped")
    });
    let after = memory(child)?;
    assert!(
        after < before + (32 << 10),
        "{before} KiB, and then {after}"
    );
    assert!(scene.gateway.is_ready());
    Ok(())
}
