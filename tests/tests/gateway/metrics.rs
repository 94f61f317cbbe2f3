//! What is counted is what was sent.

use std::{
    io::Write,
    process::{Command, Stdio},
};

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

#[test]
fn prometheus_finds_nothing_to_say_about_them() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let answer = gateway.get("/metrics");
    let (_, text) = answer.text().split_once("\r\n\r\n").expect("a body");
    assert!(
        text.contains("# TYPE enforcer_packets_total counter"),
        "{text}"
    );
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped());
    // Not on every machine.
    let Ok(mut check) = promtool
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        return Ok(());
    };
    check
        .stdin
        .take()
        .expect("an input")
        .write_all(text.as_bytes())?;
    let said = check.wait_with_output()?;
    let words = [said.stdout, said.stderr].concat();
    assert!(words.is_empty(), "{}", String::from_utf8_lossy(&words));
    assert!(said.status.success());
    Ok(())
}
