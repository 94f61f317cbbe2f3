//! Restarts, damage, policies that change.

use std::{
    fs,
    io::{Seek, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use enforcer_protocol::judgement::Level;
use enforcer_server::{ServeError, Server, store::StoreError};
use nix::sys::signal::{Signal, raise};

use crate::fixture::{Fixture, failing, posture};

const STRICT: &str = "[[rule]]\nname = 'os'\nlevel = 'danger'\ntext = 'Old'\ncheck.minimum_os = { version = '13' }\n";

#[tokio::test]
async fn a_restart_keeps_everything() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let pin = fs::read_to_string(fixture.config.state_dir.join("server.pin"))?;
    let revision = fixture.report(&failing("laptop")).await?.revision;
    fixture.stop().await?;
    for gone in ["server.addr", "server.db-wal"] {
        assert!(!fixture.config.state_dir.join(gone).exists(), "{gone}");
    }
    fixture.resume().await?;

    assert_eq!(
        fs::read_to_string(fixture.config.state_dir.join("server.pin"))?,
        pin
    );
    let mut stream = fixture.stream(Some(revision)).await?;
    stream
        .next()
        .await?
        .context("a heartbeat, nothing having changed")?;
    let (now, rows) = fixture.stream(None).await?.snapshot().await?;
    assert!(now >= revision, "revisions only grow");
    assert_eq!(rows[0].level, Level::Warning);
    assert!(fixture.report(&posture("laptop")).await?.revision > now);
    assert_eq!(stream.change().await?.1.level, Level::Safe);
    Ok(())
}

#[tokio::test]
async fn a_restored_backup_makes_higher_revisions_and_is_not_resumed() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let database = fixture.config.state_dir.join("server.db");
    fixture.report(&failing("laptop")).await?;
    fixture.stop().await?;
    let backup = fs::read(&database)?;
    fixture.resume().await?;
    let lost = fixture.report(&posture("laptop")).await?.revision;
    fixture.stop().await?;
    fs::write(&database, backup)?;
    fixture.resume().await?;

    let (revision, rows) = fixture.stream(Some(lost)).await?.snapshot().await?;
    assert!(revision > lost);
    assert_eq!(rows[0].level, Level::Warning);
    Ok(())
}

#[tokio::test]
async fn one_server_for_one_state() -> Result<()> {
    let fixture = Fixture::start().await?;
    let second = Server::start(fixture.config.clone())
        .await
        .unwrap_err()
        .to_string();
    assert!(second.contains("another server"), "{second}");
    Ok(())
}

/// Overwrites pages in the middle of the database and says what it then is.
fn damage(database: &PathBuf) -> Result<Vec<u8>> {
    let mut file = fs::OpenOptions::new().write(true).open(database)?;
    file.seek(std::io::SeekFrom::Start(4096))?;
    file.write_all(&[0x5a; 8192])?;
    Ok(fs::read(database)?)
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_kept() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let database = fixture.config.state_dir.join("server.db");
    fixture.report(&posture("laptop")).await?;
    fixture.stop().await?;
    let damaged = damage(&database)?;

    let refused = fixture.resume().await.unwrap_err();
    assert!(matches!(
        refused.downcast_ref(),
        Some(ServeError::Store(StoreError::Corrupt { .. }))
    ));
    assert!(
        refused.to_string().contains("--set-aside-corrupt"),
        "{refused}"
    );
    assert_eq!(fs::read(&database)?, damaged, "left as it was");
    let refused = fixture.admin().await.unwrap_err().to_string();
    assert!(refused.contains("damaged"), "{refused}");
    assert_eq!(
        fs::read(&database)?,
        damaged,
        "nor by the operator's commands"
    );

    fixture.config.set_aside_corrupt = true;
    fixture.resume().await?;
    let kept: Vec<PathBuf> = fs::read_dir(&fixture.config.state_dir)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().contains("server.db.corrupt-"))
        .filter(|path| path.to_string_lossy().ends_with('Z'))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(fs::read(&kept[0])?, damaged);
    Ok(())
}

#[tokio::test]
async fn what_is_no_database_is_refused() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    fixture.stop().await?;
    let database = fixture.config.state_dir.join("server.db");
    fs::write(&database, "notes of the operator".repeat(100))?;
    let refused = fixture.resume().await.unwrap_err().to_string();
    assert!(refused.contains("damaged"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_policy_is_adopted_whole_or_not_at_all() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let policy = fixture.config.state_dir.join("policy.toml");
    fs::write(&policy, "")?;
    fixture.config.policy = Some(policy.clone());
    fixture.stop().await?;
    fixture.resume().await?;
    assert_eq!(
        fixture.report(&failing("a")).await?.judgement.level,
        Level::Safe
    );
    let mut stream = fixture.stream(None).await?;
    stream.snapshot().await?;

    fs::write(&policy, format!("{STRICT}lvel = 'x'\n"))?;
    raise(Signal::SIGHUP)?;
    // Were it adopted, this report would be a danger and the next change.
    fixture.report(&posture("b")).await?;
    let (_, decision) = stream.change().await?;
    assert_eq!(
        (decision.endpoint.as_str(), decision.level),
        ("b", Level::Safe)
    );

    fs::write(&policy, STRICT)?;
    raise(Signal::SIGHUP)?;
    for endpoint in ["a", "b"] {
        let (_, decision) = stream.change().await?;
        assert_eq!(
            (decision.endpoint.as_str(), decision.level),
            (endpoint, Level::Danger)
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_new_policy_at_the_start_judges_what_is_stored() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    fixture.report(&posture("laptop")).await?;
    fixture.stop().await?;
    let policy = fixture.config.state_dir.join("policy.toml");
    fs::write(&policy, STRICT)?;
    fixture.config.policy = Some(policy);
    fixture.resume().await?;
    let (_, rows) = fixture.stream(None).await?.snapshot().await?;
    assert_eq!(rows[0].level, Level::Danger);
    Ok(())
}

#[tokio::test]
async fn a_wrong_policy_stops_the_start() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    fixture.stop().await?;
    fixture.config.policy = Some(fixture.config.state_dir.join("absent.toml"));
    let refused = fixture.resume().await.unwrap_err().to_string();
    assert!(refused.contains("absent.toml"), "{refused}");
    Ok(())
}
