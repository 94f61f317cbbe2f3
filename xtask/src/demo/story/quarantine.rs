//! Step 3: a client that does not comply.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{Observed, Step};
use crate::demo::addresses::{ECHO, HTTP, HTTPS, REMEDIATION, WEB};
use crate::demo::answer::Answer;
use crate::demo::client::{Client, Receipt};
use crate::demo::gateway::is_portal;
use crate::demo::posture::Upkeep;
use crate::demo::stage::Stage;
use crate::demo::wait;

/// How long an answer may take where there is to be one.
const ANSWERING: Duration = Duration::from_secs(1);
/// How long nothing comes where nothing is to come.
const SILENCE: Duration = Duration::from_millis(300);
/// How long the gateway may take to hear of a report.
const HEARING: Duration = Duration::from_secs(2);

pub(super) const STEP: Step = Step {
    expected: "a client that does not comply: HTTP shows the portal with its own reasons, TCP 443 is reset, UDP and ping are dropped, the remediation server answers",
    play,
};

fn play(stage: &mut Stage) -> Result<Observed> {
    // What is silent for one client must speak to another, or the silence proves nothing.
    passes(&stage.laptop)?;
    let client = &stage.desktop;
    let receipt = client.report(Upkeep::Neglected, stage.management.contact())?;
    ensure!(
        receipt.role == "quarantine" && !receipt.reasons.is_empty(),
        "the report gave it the role {}, for {} reasons",
        receipt.role,
        receipt.reasons.len()
    );
    let mut portals = Vec::new();
    for server in [WEB.v4(HTTP), WEB.v6(HTTP)] {
        let answer = wait::until("HTTP leads to the portal", HEARING, || {
            let answer = client.get(server, "/", SILENCE)?;
            Ok(is_portal(&answer).then_some(answer))
        })?;
        portals.push(portal(client, &answer, &receipt)?);
    }
    let mut resets = Vec::new();
    for server in [WEB.v4(HTTPS), WEB.v6(HTTPS)] {
        let begun = Instant::now();
        let answer = client.get(server, "/", ANSWERING)?;
        ensure!(matches!(answer, Answer::Reset), "TCP 443 got {answer}");
        resets.push(begun.elapsed());
    }
    for server in [WEB.v4(ECHO), WEB.v6(ECHO)] {
        ensure!(!client.echoes(server, SILENCE)?, "UDP came through");
    }
    ensure!(!client.pings(WEB.v4(ECHO))?, "ping came through");
    for server in [REMEDIATION.v4(HTTP), REMEDIATION.v6(HTTP)] {
        let answer = client.get(server, "/", ANSWERING)?;
        ensure!(answer.is_page(), "the remediation server: {answer}");
    }
    let slowest = resets.iter().max().map_or(0.0, Duration::as_secs_f64) * 1000.0;
    Ok(Observed::new(format!(
        "HTTP led to {}, which named {} reasons ({}); 443 was reset within {slowest:.1} ms; \
         UDP and ping got nothing; the remediation server answered",
        portals.join(" and "),
        receipt.reasons.len(),
        reasons(&receipt),
    )))
}

/// Everything that the client in quarantine is denied works for one that complies.
fn passes(client: &Client) -> Result<()> {
    let answer = client.get(WEB.v4(HTTPS), "/", ANSWERING)?;
    ensure!(
        answer.is_page(),
        "TCP 443 of the compliant client got {answer}"
    );
    for server in [WEB.v4(ECHO), WEB.v6(ECHO)] {
        ensure!(
            client.echoes(server, ANSWERING)?,
            "UDP of the compliant client got nothing"
        );
    }
    ensure!(
        client.pings(WEB.v4(ECHO))?,
        "ping of the compliant client got nothing"
    );
    Ok(())
}

/// Follows the way to the portal, and finds there what the client has to mend.
fn portal(client: &Client, answer: &Answer, receipt: &Receipt) -> Result<String> {
    let url = answer.leads_to().context("HTTP leads nowhere")?;
    let address = url.strip_prefix("http://").and_then(|rest| {
        let address = rest.split('/').next()?;
        address.parse().ok()
    });
    let address = address.with_context(|| format!("{url} names no address"))?;
    let page = client.get(address, "/", ANSWERING)?;
    let Some(text) = page.page() else {
        bail!("the portal {url} answers {page}");
    };
    for reason in &receipt.reasons {
        for words in std::iter::once(&reason.text).chain(&reason.remedy) {
            ensure!(text.contains(words), "the portal does not say: {words}");
        }
    }
    Ok(url.to_owned())
}

fn reasons(receipt: &Receipt) -> String {
    let texts = receipt.reasons.iter().map(|reason| &*reason.text);
    texts.collect::<Vec<_>>().join("; ")
}
