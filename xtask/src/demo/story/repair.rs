//! Step 4: the client that did not comply is repaired.

use anyhow::Result;

use super::comply::admit;
use super::{Observed, Step};
use crate::demo::stage::Stage;

pub(super) const STEP: Step = Step {
    expected: "it repairs itself, reports, and passes; the first reply comes within 100 ms of the report",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    admit(&stage.desktop, stage.management.contact())?.observed()
}
