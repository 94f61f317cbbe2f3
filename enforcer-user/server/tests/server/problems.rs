//! Bad input: the right problem each time, and nothing changed.

use anyhow::Result;
use enforcer_protocol::{
    path,
    posture::MAX_BYTES,
    problem::{MEDIA_TYPE, Problem},
};
use reqwest::{Method, Response};

use crate::fixture::{Fixture, posture};

async fn expect(response: Response, status: u16, detail: &str) -> Result<()> {
    let answered = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], MEDIA_TYPE);
    let problem: Problem = response.json().await?;
    assert_eq!(problem.status, answered);
    let said = problem.detail.unwrap_or_default();
    assert!(
        answered == status && said.contains(detail),
        "{status} {detail}: {answered} {said}"
    );
    Ok(())
}

/// The revision and the number of endpoints: what must not change.
async fn state(fixture: &Fixture) -> Result<(u64, usize)> {
    let (revision, rows) = fixture.stream(None).await?.snapshot().await?;
    Ok((revision, rows.len()))
}

fn posture_with(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value = serde_json::to_value(posture("laptop")).expect("a posture is JSON");
    change(&mut value);
    value.to_string()
}

#[tokio::test]
async fn bodies() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.report(&posture("laptop")).await?;
    let before = state(&fixture).await?;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases = [
        (String::new(), 400, "EOF"),
        ("{".to_owned(), 400, "line 1"),
        ("{} {}".to_owned(), 422, "version"),
        (posture_with(|_| ()) + "x", 400, "trailing"),
        (format!("{{\"attributes\": {deep}}}"), 422, "attributes"),
        (format!("{{\"unknown\": {deep}}}"), 422, "missing field"),
        (
            posture_with(|p| p["version"] = 2.into()),
            422,
            "`version` is 2",
        ),
        (
            posture_with(|p| p["device"]["id"] = "".into()),
            422,
            "device.id",
        ),
        (
            posture_with(|p| p["device"]["id"] = "a b".into()),
            422,
            "device.id",
        ),
        (
            posture_with(|p| p["device"]["id"] = "a".repeat(129).into()),
            422,
            "device.id",
        ),
        (
            posture_with(|p| p["device"]["name"] = "a\u{1b}[2J".into()),
            422,
            "device.name",
        ),
        (
            posture_with(|p| p["device"]["owner"] = "a".repeat(257).into()),
            422,
            "device.owner",
        ),
        (
            posture_with(|p| p["os"]["family"] = "plan9".into()),
            422,
            "os.family",
        ),
        (
            posture_with(|p| p["software"] = serde_json::json!([{}])),
            422,
            "software[0]",
        ),
        (
            posture_with(|p| p["interfaces"][0]["addresses"] = vec!["10.0.0.1"; 1025].into()),
            422,
            "1025 items",
        ),
    ];
    for (body, status, detail) in cases {
        expect(
            fixture.post(path::REPORT, &fixture.agent, body).await?,
            status,
            detail,
        )
        .await?;
    }
    let not_text = vec![b'{', 0xff, 0xfe];
    expect(
        fixture.post(path::REPORT, &fixture.agent, not_text).await?,
        400,
        "JSON",
    )
    .await?;
    for size in [MAX_BYTES + 1, 20 * MAX_BYTES] {
        let body = " ".repeat(size);
        let response = fixture.post(path::REPORT, &fixture.agent, body).await?;
        expect(response, 413, "1048576 bytes").await?;
    }
    assert_eq!(state(&fixture).await?, before);
    Ok(())
}

#[tokio::test]
async fn tokens() -> Result<()> {
    let fixture = Fixture::start().await?;
    let before = state(&fixture).await?;
    let body = posture_with(|_| ());
    let anonymous = fixture
        .client()
        .post(fixture.url(path::REPORT))
        .body(body.clone())
        .send()
        .await?;
    assert_eq!(anonymous.headers()["www-authenticate"], "Bearer");
    expect(anonymous, 401, "Authorization: Bearer").await?;

    let wrong = format!("enf_agent_{}", "0".repeat(64));
    for token in [wrong.as_str(), "", "é"] {
        let response = fixture.client().post(fixture.url(path::REPORT));
        let response = response.header("authorization", format!("Bearer {token}").into_bytes());
        let response = response.body(body.clone()).send().await?;
        assert_eq!(response.status(), 401);
    }
    expect(
        fixture.post(path::REPORT, &wrong, body.clone()).await?,
        401,
        "revoked",
    )
    .await?;
    expect(
        fixture.post(path::REPORT, &fixture.gateway, body).await?,
        403,
        "agent",
    )
    .await?;
    expect(
        fixture.post(path::QUERY, &fixture.agent, "{}").await?,
        403,
        "gateway",
    )
    .await?;
    let stream = fixture
        .client()
        .get(fixture.url(path::STREAM))
        .bearer_auth(&fixture.agent);
    expect(stream.send().await?, 403, "gateway").await?;
    assert_eq!(state(&fixture).await?, before);
    Ok(())
}

#[tokio::test]
async fn paths_and_methods() -> Result<()> {
    let fixture = Fixture::start().await?;
    let send = async |method: Method, path: &str| {
        fixture
            .client()
            .request(method, fixture.url(path))
            .bearer_auth(&fixture.gateway)
            .send()
            .await
    };
    expect(send(Method::GET, "/").await?, 404, "nothing").await?;
    expect(send(Method::GET, "/v1/report/x").await?, 404, "nothing").await?;
    expect(send(Method::GET, "/v1/%ff/..%2f").await?, 404, "nothing").await?;
    let response = send(Method::GET, path::REPORT).await?;
    assert_eq!(response.headers()["allow"], "POST");
    expect(response, 405, "another method").await?;
    expect(
        send(Method::DELETE, path::STREAM).await?,
        405,
        "another method",
    )
    .await?;
    for after in ["x", "-1", "1e3", "99999999999999999999", ""] {
        let stream = send(Method::GET, &format!("{}?after={after}", path::STREAM)).await?;
        expect(stream, 400, "no number").await?;
    }
    Ok(())
}

#[tokio::test]
async fn queries_are_bounded() -> Result<()> {
    let fixture = Fixture::start().await?;
    let host = serde_json::json!({"zone": "lan", "address": "10.0.0.1"});
    let query = |count| serde_json::json!({ "hosts": vec![&host; count] }).to_string();
    let response = fixture
        .post(path::QUERY, &fixture.gateway, query(256))
        .await?;
    assert_eq!(response.status(), 200);
    let response = fixture
        .post(path::QUERY, &fixture.gateway, query(257))
        .await?;
    expect(response, 422, "at most 256").await?;
    let body = r#"{"hosts": [{"zone": "lan", "address": "10.0.0"}]}"#;
    expect(
        fixture.post(path::QUERY, &fixture.gateway, body).await?,
        422,
        "hosts[0].address",
    )
    .await
}
