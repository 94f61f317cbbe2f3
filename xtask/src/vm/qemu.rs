//! Starts QEMU, watches its console, and ends it when it hangs.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long a kernel without a file system may take to give up where KVM works: it takes a second.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// How a machine is accelerated.
#[derive(Clone, Copy, Debug)]
pub(super) enum Accelerator {
    Kvm,
    Tcg,
}

/// How a machine ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The command ran and this is its exit status.
    Status(u8),
    /// The machine stopped before the command ended.
    Stopped,
    /// Nothing ended within the limit; the machine was killed.
    Hung,
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
    let mut booted = false;
    let ending = watch(child, PROBE_LIMIT, |line| {
        booted |= line.contains("Kernel panic");
    })?;
    Ok(if booted && ending == Ending::Stopped {
        Accelerator::Kvm
    } else {
        Accelerator::Tcg
    })
}

/// Boots a kernel with an image and shows its console until it ends.
pub(super) fn boot(
    accelerator: Accelerator,
    kernel: &Path,
    image: &Path,
    limit: Duration,
) -> Result<Ending> {
    let mut command = qemu(accelerator, kernel);
    let child = command
        .arg("-initrd")
        .arg(image)
        .stdout(Stdio::piped())
        .spawn();
    let mut stdout = std::io::stdout();
    watch(child.context("QEMU could not be started")?, limit, |line| {
        // Whoever reads the console may have gone; the machine goes on to its end.
        writeln!(stdout, "{line}").ok();
    })
}

fn qemu(accelerator: Accelerator, kernel: &Path) -> Command {
    let (accelerator, processor) = match accelerator {
        Accelerator::Kvm => ("kvm", "host"),
        Accelerator::Tcg => ("tcg", "max"),
    };
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args([
            "-accel",
            accelerator,
            "-cpu",
            processor,
            "-m",
            "1024",
            "-smp",
            "2",
        ])
        .args([
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-no-reboot",
        ])
        .args(["-append", "console=ttyS0 panic=-1 quiet"])
        .arg("-kernel")
        .arg(kernel)
        .stdin(Stdio::null());
    command
}

/// Hands each line of the console to `show` until the machine ends or the limit is over.
fn watch(mut child: Child, limit: Duration, mut show: impl FnMut(&str)) -> Result<Ending> {
    let console = child.stdout.take().context("QEMU has no console")?;
    let lines = lines(console);
    let deadline = Instant::now() + limit;
    let mut ending = Ending::Stopped;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => match enforcer_vm::exit_status(&line) {
                Some(status) => ending = Ending::Status(status),
                None if ending == Ending::Stopped => show(&line),
                // The kernel's own farewell says nothing.
                None => {}
            },
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if ending == Ending::Stopped {
                    ending = Ending::Hung;
                }
                child.kill()?;
                break;
            }
        }
    }
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

    fn ending(script: &str, limit: Duration) -> Ending {
        let child = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn();
        watch(child.expect("sh"), limit, |_| {}).expect("sh ends")
    }

    #[test]
    fn endings_are_told_apart() {
        let minute = Duration::from_mins(1);
        assert_eq!(
            ending("echo; echo 'enforcer-vm: exit status 3'", minute),
            Ending::Status(3)
        );
        assert_eq!(ending("echo 'Kernel panic'", minute), Ending::Stopped);
        assert_eq!(
            ending("exec sleep 60", Duration::from_millis(50)),
            Ending::Hung
        );
    }
}
