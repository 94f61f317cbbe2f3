//! Step 1: a client that nobody knows.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Observed, Step};
use crate::demo::addresses::{HTTP, WEB};
use crate::demo::gateway::is_portal;
use crate::demo::stage::Stage;

/// A browser waits longer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) const STEP: Step = Step {
    expected: "an unknown client fetches a page: it is held while the management server is asked, and stopped since that knows nothing of it",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    let begun = Instant::now();
    let answer = stage.laptop.get(WEB.v4(HTTP), "/", PATIENCE)?;
    let took = begun.elapsed().as_millis();
    ensure!(
        is_portal(&answer),
        "the client got {answer}, not the portal"
    );
    let metrics = stage.gateway.metrics()?;
    let opened = metrics.packets("xdp", "pass", "first_packet");
    let held = metrics.packets("tc_egress", "drop", "held");
    let unknown = metrics.sum("enforcer_queries_total", &[("result", "unknown")]);
    ensure!(
        opened > 0 && held > 0,
        "{opened} first packets went out, and {held} replies were held"
    );
    ensure!(
        unknown > 0,
        "the management server was not asked, or knew of it"
    );
    Ok(Observed::new(format!(
        "its first packet went out ({opened}) and the reply was held ({held}); the management server was asked \
         ({unknown}) and knew nothing; after {took} ms the client stood before the portal ({answer})"
    )))
}
