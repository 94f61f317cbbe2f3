//! What a report sends, and what is said when it fails.

use std::{
    error::Error,
    io::Write,
    iter,
    net::{Ipv4Addr, TcpListener},
    thread,
};

use axum::{
    Json,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use enforcer_agent::client::ReportError;
use enforcer_protocol::{pin::Pin, posture::Posture, problem::Problem};

use crate::{
    answers::{Server, TOKEN, client},
    sample::{accept, posture, receipt},
};

fn problem(status: StatusCode) -> Response {
    let problem = Problem {
        title: "The title".into(),
        status: status.as_u16(),
        detail: Some("what to do".into()),
    };
    (status, Json(problem)).into_response()
}

/// What the operator reads: the error with its causes.
fn words(error: &ReportError) -> String {
    let first: &(dyn Error + 'static) = error;
    let causes = iter::successors(Some(first), |&error| error.source());
    let text = causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    assert!(!text.contains(TOKEN), "the token in {text}");
    text
}

#[tokio::test]
async fn sends_the_posture_with_the_token_and_reads_the_receipt() {
    let mut server = Server::start(accept);
    let answer = server.client().report(&posture()).await.unwrap();
    assert_eq!(answer, receipt());

    let seen = server.seen.recv().await.unwrap();
    assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(
        serde_json::from_slice::<Posture>(&seen.body).unwrap(),
        posture()
    );
}

#[tokio::test]
async fn each_report_shows_the_address_of_now() {
    let mut server = Server::start(accept);
    let client = server.client();
    client.report(&posture()).await.unwrap();
    client.report(&posture()).await.unwrap();
    let (first, second) = (
        server.seen.recv().await.unwrap(),
        server.seen.recv().await.unwrap(),
    );
    assert_ne!(first.from, second.from, "the old connection was used again");
}

#[tokio::test]
async fn tells_nothing_to_a_server_with_another_certificate() {
    let mut server = Server::start(accept);
    let expected = Pin::of(b"another certificate");
    let error = client(server.address, expected)
        .report(&posture())
        .await
        .unwrap_err();

    let ReportError::WrongPin { shown, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*shown, Some(server.pin));
    assert!(!error.is_passing());
    let text = words(&error);
    assert!(
        text.contains(&expected.to_string()) && text.contains(&server.pin.to_string()),
        "{text}"
    );
    assert!(
        server.seen.try_recv().is_err(),
        "the report reached the wrong server"
    );
}

#[tokio::test]
async fn hands_on_what_the_server_says_of_a_refusal() {
    for status in [401, 403, 413, 422, 429, 500] {
        let status = StatusCode::from_u16(status).unwrap();
        let server = Server::start(move || problem(status));
        let error = server.client().report(&posture()).await.unwrap_err();
        let text = words(&error);
        assert!(text.contains(status.as_str()), "{text}");
        assert!(text.contains("The title: what to do"), "{text}");
        assert_eq!(
            error.is_passing(),
            matches!(status.as_u16(), 429 | 500),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_refusal_without_words_is_one_as_well() {
    let server = Server::start(|| (StatusCode::BAD_GATEWAY, "<html>").into_response());
    let error = server.client().report(&posture()).await.unwrap_err();
    assert!(words(&error).contains("502 Bad Gateway"));
    assert!(error.is_passing());
}

#[tokio::test]
async fn follows_no_redirect() {
    let away = || (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, "/v1/report")]).into_response();
    let mut server = Server::start(away);
    let error = server.client().report(&posture()).await.unwrap_err();
    assert!(matches!(error, ReportError::Refused { .. }), "{error:?}");
    server.seen.recv().await.unwrap();
    assert!(server.seen.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_that_is_no_receipt() {
    let server = Server::start(|| "welcome".into_response());
    let error = server.client().report(&posture()).await.unwrap_err();
    assert!(matches!(error, ReportError::NoReceipt { .. }), "{error:?}");

    let server = Server::start(|| "x".repeat(5 << 20).into_response());
    let error = server.client().report(&posture()).await.unwrap_err();
    assert!(matches!(error, ReportError::LongAnswer { .. }), "{error:?}");
}

#[tokio::test]
async fn a_posture_that_no_server_takes_is_not_sent() {
    let mut server = Server::start(accept);
    let mut posture = posture();
    posture.attributes.insert("log".into(), "x".repeat(2 << 20));
    let error = server.client().report(&posture).await.unwrap_err();
    assert!(
        matches!(error, ReportError::TooLarge { bytes } if bytes > 2 << 20),
        "{error:?}"
    );
    assert!(server.seen.try_recv().is_err());
}

#[tokio::test]
async fn a_server_that_is_away() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let error = client(free, Pin::of(b"any"))
        .report(&posture())
        .await
        .unwrap_err();
    assert!(
        matches!(error, ReportError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(error.is_passing());
    let text = words(&error);
    assert!(
        text.contains(&free.to_string()) && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_tls() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
    });
    let error = client(address, Pin::of(b"any"))
        .report(&posture())
        .await
        .unwrap_err();
    assert!(
        matches!(error, ReportError::Unreachable { .. }),
        "{error:?}"
    );
    server.join().unwrap();
}
