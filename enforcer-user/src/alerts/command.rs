//! Alerts as programs on this machine. The one place where the gateway starts what is not its own.
//!
//! No shell: the arguments are those of the configuration, and what happened is in the environment. The program is another
//! user than the gateway, has nothing of its environment, and leads a process group, which ends with it, or at its limit.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStderr},
    task::spawn_blocking,
    time::timeout,
};

use super::{Alert, alert::cleaned, failure::Failure, target::Identity};
use crate::config::Command;

/// Where programs find other programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What each field of the alert begins with, as a variable.
const PREFIX: &str = "ENFORCER_";

/// The most of what it says that is read.
const MOST_SAID: u64 = 4096;

/// How long what it has said may take to be read.
const SAYING: Duration = Duration::from_millis(100);

/// Runs a command, and waits until it has ended.
pub(super) async fn run(
    command: &Command,
    as_whom: &Identity,
    alert: &Alert,
) -> Result<(), Failure> {
    let program = &command.program;
    let mut child = spawn(command, as_whom, alert)?;
    let said = child.stderr.take();
    let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()) else {
        return Ok(());
    };
    // Declared behind the child: it ends before the number can be another's.
    let group = Group(Pid::from_raw(group));
    let leader = group.0;
    let ended = timeout(command.limit, spawn_blocking(move || ended(leader))).await;
    drop(group);
    let said = match said {
        Some(said) => last_line(said).await,
        None => String::new(),
    };
    let status = child.wait().await;
    if ended.is_err() {
        let (to, limit) = (program.display().to_string(), command.limit);
        return Err(Failure::Slow { to, limit });
    }
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(command, status, said)),
        Err(cause) => Err(Failure::Start {
            program: program.clone(),
            cause,
        }),
    }
}

fn failed(command: &Command, status: ExitStatus, said: String) -> Failure {
    Failure::Failed {
        program: command.program.clone(),
        status,
        said,
    }
}

fn spawn(command: &Command, as_whom: &Identity, alert: &Alert) -> Result<Child, Failure> {
    let fields = alert.fields();
    let variables = fields
        .iter()
        .map(|(name, value)| (format!("{PREFIX}{}", name.to_uppercase()), value));
    let mut prepared = tokio::process::Command::new(&command.program);
    prepared
        .args(&command.arguments)
        .env_clear()
        .env("PATH", PATH)
        .envs(variables)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0);
    match as_whom {
        Identity::Own => {}
        Identity::User(user, group) => _ = prepared.uid(*user).gid(*group),
        Identity::Missing(name) => return Err(Failure::NoUser(name.clone())),
    }
    prepared.spawn().map_err(|cause| Failure::Start {
        program: command.program.clone(),
        cause,
    })
}

/// The process group of a command; killed when dropped.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // It may be empty already.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

/// Waits until the leader has ended, and leaves it where it is: as long as nobody has collected it, its number is its own.
fn ended(leader: Pid) -> io::Result<()> {
    waitid(Id::Pid(leader), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)?;
    Ok(())
}

/// The last line of what it said. Nobody of its group writes any more; whoever left the group is not waited for.
async fn last_line(said: ChildStderr) -> String {
    let mut bytes = Vec::new();
    let mut said = said.take(MOST_SAID);
    let _ = timeout(SAYING, said.read_to_end(&mut bytes)).await;
    let text = String::from_utf8_lossy(&bytes);
    cleaned(text.trim_end().lines().last().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{super::alert::tests::alert, *};

    async fn shell(script: &str, limit: Duration) -> Result<(), Failure> {
        let command = Command {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            limit,
            user: None,
        };
        run(&command, &Identity::Own, &alert("quarantine")).await
    }

    #[tokio::test]
    async fn a_program_knows_what_happened_and_nothing_else() {
        let script = "test \"$ENFORCER_ROLE\" = quarantine && test \"$ENFORCER_REASONS\" = firewall,updates \
                      && test -z \"$HOME$CARGO_MANIFEST_DIR\"";
        shell(script, Duration::from_secs(10))
            .await
            .expect("it knows");
    }

    #[tokio::test]
    async fn what_fails_says_why() {
        let error = shell(
            "echo first >&2; echo no paper >&2; exit 3",
            Duration::from_secs(10),
        )
        .await
        .expect_err("a failure");
        assert_eq!(
            error.to_string(),
            "/bin/sh failed (exit status: 3): no paper"
        );
        let command = Command {
            program: "/nonexistent/tell".into(),
            arguments: Vec::new(),
            limit: Duration::from_secs(1),
            user: None,
        };
        let alert = alert("quarantine");
        let error = run(&command, &Identity::Own, &alert).await;
        assert!(matches!(error, Err(Failure::Start { .. })), "{error:?}");
        let error = run(&command, &Identity::Missing("nobody7".to_owned()), &alert).await;
        assert!(matches!(error, Err(Failure::NoUser(_))), "{error:?}");
    }

    #[tokio::test]
    async fn what_hangs_ends_at_its_limit_with_its_children() {
        let folder = tempfile::tempdir().expect("a folder");
        let pid = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", pid.display());
        let begin = Instant::now();
        let error = shell(&script, Duration::from_secs(1)).await;
        assert!(matches!(error, Err(Failure::Slow { .. })), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(10));
        let child = std::fs::read_to_string(&pid).expect("the number of its child");
        let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        // Ended; perhaps nobody has collected it yet.
        assert!(state.is_err() || state.is_ok_and(|stat| stat.contains(") Z ")));
    }

    #[tokio::test]
    async fn what_is_left_behind_ends_with_it() {
        let begin = Instant::now();
        shell("sleep 1000 & exit 0", Duration::from_secs(30))
            .await
            .expect("it ends well");
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
