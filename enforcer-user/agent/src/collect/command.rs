//! Runs a program of the system and reads what it says.

use std::{ffi::OsStr, io, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

use crate::causes::Causes;

/// Package managers of slow machines with large indexes take tens of seconds.
const LIMIT: Duration = Duration::from_secs(90);

/// Where programs are looked for, whatever the agent's own environment says.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Why a program said nothing of use.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("it cannot be started")]
    Start(#[source] io::Error),
    #[error("it was stopped after {LIMIT:?}")]
    TooSlow,
    #[error("it failed ({0})")]
    Failed(std::process::ExitStatus),
}

/// The standard output of a program that succeeded; `None`, with the cause in the log, of any other.
pub async fn output(program: &str, arguments: &[&str]) -> Option<String> {
    match run(program, arguments).await {
        Ok(output) => Some(output),
        Err(error) => {
            tracing::debug!(program, ?arguments, error = %Causes(&error), "cannot be asked");
            None
        }
    }
}

/// Without a shell, and with nothing of the agent's environment: its token may stand there.
async fn run(
    program: impl AsRef<OsStr>,
    arguments: &[impl AsRef<OsStr>],
) -> Result<String, CommandError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C");
    command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let finished = timeout(LIMIT, command.output())
        .await
        .map_err(|_| CommandError::TooSlow)?;
    let finished = finished.map_err(CommandError::Start)?;
    if !finished.status.success() {
        return Err(CommandError::Failed(finished.status));
    }
    Ok(String::from_utf8_lossy(&finished.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hands_over_nothing_of_its_own_environment() {
        let output = output("env", &[]).await.unwrap();
        let mut variables: Vec<_> = output.lines().collect();
        variables.sort_unstable();
        assert_eq!(variables, ["LC_ALL=C", &format!("PATH={PATH}")]);
    }

    #[tokio::test]
    async fn a_failing_or_absent_program_says_nothing() {
        assert_eq!(output("false", &[]).await, None);
        assert_eq!(output("no-such-program", &[]).await, None);
    }
}
