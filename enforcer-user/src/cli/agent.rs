//! `enforcer agent …`.

use std::{
    fs,
    io::{self, Write},
    iter,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use enforcer_agent::{
    client::Client, collect, device, level, reporter::Reporter, server_url::ServerUrl, token::Token,
};
use enforcer_protocol::{
    judgement::{Reason, Receipt},
    pin::Pin,
    posture::{Device, Posture},
};
use jiff::SignedDuration;
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use super::output::{self, Format};

/// What the agent can be told.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Report the posture once, and print what the server makes of it.
    ///
    /// Exits with 0 when the server took the report, whatever its judgement; with 1 when it did not or
    /// could not be asked; with 2 when this command line is wrong.
    Report {
        #[command(flatten)]
        server: ServerArgs,
        /// Report this posture instead of collecting one (`-` for standard input).
        #[arg(long, value_name = "FILE", conflicts_with_all = ["device_id", "owner"])]
        file: Option<PathBuf>,
        #[command(flatten)]
        device: DeviceArgs,
    },
    /// Print the posture that would be reported, as JSON.
    Collect {
        #[command(flatten)]
        device: DeviceArgs,
    },
    /// Report at once, at an interval, and whenever packages or addresses change.
    Run {
        #[command(flatten)]
        server: ServerArgs,
        /// The longest time between two reports, such as `10m`.
        #[arg(long, default_value = "10m", value_name = "TIME", value_parser = parse_interval)]
        interval: Duration,
        #[command(flatten)]
        device: DeviceArgs,
    },
}

/// Which server is reported to.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// The management server, `https://HOST:PORT`.
    #[arg(long, value_name = "URL")]
    server: ServerUrl,
    /// The fingerprint of its certificate, `sha256:` and 64 hexadecimal digits.
    #[arg(long)]
    pin: Pin,
    /// The file that holds the agent's token, readable by nobody else. Without it the token is taken from
    /// the environment variable `ENFORCER_TOKEN`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Which device is reported on.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// Report as this device instead of under the identifier in /etc/machine-id.
    #[arg(long, value_name = "ID")]
    device_id: Option<String>,
    /// Who uses the device.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
}

impl AgentCommand {
    /// Runs the command.
    pub fn run(self, format: Format) -> anyhow::Result<()> {
        match self {
            Self::Report {
                server,
                file,
                device,
            } => {
                let client = server.client()?;
                let receipt = runtime()?.block_on(async {
                    let posture = match &file {
                        Some(file) => read_posture(file)?,
                        None => collect::posture(device.find()?).await,
                    };
                    anyhow::Ok(client.report(&posture).await?)
                })?;
                output::print(format, &receipt, describe)
            }
            Self::Collect { device } => {
                let posture = runtime()?.block_on(collect::posture(device.find()?));
                // A posture is made to be edited and sent: it is JSON for people, too.
                let text = serde_json::to_string_pretty(&posture)?;
                writeln!(io::stdout(), "{text}").context("the posture cannot be printed")
            }
            Self::Run {
                server,
                interval,
                device,
            } => {
                let reporter = Reporter::new(server.client()?, device.find()?, interval);
                runtime()?.block_on(async {
                    let stop = stop_signal()?;
                    reporter.run(stop).await;
                    Ok(())
                })
            }
        }
    }
}

impl ServerArgs {
    fn client(self) -> anyhow::Result<Client> {
        let token = Token::find(self.token_file.as_deref())?;
        Ok(Client::new(self.server, self.pin, &token)?)
    }
}

impl DeviceArgs {
    fn find(self) -> anyhow::Result<Device> {
        Ok(device::this(self.device_id, self.owner)?)
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the async runtime cannot be started")
}

/// Done when the service manager or the terminal asks to stop.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("signals cannot be listened to");
    let mut terminate: Signal = listen(SignalKind::terminate())?;
    let mut interrupt: Signal = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// From a file, or from standard input when the file is `-`.
fn read_posture(file: &Path) -> anyhow::Result<Posture> {
    let (text, name) = if file == Path::new("-") {
        (io::read_to_string(io::stdin()), "standard input".into())
    } else {
        (fs::read_to_string(file), file.to_string_lossy())
    };
    let text = text.with_context(|| format!("the posture in {name} cannot be read"))?;
    serde_json::from_str(&text).with_context(|| {
        format!("{name} holds no posture; `enforcer agent collect` prints one to start from")
    })
}

/// At least a second, at most a day: `10m`, `1h 30m`, `45s`.
fn parse_interval(text: &str) -> anyhow::Result<Duration> {
    let time: SignedDuration = text.parse().context("write a time such as `10m` or `1h`")?;
    let range = SignedDuration::from_secs(1)..=SignedDuration::from_hours(24);
    if !range.contains(&time) {
        bail!("the interval must be from 1s to 24h");
    }
    Ok(time.unsigned_abs())
}

fn describe(receipt: &Receipt) -> String {
    let judgement = &receipt.judgement;
    let facts = format!(
        "level     {}\nrole      {}\nendpoint  {}\nobserved  {}\nrevision  {}",
        level::word(judgement.level),
        judgement.role,
        receipt.endpoint,
        receipt.observed,
        receipt.revision,
    );
    let reasons = judgement.reasons.iter().map(describe_reason);
    iter::once(facts)
        .chain(reasons)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn describe_reason(reason: &Reason) -> String {
    let failed = format!("{}: {}", reason.rule, reason.text);
    let remedy = reason
        .remedy
        .iter()
        .map(|remedy| format!("  to mend it: {remedy}"));
    let link = reason.link.iter().map(|link| format!("  see {link}"));
    iter::once(failed)
        .chain(remedy)
        .chain(link)
        .collect::<Vec<_>>()
        .join("\n")
}
