//! Step 5: a host is cut off in the middle of a download.

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::{Observed, Step};
use crate::demo::addresses::{HTTP, WEB};
use crate::demo::answer;
use crate::demo::gateway::Gateway;
use crate::demo::namespace::output;
use crate::demo::posture::Upkeep;
use crate::demo::report::milliseconds;
use crate::demo::stage::Stage;
use crate::demo::wait;
use crate::demo::web::DOWNLOAD;

/// The longest from the management server's decision to the last packet.
const LIMIT: Duration = Duration::from_millis(20);
/// A download is over when nothing has come for so long.
const SILENCE: Duration = Duration::from_secs(1);
/// It is under way when so much has come.
const UNDER_WAY: u64 = 32 << 20;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const STEP: Step = Step {
    expected: "a long download is running when its host becomes non-compliant: the last packet comes within 20 ms of the server's decision",
    play,
};

/// What else the machine does may hold up a single one.
const TRIES: usize = 3;

fn play(stage: &mut Stage) -> Result<Observed> {
    let mut late = Vec::new();
    loop {
        let (text, after_decision) = cut(stage)?;
        if after_decision < wait::patient(LIMIT) {
            return Ok(Observed::timed(text, after_decision));
        }
        late.push(text);
        ensure!(late.len() < TRIES, "{}", late.join("; then "));
        mend(stage)?;
    }
}

fn mend(stage: &Stage) -> Result<()> {
    let client = &stage.desktop;
    let receipt = client.report(Upkeep::Good, stage.management.contact())?;
    ensure!(
        receipt.role == "authorized",
        "the report gave it the role {}",
        receipt.role
    );
    Ok(())
}

/// Cuts a host off; how long after the decision the last packet came, in words, too.
fn cut(stage: &Stage) -> Result<(String, Duration)> {
    let client = &stage.desktop;
    let begun = SystemTime::now();
    let stream = client
        .namespace
        .enter(|| answer::ask(WEB.v4(HTTP), DOWNLOAD, SILENCE, SILENCE))??;
    let (bytes, download) = read(stream.try_clone()?);
    wait::until("the download is under way", PATIENCE, || {
        Ok((bytes.load(Ordering::Relaxed) >= UNDER_WAY).then_some(()))
    })?;
    let reported = SystemTime::now();
    let receipt = client.report(Upkeep::Neglected, stage.management.contact())?;
    ensure!(
        receipt.role == "quarantine",
        "the report gave it the role {}",
        receipt.role
    );
    let ended = wait::until("the download ends", PATIENCE, || {
        Ok(download.is_finished().then_some(()))
    });
    // It must not go on into the next steps.
    let _ = stream.shutdown(Shutdown::Both);
    ended?;
    let last = download.join().ok().context("the download has failed")?;
    ensure!(last > reported, "the download had ended by itself");
    let decided = judged_at(&stage.gateway, &client.addresses.v4.to_string())?;
    // The last packet may have come before the decision's own clock was read to the next millisecond.
    let after_decision = last.duration_since(decided).unwrap_or_default();
    let after_report = last.duration_since(reported)?;
    let bytes = bytes.load(Ordering::Relaxed);
    let running = last.duration_since(begun)?;
    let text = format!(
        "after {} MB at {} MB/s the last packet came {} ms after the decision, {} ms after the report",
        bytes / 1_000_000,
        u128::from(bytes) / running.as_micros().max(1),
        milliseconds(after_decision),
        milliseconds(after_report)
    );
    Ok((text, after_decision))
}

/// Reads until the connection breaks or falls silent, and says when the last of it came.
fn read(mut stream: TcpStream) -> (Arc<AtomicU64>, JoinHandle<SystemTime>) {
    let bytes = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&bytes);
    let thread = thread::spawn(move || {
        let mut buffer = vec![0; 256 << 10];
        let mut last = SystemTime::now();
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            last = SystemTime::now();
            count.fetch_add(length as u64, Ordering::Relaxed);
        }
        last
    });
    (bytes, thread)
}

/// When the management server decided of a host, by what the gateway knows of it.
fn judged_at(gateway: &Gateway, address: &str) -> Result<SystemTime> {
    let hosts = gateway.control(&["hosts"])?;
    let hosts = hosts["hosts"].as_array().context("no list of hosts")?;
    let host = hosts
        .iter()
        .find(|host| host["address"] == address)
        .with_context(|| format!("the gateway does not know {address}"))?;
    let time = host["judged_at"].as_str().context("no time of judgement")?;
    let printed = output(Command::new("date").args(["--date", time, "+%s%3N"]))?;
    let since = Duration::from_millis(printed.trim().parse()?);
    Ok(UNIX_EPOCH + since)
}
