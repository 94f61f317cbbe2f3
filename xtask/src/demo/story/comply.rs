//! Step 2: a client that complies.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Observed, Step};
use crate::demo::addresses::{HTTP, WEB};
use crate::demo::answer::Answer;
use crate::demo::client::Client;
use crate::demo::management::Contact;
use crate::demo::posture::Upkeep;
use crate::demo::report::milliseconds;
use crate::demo::stage::Stage;
use crate::demo::wait::patient;
use crate::demo::watch::IMPATIENT;

/// The longest that a client may wait for its first reply after its report.
const LIMIT: Duration = Duration::from_millis(100);
/// After this it is not waited for any more.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) const STEP: Step = Step {
    expected: "a compliant client reports and fetches pages over IPv4 and IPv6; the first reply comes within 100 ms of the report",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    let admission = admit(&stage.laptop, stage.management.contact())?;
    admission.observed()
}

/// How long after its report a client was let in.
pub(super) struct Admission {
    v4: Duration,
    v6: Duration,
}

/// Has a client that is in order report, and waits until it is let in over IPv4 and IPv6.
pub(super) fn admit(client: &Client, server: &Contact) -> Result<Admission> {
    let begun = Instant::now();
    let mut watches = [
        client.watch(WEB.v4(HTTP), IMPATIENT)?,
        client.watch(WEB.v6(HTTP), IMPATIENT)?,
    ];
    for watch in &mut watches {
        watch.first("no page yet", PATIENCE, begun, |answer| !answer.is_page())?;
    }
    let receipt = client.report(Upkeep::Good, server)?;
    ensure!(
        receipt.role == "authorized",
        "the report gave it the role {}",
        receipt.role
    );
    let [v4, v6] = watches.each_mut().map(|watch| {
        let what = "a page after the report";
        watch.first(what, PATIENCE, receipt.sent, Answer::is_page)
    });
    Ok(Admission {
        v4: v4?.duration_since(receipt.sent),
        v6: v6?.duration_since(receipt.sent),
    })
}

impl Admission {
    /// What was seen, if it was quick enough.
    pub(super) fn observed(&self) -> Result<Observed> {
        let Self { v4, v6 } = self;
        let text = format!(
            "from report to first reply {} ms over IPv4, {} ms over IPv6",
            milliseconds(*v4),
            milliseconds(*v6)
        );
        let longest = *v4.max(v6);
        ensure!(longest < patient(LIMIT), "{text}");
        Ok(Observed::timed(text, longest))
    }
}
