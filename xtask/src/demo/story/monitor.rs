//! Step 6: monitor mode.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{Observed, Step};
use crate::demo::addresses::{ECHO, HTTP, HTTPS, WEB};
use crate::demo::client::Client;
use crate::demo::gateway::{Gateway, is_portal};
use crate::demo::metrics::Metrics;
use crate::demo::stage::Stage;
use crate::demo::wait;

/// How long an answer may take.
const ANSWERING: Duration = Duration::from_secs(1);
/// How long the gateway may take to say something in its log: of one host it does so once a second.
const LOGGING: Duration = Duration::from_secs(5);

pub(super) const STEP: Step = Step {
    expected: "monitor mode: the same host passes, is counted as would-stop, and the log says so; back in enforce mode it is stopped",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    let Stage {
        gateway, desktop, ..
    } = stage;
    gateway.control(&["mode", "monitor"])?;
    let monitored = monitored(gateway, desktop);
    // Whatever was seen, the steps that follow are told in enforce mode.
    gateway.control(&["mode", "enforce"])?;
    let monitored = monitored?;
    let answer = desktop.get(WEB.v4(HTTP), "/", ANSWERING)?;
    ensure!(is_portal(&answer), "back in enforce mode it got {answer}");
    Ok(Observed::new(format!(
        "{monitored}; back in enforce mode: {answer}"
    )))
}

/// What is seen of a host that would be stopped.
fn monitored(gateway: &Gateway, client: &Client) -> Result<String> {
    let before = would_stop(&gateway.metrics()?);
    let mut fetched = 0;
    let words = wait::until("the log says what would be stopped", LOGGING, || {
        for server in [WEB.v4(HTTP), WEB.v6(HTTP), WEB.v4(HTTPS)] {
            let answer = client.get(server, "/", ANSWERING)?;
            ensure!(answer.is_page(), "{server} answered {answer}");
            fetched += 1;
        }
        ensure!(client.echoes(WEB.v4(ECHO), ANSWERING)?, "UDP got nothing");
        let log = gateway.log()?;
        Ok(words_on(&log, &client.addresses.v4.to_string()))
    })?;
    let counted = would_stop(&gateway.metrics()?) - before;
    ensure!(counted > 0, "nothing was counted as would-stop");
    let log = gateway.log()?;
    let switched = log
        .iter()
        .any(|line| line["message"] == "mode switched" && line["mode"] == "monitor");
    ensure!(switched, "the log does not say that the mode was switched");
    Ok(format!(
        "{fetched} pages came through, {counted} packets were counted as would-stop, and the log said of the host: {words}"
    ))
}

/// What the log says of a host that would be stopped.
fn words_on(log: &[Value], address: &str) -> Option<String> {
    let mut stops = log.iter().filter(|line| line["target"] == "stops");
    let said = stops.find(|line| line["monitored"] == true && line["host"] == address)?;
    said["message"].as_str().map(str::to_owned)
}

fn would_stop(metrics: &Metrics) -> u64 {
    metrics.sum("enforcer_packets_total", &[("verdict", "would_stop")])
}
