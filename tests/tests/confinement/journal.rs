//! Logs that go to the journal when systemd has connected standard error to it.

use std::{
    collections::HashMap,
    fs,
    io::Read,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            fs::PermissionsExt,
            net::{UnixDatagram, UnixStream},
        },
    },
    process::{Command, Stdio},
};

use anyhow::Context;
use enforcer_tests::{
    gateway::Gateway,
    site::{Site, enforcer},
    wait,
};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, kill},
        socket::{setsockopt, sockopt::SndBuf},
        stat::fstat,
    },
    unistd::Pid,
};
use tempfile::TempDir;

/// A socket at the journal's place, as programs see it that are started through it.
struct Journal {
    directory: TempDir,
    socket: UnixDatagram,
    entries: Vec<HashMap<String, String>>,
}

impl Journal {
    fn new() -> anyhow::Result<Self> {
        let directory = TempDir::new()?;
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        let place = directory.path().join("systemd/journal");
        fs::create_dir_all(&place)?;
        let socket = UnixDatagram::bind(place.join("socket"))?;
        fs::set_permissions(place.join("socket"), fs::Permissions::from_mode(0o666))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            directory,
            socket,
            entries: Vec::new(),
        })
    }

    /// A command that runs where this is at `/run`.
    fn command(&self) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c"]);
        command.arg("mount --bind \"$0\" /run && exec \"$@\"");
        command.arg(self.directory.path());
        command
    }

    /// What has come until now.
    fn entries(&mut self) -> &[HashMap<String, String>] {
        let mut datagram = vec![0; 1 << 18];
        while let Ok(length) = self.socket.recv(&mut datagram) {
            self.entries.push(fields(&datagram[..length]));
        }
        &self.entries
    }

    /// The entry with this message, once it has come.
    fn entry(&mut self, message: &str) -> HashMap<String, String> {
        wait::until(format!("`{message}` is in the journal"), || {
            let is_it = |one: &&HashMap<_, _>| one.get("MESSAGE").is_some_and(|m| m == message);
            self.entries().iter().find(is_it).cloned()
        })
    }
}

/// The fields of an entry: `NAME=value`, or the name, the length in eight bytes, and the value.
fn fields(mut bytes: &[u8]) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes = &bytes[end + 1..];
        if let Some((name, value)) = line.split_once('=') {
            fields.insert(name.to_owned(), value.to_owned());
            continue;
        }
        let Some((length, rest)) = bytes.split_first_chunk() else {
            break;
        };
        let length = usize::try_from(u64::from_le_bytes(*length)).expect("a length");
        let value = String::from_utf8_lossy(&rest[..length]).into_owned();
        fields.insert(line, value);
        bytes = &rest[length + 1..];
    }
    fields
}

#[test]
fn a_gateway_under_systemd_and_its_children_write_into_the_journal() -> anyhow::Result<()> {
    let site = Site::new()?;
    let mut journal = Journal::new()?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let found = fstat(&theirs)?;
    let mut command = site.lan.gateway.command(journal.command().get_program());
    command.args(journal.command().get_args());
    command.arg(enforcer()).args(["run", "--config"]);
    let mut gateway = command
        .arg(site.config_file())
        .env(
            "JOURNAL_STREAM",
            format!("{}:{}", found.st_dev, found.st_ino),
        )
        .env("ENFORCER_LOG", "debug")
        .stdin(Stdio::null())
        .stderr(OwnedFd::from(theirs))
        .spawn()?;
    drop(command);

    let ready = journal.entry("ready");
    let attached = journal.entry("attached");
    let of_child = wait::until("a child is in the journal", || {
        let is_it = |one: &&HashMap<String, String>| {
            one.get("TARGET")
                .is_some_and(|target| target.starts_with("enforcer_server"))
        };
        journal.entries().iter().find(is_it).cloned()
    });
    kill(Pid::from_raw(gateway.id().cast_signed()), Signal::SIGTERM)?;
    wait::until("the gateway ends when asked to", || {
        gateway.try_wait().ok().flatten()
    });

    for entry in [&ready, &attached, &of_child] {
        assert_eq!(entry["SYSLOG_IDENTIFIER"], "enforcer", "{entry:?}");
    }
    assert_eq!(ready["PRIORITY"], "6");
    assert_eq!(attached["ENFORCER_INTERFACE"], "lan0", "{attached:?}");
    let mut beside = String::new();
    ours.read_to_string(&mut beside)?;
    assert_eq!(beside, "", "nothing goes to standard error");
    Ok(())
}

#[test]
fn standard_error_that_is_not_the_journal_is_written_to() -> anyhow::Result<()> {
    let site = Site::new()?;
    let mut journal = Journal::new()?;
    let file = fs::File::create(site.path("missing.toml"))?;
    let found = fstat(&file)?;
    let mut command = journal.command();
    command
        .arg(enforcer())
        .args(["server", "run", "--listen", "127.0.0.1:0", "--lifeline"]);
    let done = command
        .arg("--state-dir")
        .arg(site.path("server"))
        .env(
            "JOURNAL_STREAM",
            format!("{}:{}", found.st_dev, found.st_ino),
        )
        .stdin(Stdio::null())
        .output()
        .context("the server could not be started")?;
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!said.is_empty(), "{}", done.status);
    assert!(journal.entries().is_empty());
    Ok(())
}

#[test]
fn nobody_waits_for_a_log_that_is_not_read() -> anyhow::Result<()> {
    let site = Site::new()?;
    let (mut ours, theirs) = UnixStream::pair()?;
    setsockopt(&theirs, SndBuf, &4096)?;
    let gateway = Gateway::start_telling(&site, theirs.try_clone()?.into())?;
    wait::until_so("what is said does not fit any more", || {
        let mut there = [PollFd::new(theirs.as_fd(), PollFlags::POLLOUT)];
        poll(&mut there, PollTimeout::ZERO).is_ok_and(|ready| ready == 0)
    });
    let address = site.lan.laptop.v4;
    let words = ["allow", &address.to_string(), "--reason", "a test"];
    site.control(&words)?;
    assert_eq!(gateway.role(address), "authorized");
    gateway.stop()?;
    drop(theirs);
    let mut said = String::new();
    ours.read_to_string(&mut said)?;
    assert!(
        said.lines()
            .next()
            .is_some_and(|line| line.starts_with('{')),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_journal_that_is_not_there_loses_nothing() -> anyhow::Result<()> {
    let site = Site::new()?;
    let journal = Journal::new()?;
    fs::remove_file(journal.directory.path().join("systemd/journal/socket"))?;
    let mut command = journal.command();
    command
        .arg(enforcer())
        .args(["--log", "journal", "run", "--config"]);
    let done = command.arg(site.path("missing.toml")).output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("cannot reach the journal"), "{said}");
    Ok(())
}

#[test]
fn json_lines_have_the_fields_that_are_promised() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    drop(gateway);
    let log = fs::read_to_string(site.path("gateway.log"))?;
    let mut interface = None;
    for line in log.lines() {
        let entry: serde_json::Value =
            serde_json::from_str(line).with_context(|| line.to_owned())?;
        let time = entry["timestamp"].as_str().context("a time")?;
        time.parse::<jiff::Timestamp>().context("RFC 3339")?;
        for name in ["level", "message", "target"] {
            assert!(entry[name].is_string(), "{name}: {line}");
        }
        if entry["message"] == "attached" {
            interface = entry["interface"].as_str().map(ToOwned::to_owned);
        }
    }
    assert_eq!(interface.as_deref(), Some("lan0"));
    Ok(())
}
