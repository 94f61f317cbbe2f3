//! Reports again and again: at once, at an interval, and when something changed.

use std::{error::Error, time::Duration};

use enforcer_protocol::{
    judgement::{Level, Receipt},
    posture::Device,
};

use crate::{
    backoff::{Backoff, shortened},
    client::{Client, ReportError},
    collect,
    watch::Watch,
};

/// The part of the interval by which each is shortened at random, so that the agents of a network that
/// was switched on at once do not all report at once for ever after.
const SPREAD: f64 = 0.1;

/// Reports the posture of one endpoint.
#[derive(Debug)]
pub struct Reporter {
    client: Client,
    device: Device,
    interval: Duration,
    backoff: Backoff,
    level: Option<Level>,
}

impl Reporter {
    /// Reports on this device through this client, at least once in this interval.
    pub fn new(client: Client, device: Device, interval: Duration) -> Self {
        Self {
            client,
            device,
            interval,
            backoff: Backoff::default(),
            level: None,
        }
    }

    /// Reports until `stop` is done; what is under way then is broken off.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => tracing::info!("stopped"),
            () = self.report_for_ever() => {}
        }
    }

    async fn report_for_ever(&mut self) {
        // Before the first report, so that no change falls between the two.
        let mut watch = Watch::begin();
        loop {
            let wait = self.report().await;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                change = watch.changed() => tracing::info!("{change} changed; reporting now"),
            }
        }
    }

    /// Reports once; says how long to wait for the next time.
    async fn report(&mut self) -> Duration {
        let posture = collect::posture(self.device.clone()).await;
        match self.client.report(&posture).await {
            Ok(receipt) => {
                self.accepted(&receipt);
                shortened(self.interval, SPREAD)
            }
            Err(error) => self.failed(&error),
        }
    }

    fn accepted(&mut self, receipt: &Receipt) {
        self.backoff.reset();
        let judgement = &receipt.judgement;
        let (level, role) = (judgement.level, judgement.role.as_str());
        let before = self.level.replace(level);
        if before == Some(level) {
            tracing::debug!(?level, role, "reported");
            return;
        }
        let observed = receipt.observed;
        tracing::info!(?before, ?level, role, %observed, "the server judged this device");
        for reason in &judgement.reasons {
            tracing::warn!(
                rule = reason.rule,
                remedy = reason.remedy,
                "{}",
                reason.text
            );
        }
    }

    fn failed(&mut self, error: &ReportError) -> Duration {
        let cause = error as &dyn Error;
        if !error.is_passing() {
            let retry = self.interval;
            tracing::error!(error = cause, ?retry, "not reported");
            return retry;
        }
        let retry = self.backoff.next().min(self.interval);
        tracing::warn!(error = cause, ?retry, "not reported");
        retry
    }
}
