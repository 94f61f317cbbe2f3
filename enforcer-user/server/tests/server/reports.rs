//! From a report to what gateways are told.

use anyhow::{Context, Result};
use enforcer_protocol::{decision::Message, judgement::Level, posture::Software};
use enforcer_server::store::tokens::Kind;

use crate::fixture::{Fixture, failing, posture};

#[tokio::test]
async fn a_report_reaches_the_stream() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut stream = fixture.stream(None).await?;
    let (start, rows) = stream.snapshot().await?;
    assert!(rows.is_empty());

    let receipt = fixture.report(&failing("laptop")).await?;
    assert_eq!(receipt.endpoint, "laptop");
    assert_eq!(receipt.judgement.level, Level::Warning);
    assert!(receipt.revision > start);

    let (revision, decision) = stream.change().await?;
    assert_eq!(revision, receipt.revision);
    assert_eq!(decision.observed, Some(receipt.observed));
    assert_eq!(decision.observed_by, Some(fixture.address()));
    assert!(decision.observed_at.is_some());
    assert_eq!(
        (decision.role.as_str(), decision.zone.as_str()),
        ("quarantine", "lan")
    );
    assert_eq!(decision.reasons, receipt.judgement.reasons);
    assert_eq!(decision.claims.len(), 1);

    let receipt = fixture.report(&posture("laptop")).await?;
    let (revision, decision) = stream.change().await?;
    assert_eq!(revision, receipt.revision);
    assert_eq!(
        (decision.role.as_str(), decision.level),
        ("authorized", Level::Safe)
    );
    Ok(())
}

#[tokio::test]
async fn what_is_no_news_to_gateways_makes_no_revision() -> Result<()> {
    let fixture = Fixture::start().await?;
    let first = fixture.report(&posture("laptop")).await?;
    let mut more = posture("laptop");
    more.software = Some(vec![Software {
        name: "vim".to_owned(),
        version: "9".to_owned(),
    }]);
    assert_eq!(fixture.report(&more).await?.revision, first.revision);

    more.interfaces.clear();
    assert!(fixture.report(&more).await?.revision > first.revision);
    Ok(())
}

#[tokio::test]
async fn hosts_are_found_where_they_may_be_met() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.report(&posture("laptop")).await?;
    let known = async |zone, address, mac| -> Result<bool> {
        let decision = fixture.ask(zone, address, mac).await?;
        Ok(decision.is_some_and(|decision| decision.endpoint == "laptop"))
    };
    assert!(known("lan", "127.0.0.1", None).await?, "observed");
    assert!(
        known("lan", "::ffff:127.0.0.1", None).await?,
        "observed, mapped"
    );
    assert!(
        known("lan", "10.0.0.5", Some("02:00:00:00:00:05")).await?,
        "claimed"
    );
    assert!(known("lan", "10.0.0.5", Some("02:00:00:00:00:05")).await?);
    assert!(
        !known("lan", "10.0.0.5", Some("02:00:00:00:00:06")).await?,
        "another's address"
    );
    assert!(
        !known("lan", "10.0.0.5", None).await?,
        "nobody has seen the MAC address"
    );
    assert!(!known("office", "127.0.0.1", None).await?, "another zone");
    assert!(!known("lan", "10.0.0.6", None).await?, "never heard of");
    Ok(())
}

#[tokio::test]
async fn of_several_behind_one_address_the_worst_answers() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.report(&failing("bad")).await?;
    fixture.report(&posture("good")).await?;
    let decision = fixture
        .ask("lan", "127.0.0.1", None)
        .await?
        .context("known")?;
    assert_eq!(decision.endpoint, "bad");

    let (_, rows) = fixture.stream(None).await?.snapshot().await?;
    assert_eq!(rows.len(), 2, "each is decided by itself");
    Ok(())
}

#[tokio::test]
async fn a_deleted_endpoint_is_withdrawn() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.report(&posture("laptop")).await?;
    let mut stream = fixture.stream(None).await?;
    let (before, _) = stream.snapshot().await?;

    fixture.admin().await?.delete_endpoint("laptop").await?;
    let Message::Withdraw { revision, endpoint } = stream.next_news().await? else {
        panic!("a withdrawal is due");
    };
    assert_eq!(endpoint, "laptop");
    assert!(revision > before);
    assert_eq!(fixture.ask("lan", "127.0.0.1", None).await?, None);
    assert!(
        fixture
            .admin()
            .await?
            .delete_endpoint("laptop")
            .await
            .is_err()
    );
    Ok(())
}

#[tokio::test]
async fn a_report_that_runs_out_is_no_longer_believed() -> Result<()> {
    let fixture =
        Fixture::start_with(|config| config.report_valid = std::time::Duration::from_millis(300))
            .await?;
    let mut stream = fixture.stream(None).await?;
    stream.snapshot().await?;
    fixture.report(&posture("laptop")).await?;

    let (_, decision) = stream.change().await?;
    assert_eq!(decision.level, Level::Safe);
    assert!(decision.valid_until.is_some());

    let (_, decision) = stream.change().await?;
    assert_eq!(
        (decision.role.as_str(), decision.level),
        ("quarantine", Level::Unknown)
    );
    assert!(decision.reasons[0].text.contains("has not reported"));
    assert_eq!(decision.valid_until, None);

    fixture.report(&posture("laptop")).await?;
    let (_, decision) = stream.change().await?;
    assert_eq!(decision.level, Level::Safe);
    Ok(())
}

#[tokio::test]
async fn an_endpoint_stays_with_its_token() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let first = fixture.report(&failing("laptop")).await?;
    let owner = std::mem::take(&mut fixture.agent);
    fixture.agent = fixture.token(Kind::Agent, "other").await?;

    let refused = fixture
        .report(&posture("laptop"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("409") && refused.contains("`agent`"),
        "{refused}"
    );
    let decision = fixture
        .ask("lan", "127.0.0.1", None)
        .await?
        .context("known")?;
    assert_eq!(decision.level, first.judgement.level, "nothing changed");

    fixture.admin().await?.revoke_token("agent").await?;
    assert_eq!(
        fixture.report(&posture("laptop")).await?.judgement.level,
        Level::Safe
    );

    fixture.agent = owner;
    let revoked = fixture
        .report(&posture("laptop"))
        .await
        .unwrap_err()
        .to_string();
    assert!(revoked.contains("401"), "{revoked}");
    Ok(())
}
