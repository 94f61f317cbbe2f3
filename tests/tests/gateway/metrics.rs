//! What is counted is what was sent.

use std::{fs, path::Path};

use enforcer_tests::{
    host::{ANSWERING, SILENCE},
    lan::{SERVER, at},
    servers::ECHO,
    site::Site,
    wait,
};

/// Datagrams that are sent.
const COUNT: u64 = 200;
/// The bytes of each on the cable: Ethernet, IPv4 and UDP headers and what it carries.
const SIZE: u64 = 14 + 20 + 8 + 4;

#[test]
fn metrics_agree_with_what_was_sent() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    for (host, word) in [(good, "allow"), (bad, "deny")] {
        site.control(&[word, &host.v4.to_string(), "--reason", "a test"])?;
    }
    let bytes = |verdict, reason| {
        let labels = [("hook", "xdp"), ("verdict", verdict), ("reason", reason)];
        gateway.counted("enforcer_bytes_total", &labels)
    };
    let counted = || {
        [
            gateway.packets("xdp", "pass", "role_allows"),
            gateway.packets("tc_egress", "pass", "role_allows"),
            gateway.packets("xdp", "drop", "role_denies"),
            bytes("pass", "role_allows"),
            bytes("drop", "role_denies"),
        ]
    };
    let before = counted();
    let passing = good.datagrams(at(SERVER, ECHO), ANSWERING)?;
    let stopped = bad.datagrams(at(SERVER, ECHO), SILENCE)?;
    for _ in 0..COUNT {
        passing.send(b"ping")?;
        passing.recv(&mut [0; 4])?;
        stopped.send(b"ping")?;
    }
    let expected = [COUNT, COUNT, COUNT, COUNT * SIZE, COUNT * SIZE];
    let deltas = || {
        let after = counted();
        std::array::from_fn(|at| after[at] - before[at])
    };
    wait::within(ANSWERING, || (deltas() == expected).then_some(()));
    assert_eq!(deltas(), expected);
    assert_eq!(gateway.counted("enforcer_events_lost_total", &[]), 0);
    Ok(())
}

/// Tells the kernel to count what programs cost, until it is dropped.
struct Counting {
    before: String,
}

const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

impl Counting {
    fn begin() -> anyhow::Result<Self> {
        let switch = Path::new(SWITCH);
        let before = fs::read_to_string(switch)?;
        fs::write(switch, "1")?;
        Ok(Self { before })
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let _ = fs::write(SWITCH, self.before.trim());
    }
}

#[test]
fn programs_are_timed_where_the_kernel_counts() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    site.control(&["allow", &host.v4.to_string(), "--reason", "a test"])?;
    let counting = Counting::begin()?;
    let runs = |hook| gateway.counted("enforcer_program_runs_total", &[("hook", hook)]);
    let before = (runs("xdp"), runs("tc_egress"));
    let socket = host.datagrams(at(SERVER, ECHO), ANSWERING)?;
    for _ in 0..COUNT {
        socket.send(b"ping")?;
        socket.recv(&mut [0; 4])?;
    }
    // Others come by too, such as those of neighbour discovery.
    let (ingress, egress) = (runs("xdp") - before.0, runs("tc_egress") - before.1);
    for ran in [ingress, egress] {
        assert!((COUNT..2 * COUNT).contains(&ran), "{ingress}, {egress}");
    }
    let page = gateway.get("/metrics");
    let took = page.text().lines().find_map(|line| {
        let line = line.strip_prefix("enforcer_program_run_seconds_total{hook=\"xdp\"")?;
        line.rsplit_once(' ')?.1.parse::<f64>().ok()
    });
    assert!(took.is_some_and(|took| took > 0.0), "{took:?}");
    drop(counting);
    Ok(())
}

#[test]
fn questions_are_timed() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let timed = || gateway.counted("enforcer_query_seconds_count", &[]);
    let before = timed();
    assert!(!site.lan.laptop.echoes(at(SERVER, ECHO), SILENCE));
    wait::until_so("the question is timed", || timed() > before);
    Ok(())
}
