//! What one entry does inside its transaction.

use std::time::Duration;

use enforcer_protocol::{
    decision::{Decision, Message},
    judgement::{Judgement, Receipt},
};
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Intake, LedgerError};
use crate::{
    decide::{self, Origin, decide, decide_silent, is_same_for_gateways},
    judge::{judge, judge_silent},
    policy::Policy,
    store::{
        StoreError, changes,
        endpoints::{self, Endpoint, Reported},
        tokens,
    },
};

/// Takes a report: judged, stored, and numbered if gateways are to hear of it.
pub(super) async fn report(
    connection: &mut SqliteConnection,
    policy: &Policy,
    report_valid: Duration,
    intake: &Intake,
) -> Result<Receipt, LedgerError> {
    let id = &intake.posture.device.id;
    let last = endpoints::get(connection, id).await?;
    refuse_takeover(connection, last.as_ref(), intake).await?;

    let judgement = judge(policy, &intake.posture);
    let reported_at = decide::now();
    let origin = Origin {
        zone: intake.token.zone.clone().unwrap_or_default(),
        observed: Some(intake.observed),
        observed_by: Some(intake.observed_by),
        observed_at: Some(reported_at),
        valid_until: reported_at.checked_add(report_valid).ok(),
    };
    let decision = decide(&intake.posture, judgement.clone(), origin);
    let next = Endpoint {
        token: intake.token.id,
        reported_at,
        announced_until: None,
        decision,
    };
    let revision = put(connection, last.as_ref(), next, report_valid).await?;
    let document = serde_json::to_string(&intake.posture).map_err(StoreError::from)?;
    endpoints::put_posture(connection, id, &document).await?;
    Ok(Receipt {
        endpoint: id.clone(),
        observed: intake.observed,
        judgement,
        revision,
    })
}

/// Judges an endpoint anew by what it reported last.
pub(super) async fn review(
    connection: &mut SqliteConnection,
    policy: &Policy,
    reported: &Reported,
) -> Result<(), StoreError> {
    let Endpoint { decision: last, .. } = &reported.endpoint;
    if last.valid_until.is_none() {
        return silence(connection, policy, &reported.endpoint).await;
    }
    let origin = Origin {
        zone: last.zone.clone(),
        observed: last.observed,
        observed_by: last.observed_by,
        observed_at: last.observed_at,
        valid_until: last.valid_until,
    };
    let judgement = judge(policy, &reported.posture);
    let decision = decide(&reported.posture, judgement, origin);
    replace(connection, &reported.endpoint, decision).await
}

/// Judges an endpoint whose report has run out.
pub(super) async fn silence(
    connection: &mut SqliteConnection,
    policy: &Policy,
    endpoint: &Endpoint,
) -> Result<(), StoreError> {
    let judgement: Judgement = judge_silent(policy, endpoint.reported_at);
    let decision = decide_silent(endpoint.decision.clone(), judgement);
    replace(connection, endpoint, decision).await
}

async fn replace(
    connection: &mut SqliteConnection,
    last: &Endpoint,
    decision: Decision,
) -> Result<(), StoreError> {
    // Nothing new was reported: neither gateways nor the database need hear the same again.
    if is_same_for_gateways(&last.decision, &decision) {
        return Ok(());
    }
    let next = Endpoint {
        decision,
        ..last.clone()
    };
    put(connection, Some(last), next, Duration::MAX).await?;
    Ok(())
}

/// Stores what is now known of an endpoint, and says the revision at which gateways know it.
async fn put(
    connection: &mut SqliteConnection,
    last: Option<&Endpoint>,
    mut next: Endpoint,
    report_valid: Duration,
) -> Result<u64, StoreError> {
    let is_same = last.is_some_and(|last| is_same_for_gateways(&last.decision, &next.decision));
    let announced = last.and_then(|last| last.announced_until);
    let is_announced =
        is_same && !is_renewal_due(announced, next.decision.valid_until, report_valid);
    next.announced_until = if is_announced {
        announced
    } else {
        next.decision.valid_until
    };
    endpoints::put(connection, &next).await?;
    if is_announced {
        return changes::current(connection).await;
    }
    if !last.is_some_and(|last| has_same_addresses(&last.decision, &next.decision)) {
        endpoints::put_addresses(connection, &next.decision).await?;
    }
    log(last.map(|last| &last.decision), &next.decision);
    let decision = next.decision;
    changes::append(connection, |revision| Message::Change {
        revision,
        decision,
    })
    .await
}

/// Whether gateways must hear of a later end: half of a report's time before they would drop it.
fn is_renewal_due(
    announced: Option<Timestamp>,
    valid_until: Option<Timestamp>,
    report_valid: Duration,
) -> bool {
    let (Some(announced), Some(valid_until)) = (announced, valid_until) else {
        return false;
    };
    let gained = valid_until.duration_since(announced);
    gained.unsigned_abs() >= report_valid / 2
}

fn has_same_addresses(one: &Decision, other: &Decision) -> bool {
    let address = |decision: &Decision| decision.observed.map(|observed| observed.ip());
    one.zone == other.zone && one.claims == other.claims && address(one) == address(other)
}

/// An identifier stays with the token that it was first reported with, unless that was revoked.
async fn refuse_takeover(
    connection: &mut SqliteConnection,
    last: Option<&Endpoint>,
    intake: &Intake,
) -> Result<(), LedgerError> {
    let Some(last) = last else { return Ok(()) };
    if last.token == intake.token.id {
        return Ok(());
    }
    match tokens::holding(connection, last.token).await? {
        None => Ok(()),
        Some(owner) => Err(LedgerError::OwnedByOther {
            endpoint: last.decision.endpoint.clone(),
            owner: owner.name,
        }),
    }
}

fn log(last: Option<&Decision>, next: &Decision) {
    let Decision {
        endpoint,
        name,
        zone,
        role,
        level,
        ..
    } = next;
    if last.is_some_and(|last| (&last.role, last.level) == (role, *level)) {
        return;
    }
    let was = last.map_or("new", |last| last.role.as_str());
    tracing::info!(endpoint, ?name, zone, role, ?level, was, "decided");
}
