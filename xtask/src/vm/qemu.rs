//! Starts QEMU, listens to its console, and ends it when it hangs.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long a kernel without a file system may take to give up where KVM works: it takes a second.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// Megabytes of memory. The image takes about a quarter of it, since it stays unpacked there.
const MEMORY: &str = "2048";

/// How a machine is accelerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accelerator {
    Kvm,
    Tcg,
}

impl Accelerator {
    /// How many times slower than real hardware the machine may be.
    pub(super) fn slowness(self) -> u32 {
        match self {
            Self::Kvm => 1,
            Self::Tcg => 40,
        }
    }
}

/// How a machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By itself.
    Stopped,
    /// Its time was over, so that it was killed.
    Killed,
}

/// Who listens to a console.
pub(super) trait Listener {
    /// Takes the next line.
    fn line(&mut self, line: &str);
    /// When the time of the machine is over, as things stand.
    fn deadline(&self) -> Instant;
}

/// KVM where a guest really starts under it: the device may be there and the guest hang all the same.
pub(super) fn accelerator(kernel: &Path) -> Result<Accelerator> {
    if !Path::new("/dev/kvm").exists() {
        return Ok(Accelerator::Tcg);
    }
    let mut command = qemu(Accelerator::Kvm, kernel);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("QEMU could not be started")?;
    let mut probe = Probe {
        deadline: Instant::now() + PROBE_LIMIT,
        booted: false,
    };
    let ending = watch(child, &mut probe)?;
    Ok(if probe.booted && ending == Ending::Stopped {
        Accelerator::Kvm
    } else {
        Accelerator::Tcg
    })
}

/// Waits for a kernel to find that it has no file system.
struct Probe {
    deadline: Instant,
    booted: bool,
}

impl Listener for Probe {
    fn line(&mut self, line: &str) {
        self.booted |= line.contains("Kernel panic");
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }
}

/// Boots a kernel with an image, and listens to it until it ends.
pub(super) fn boot(
    accelerator: Accelerator,
    kernel: &Path,
    image: &Path,
    listener: &mut impl Listener,
) -> Result<Ending> {
    let mut command = qemu(accelerator, kernel);
    let child = command
        .arg("-initrd")
        .arg(image)
        .stdout(Stdio::piped())
        .spawn();
    watch(child.context("QEMU could not be started")?, listener)
}

fn qemu(accelerator: Accelerator, kernel: &Path) -> Command {
    let (accelerator, processor) = match accelerator {
        Accelerator::Kvm => ("kvm", "host"),
        // Without the quick string instructions the kernel copies by words; TCG plays them byte by byte.
        Accelerator::Tcg => ("tcg", "max,erms=off,fsrm=off"),
    };
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args(["-accel", accelerator, "-cpu", processor])
        .args(["-m", MEMORY, "-smp", "2"])
        .args(["-nodefaults", "-display", "none", "-serial", "stdio"])
        .args(["-no-reboot", "-append", "console=ttyS0 panic=-1 quiet"])
        .arg("-kernel")
        .arg(kernel)
        .stdin(Stdio::null());
    command
}

/// Hands each line of the console to the listener until the machine ends or its time is over.
fn watch(mut child: Child, listener: &mut impl Listener) -> Result<Ending> {
    let console = child.stdout.take().context("QEMU has no console")?;
    let lines = lines(console);
    let ending = loop {
        let left = listener
            .deadline()
            .saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => listener.line(&line),
            Err(RecvTimeoutError::Disconnected) => break Ending::Stopped,
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                break Ending::Killed;
            }
        }
    };
    child.wait()?;
    Ok(ending)
}

/// Reads the console on a thread of its own, since reading knows no time limit.
fn lines(console: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line)
                .trim_end_matches('\r')
                .to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(script: &str, limit: Duration) -> (Ending, bool) {
        let mut probe = Probe {
            deadline: Instant::now() + limit,
            booted: false,
        };
        let child = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn();
        let ending = watch(child.expect("sh"), &mut probe).expect("sh ends");
        (ending, probe.booted)
    }

    #[test]
    fn endings_are_told_apart() {
        let minute = Duration::from_mins(1);
        assert_eq!(
            played("echo; echo 'Kernel panic - not syncing'", minute),
            (Ending::Stopped, true)
        );
        assert_eq!(played("echo booting", minute), (Ending::Stopped, false));
        assert_eq!(
            played(
                "echo 'Kernel panic'; exec sleep 60",
                Duration::from_millis(50)
            ),
            (Ending::Killed, true)
        );
    }
}
