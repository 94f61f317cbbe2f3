//! However a trace ends, nothing stays behind, and what it said is whole.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result};
use enforcer_tests::{
    capture::{ETHERNET, Order, Pcap, read},
    fixture::{self, Tcp, v4},
    site::enforcer,
    trace::Desk,
    wait,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// A trace of a capture that is still being written.
struct Live {
    child: Child,
    input: ChildStdin,
    lines: BufReader<ChildStdout>,
}

impl Live {
    fn start(desk: &Desk) -> Result<Self> {
        desk.put("hosts.csv", "address,role\n192.0.2.11,quarantine")?;
        let arguments = [
            "--hosts",
            "hosts.csv",
            "--pcap",
            "-",
            "--pcap-out",
            "sent.pcap",
        ];
        let mut child = desk.command(&arguments).stdin(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().context("an input")?;
        let lines = BufReader::new(child.stdout.take().context("an output")?);
        input.write_all(&Pcap::new(Order::Little, false, ETHERNET).bytes())?;
        Ok(Self {
            child,
            input,
            lines,
        })
    }

    /// Lets a packet come, which is answered with a reset.
    fn packet(&mut self) -> Result<()> {
        let syn = fixture::tcp((v4(11), 1).into(), (v4(99), 443).into(), Tcp::Syn, b"");
        let file = Pcap::of(&[syn]);
        Ok(self.input.write_all(&file[24..])?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(self.child.id().cast_signed()), signal)?)
    }
}

/// Programs and mounts of this machine, as far as they are not of other tests.
fn left_behind() -> Result<(String, usize)> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let ours = mounts.lines().filter(|line| line.contains(" /sys/fs/bpf "));
    let pinned = fs::read_dir("/sys/fs/bpf")?.count();
    Ok((ours.collect(), pinned))
}

#[test]
fn an_interrupted_trace_says_what_it_has_seen() -> Result<()> {
    let before = left_behind()?;
    let desk = Desk::new()?;
    let mut live = Live::start(&desk)?;
    for number in ["1", "2"] {
        live.packet()?;
        assert_eq!(live.line()?.split_whitespace().next(), Some(number));
    }
    // What it mounts and pins is its own while it lives, too.
    assert_eq!(left_behind()?, before);
    live.signal(Signal::SIGINT)?;
    let asked = || {
        let status = fs::read_to_string(format!("/proc/{}/status", live.child.id())).ok()?;
        let pending = status
            .lines()
            .find_map(|line| line.strip_prefix("ShdPnd:"))?;
        (pending.trim().trim_start_matches('0').is_empty()).then_some(())
    };
    wait::until("the signal is taken", asked);
    live.packet()?;
    drop(live.input);
    let status = wait::until("the trace ends", || live.child.try_wait().ok().flatten());
    let mut said = String::new();
    let mut errors = live.child.stderr.take().context("errors")?;
    errors.read_to_string(&mut said)?;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("2 packets in "), "{said}");
    assert!(said.contains("interrupted after packet 2"), "{said}");
    assert_eq!(read(&fs::read(desk.path("sent.pcap"))?)?.len(), 2);
    assert_eq!(left_behind()?, before);
    Ok(())
}

#[test]
fn whoever_insists_needs_not_wait_for_a_packet() -> Result<()> {
    let desk = Desk::new()?;
    let mut live = Live::start(&desk)?;
    live.packet()?;
    live.line()?;
    let ended = wait::until("the trace ends", || {
        live.signal(Signal::SIGTERM).ok()?;
        live.child.try_wait().ok().flatten()
    });
    assert_eq!(ended.code(), Some(130));
    Ok(())
}

#[test]
fn a_killed_trace_leaves_nothing() -> Result<()> {
    let before = left_behind()?;
    let desk = Desk::new()?;
    let mut live = Live::start(&desk)?;
    live.packet()?;
    live.line()?;
    live.child.kill()?;
    live.child.wait()?;
    assert_eq!(left_behind()?, before);
    Ok(())
}

/// As with `head`.
#[test]
fn a_reader_may_leave() -> Result<()> {
    let desk = Desk::new()?;
    let ping = fixture::ping(v4(10), v4(99));
    desk.put("c", Pcap::of(&vec![ping; 5000]))?;
    let mut child = desk.command(&["--pcap", "c"]).spawn()?;
    let mut first = [0; 10];
    child
        .stdout
        .take()
        .context("an output")?
        .read_exact(&mut first)?;
    let done = child.wait_with_output()?;
    assert_eq!(
        done.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}

#[test]
fn without_capabilities_it_says_which() -> Result<()> {
    let desk = Desk::new()?;
    desk.put("c", Pcap::of(&[]))?;
    // Programs below the home of root are out of reach for others, and so are temporary directories.
    let directory = desk.directory();
    fs::copy(enforcer(), desk.path("enforcer"))?;
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(directory, open)?;
    let done = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(desk.path("enforcer"))
        .args(["trace", "--config", "gateway.toml", "--pcap", "c"])
        .current_dir(directory)
        .output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.contains("CAP_BPF") && said.contains("run as root"),
        "{said}"
    );
    Ok(())
}
