//! Trying whether an alert arrives: beside all that waits, once.

use std::time::{Duration, Instant};

use tokio::{task::JoinSet, time::timeout};

use super::{Alert, Event, keep::deliver, outlet::Ordered, target::Targets};
use crate::control::{Response, alert::AlertTested};

/// How long it may take: less than the gateway has for an answer.
const LIMIT: Duration = Duration::from_secs(8);

/// Tells all of these, or the one that is named, and says what came of it.
pub(super) async fn answer(targets: Targets, ordered: Ordered) {
    let Ordered { name, by, answer } = ordered;
    let mut attempts = JoinSet::new();
    for target in targets.all {
        if name.as_ref().is_some_and(|name| *name != target.name) {
            continue;
        }
        let alert = Alert::new(Event::Test, &format!("a test, ordered by {by}"));
        attempts.spawn(async move {
            let begin = Instant::now();
            let failure = match timeout(LIMIT, deliver(&target, &alert)).await {
                Ok(Ok(())) => None,
                Ok(Err(failure)) => Some(failure.to_string()),
                Err(_) => Some(format!("no answer came within {LIMIT:?}")),
            };
            let (kind, took) = (target.kind, begin.elapsed().as_millis());
            match &failure {
                None => tracing::info!(target: "alerts", alert = target.name, %kind, "a test arrived"),
                Some(failure) => {
                    tracing::warn!(target: "alerts", alert = target.name, %kind, "a test failed: {failure}");
                }
            }
            AlertTested {
                name: target.name.clone(),
                kind,
                milliseconds: took.try_into().unwrap_or(u64::MAX),
                failure,
            }
        });
    }
    let mut tested = attempts.join_all().await;
    tested.sort_by(|one, other| one.name.cmp(&other.name));
    // Nobody may be waiting any more.
    let _ = answer.send(Ok(Response::AlertsTested(tested)));
}
