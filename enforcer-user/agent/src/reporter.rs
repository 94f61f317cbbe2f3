//! Reports again and again: at once, at an interval, and when something changed.

use std::time::Duration;

use enforcer_protocol::{
    judgement::{Level, Receipt},
    posture::{Device, Posture},
};
use tokio::time::{Instant, sleep};

use crate::{
    backoff::{Backoff, shortened},
    causes::Causes,
    client::{Client, ReportError},
    collect, level,
    watch::{Change, Watch},
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
    /// What the server said last; `None` when that is not known to hold.
    level: Option<Level>,
}

/// A posture, and when it was collected.
struct Collected {
    posture: Posture,
    at: Instant,
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
        // Before anything is collected, so that no change falls between the two.
        let mut watch = Watch::begin();
        let mut collected = self.collect().await;
        loop {
            let wait = self.report(&collected.posture).await;
            let change = tokio::select! {
                () = sleep(wait) => None,
                change = watch.changed() => Some(change),
            };
            if let Some(change) = change {
                tracing::info!("{change} changed; reporting now");
            }
            collected = self.refresh(collected, change).await;
        }
    }

    async fn collect(&self) -> Collected {
        let at = Instant::now();
        Collected {
            posture: collect::posture(self.device.clone()).await,
            at,
        }
    }

    /// Asking the package system takes seconds: it is left out where a host with a new address waits to
    /// be let through, and between attempts to reach the server.
    async fn refresh(&self, mut last: Collected, change: Option<Change>) -> Collected {
        if change == Some(Change::Packages) || last.at.elapsed() > self.interval / 2 {
            return self.collect().await;
        }
        last.posture.interfaces = collect::interfaces::with_addresses();
        last
    }

    /// Reports once; says how long to wait for the next time.
    async fn report(&mut self, posture: &Posture) -> Duration {
        match self.client.report(posture).await {
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
        let (now, role) = (level::word(judgement.level), judgement.role.as_str());
        let before = self.level.replace(judgement.level);
        if before == Some(judgement.level) {
            tracing::debug!(level = now, role, "reported");
            return;
        }
        let (before, observed) = (before.map(level::word), receipt.observed);
        tracing::info!(level = now, before, role, %observed, "the server judged this device");
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
        self.level = None;
        let cause = Causes(error);
        if !error.is_passing() {
            let retry = self.interval;
            tracing::error!(error = %cause, ?retry, "not reported");
            return retry;
        }
        let retry = self.backoff.next().min(self.interval);
        tracing::warn!(error = %cause, ?retry, "not reported");
        retry
    }
}
