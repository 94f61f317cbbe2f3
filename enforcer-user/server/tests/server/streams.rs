//! Streams: snapshots, resuming, heartbeats, slow readers.

use std::time::Duration;

use anyhow::{Context, Result};
use enforcer_protocol::{decision::Message, path};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::fixture::{Fixture, failing, posture};

#[tokio::test]
async fn a_gateway_resumes_where_it_was() -> Result<()> {
    let fixture = Fixture::start().await?;
    let first = fixture.report(&posture("a")).await?.revision;
    let second = fixture.report(&posture("b")).await?.revision;
    let third = fixture.report(&failing("a")).await?.revision;

    let mut stream = fixture.stream(Some(first)).await?;
    assert_eq!(stream.change().await?.0, second);
    assert_eq!(stream.change().await?.0, third);
    let end = stream.next().await?;
    assert_eq!(
        end,
        Some(Message::Heartbeat { revision: third }),
        "the gateway has everything"
    );
    let fourth = fixture.report(&posture("c")).await?.revision;
    assert_eq!(stream.change().await?.0, fourth);
    Ok(())
}

#[tokio::test]
async fn a_revision_that_is_not_known_gets_a_snapshot() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.change_log = 8).await?;
    let first = fixture.report(&posture("a")).await?.revision;
    for round in 0..20 {
        let posture = if round % 2 == 0 {
            failing("a")
        } else {
            posture("a")
        };
        fixture.report(&posture).await?;
    }
    for after in [first, 0, u64::MAX, first + 1] {
        let (revision, rows) = fixture.stream(Some(after)).await?.snapshot().await?;
        assert!(revision > first);
        assert_eq!(rows.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_large_snapshot_is_whole() -> Result<()> {
    let fixture = Fixture::start().await?;
    for i in 0..300 {
        fixture
            .report(&failing(&format!("endpoint-{i:03}")))
            .await?;
    }
    let (_, rows) = fixture.stream(None).await?.snapshot().await?;
    assert_eq!(rows.len(), 300);
    assert!(rows.is_sorted_by(|one, next| one.endpoint < next.endpoint));
    Ok(())
}

#[tokio::test]
async fn heartbeats_carry_the_revision() -> Result<()> {
    let fixture =
        Fixture::start_with(|config| config.heartbeat = Duration::from_millis(20)).await?;
    let mut stream = fixture.stream(None).await?;
    let (revision, _) = stream.snapshot().await?;
    for _ in 0..3 {
        assert_eq!(stream.next().await?, Some(Message::Heartbeat { revision }));
    }
    Ok(())
}

#[tokio::test]
async fn a_revoked_token_ends_its_stream() -> Result<()> {
    let fixture =
        Fixture::start_with(|config| config.heartbeat = Duration::from_millis(20)).await?;
    let mut stream = fixture.stream(None).await?;
    fixture.admin().await?.revoke_token("gateway").await?;
    while stream.next().await?.is_some() {}
    Ok(())
}

/// A gateway that stops reading is cut off; what it missed is there when it comes back.
#[tokio::test]
async fn a_slow_reader_is_cut_off_and_loses_nothing() -> Result<()> {
    let mut fixture = Fixture::start_with(|config| config.change_log = 512).await?;
    // Long reasons fill the socket's buffers soon.
    let policy = fixture.config.state_dir.join("policy.toml");
    let text = "long ".repeat(50_000);
    let rule = format!("[[rule]]\nname='f'\nlevel='danger'\ncheck='firewall'\ntext='{text}'\n");
    std::fs::write(&policy, rule)?;
    fixture.stop().await?;
    fixture.config.policy = Some(policy);
    fixture.resume().await?;

    let mut slow = fixture.stream(None).await?;
    let (start, _) = slow.snapshot().await?;
    let mut last = start;
    for round in 0..300 {
        let posture = if round % 2 == 0 {
            failing("a")
        } else {
            posture("a")
        };
        last = fixture.report(&posture).await?.revision;
    }
    let mut read = start;
    while let Some(message) = slow.next().await? {
        if let Message::Change { revision, .. } = message {
            assert!(revision > read);
            read = revision;
        }
    }
    assert!(read < last, "the stream was cut before its end");

    let mut resumed = fixture.stream(Some(read)).await?;
    while read < last {
        let (revision, _) = resumed.change().await?;
        assert!(revision > read);
        read = revision;
    }
    Ok(())
}

#[tokio::test]
async fn open_streams_do_not_hold_up_the_stop() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let mut stream = fixture.stream(None).await?;
    stream.snapshot().await?;
    let idle = TcpStream::connect(fixture.address()).await?;
    let started = std::time::Instant::now();
    fixture.stop().await?;
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(
        stream.next().await?,
        None,
        "the stream ended, it did not break"
    );
    drop(idle);
    Ok(())
}

/// The stream says nothing in plain text, and a peer that speaks none of TLS is no harm.
#[tokio::test]
async fn plain_text_gets_no_answer() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut socket = TcpStream::connect(fixture.address()).await?;
    let request = format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path::HEALTH);
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // Closed or reset, as the system likes.
    let _ = socket.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"));
    fixture
        .client()
        .get(fixture.url(path::HEALTH))
        .send()
        .await?
        .error_for_status()
        .context("healthy")?;
    Ok(())
}
