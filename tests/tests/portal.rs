//! The HTTP child over real connections, with a gateway that answers what the test says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, Result, ensure};
use enforcer::{
    control::{
        HttpRequest, HttpResponse, Refusal,
        listen::{self, Access as SocketAccess},
        portal::{Access, HealthView, PortalView},
        serve::{self, Call},
    },
    portal::{Interface, Options, Portal, Words},
};
use enforcer_protocol::judgement::{Level, Reason};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

/// A portal and a gateway behind it.
struct Running {
    portal: SocketAddr,
    metrics: SocketAddr,
    asked: mpsc::UnboundedReceiver<HttpRequest>,
    _directory: TempDir,
}

/// Starts both; `answer` stands for the gateway.
fn running(
    answer: impl Fn(&HttpRequest) -> Option<HttpResponse> + Send + 'static,
) -> Result<Running> {
    let directory = tempfile::tempdir()?;
    let socket = directory.path().join("http.sock");
    let listener = listen::bind(&socket, &SocketAccess::Root)?;
    let (sender, mut calls) = mpsc::channel(16);
    tokio::spawn(serve::serve(listener, sender));
    let (note, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(call) = calls.recv().await {
            let call: Call<HttpRequest> = call;
            let reply = answer(&call.question).ok_or_else(|| Refusal::no_zone("lan", &[]));
            let _nobody = note.send(call.question);
            let _gone = call.answer.send(reply);
        }
    });
    let portal = Portal::bind(Options {
        control: socket,
        portals: vec![Interface {
            name: None,
            zone: "lan".to_owned(),
        }],
        portal_port: 0,
        metrics: (Ipv4Addr::LOCALHOST, 0).into(),
        words: Words {
            organisation: Some("Example & Sons".to_owned()),
            contact: Some("help desk, extension 42".to_owned()),
            help_url: Some("https://help.example/".to_owned()),
        },
    })?;
    let port = portal
        .portal_addresses()
        .first()
        .context("no portal")?
        .port();
    let metrics = portal.metrics_address().context("no metrics")?;
    tokio::spawn(portal.serve());
    Ok(Running {
        portal: (Ipv4Addr::LOCALHOST, port).into(),
        metrics,
        asked,
        _directory: directory,
    })
}

fn view(access: Access, reasons: Vec<Reason>) -> HttpResponse {
    HttpResponse::Portal(Box::new(PortalView {
        address: Ipv4Addr::LOCALHOST.into(),
        access,
        role: "quarantine".to_owned(),
        endpoint: Some("laptop-7".to_owned()),
        level: Some(Level::Danger),
        reasons,
        checked_at: Some("2026-11-21T10:00:00Z".parse().expect("a time")),
        since: Some("2026-11-21T09:00:00Z".parse().expect("a time")),
    }))
}

fn firewall() -> Reason {
    Reason {
        rule: "firewall".to_owned(),
        text: "The firewall is off".to_owned(),
        remedy: Some("Switch it on in the settings".to_owned()),
        link: Some("https://help.example/firewall".to_owned()),
    }
}

/// Sends this and returns the whole answer: status line, headers and body.
async fn exchange(to: SocketAddr, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn get(to: SocketAddr, path: &str) -> Result<String> {
    exchange(to, &format!("GET {path} HTTP/1.1\r\nHost: {to}\r\n\r\n")).await
}

/// The value of a header; names are compared as HTTP does.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[tokio::test]
async fn each_state_of_a_host_has_its_page() -> Result<()> {
    for (access, reasons, title, hints) in [
        (
            Access::Open,
            vec![],
            "may use the network",
            &["nothing to do"][..],
        ),
        (
            Access::Open,
            vec![firewall()],
            "may use the network",
            &["What to mend soon"],
        ),
        (
            Access::Stopped,
            vec![firewall()],
            "is stopped",
            &[
                "Switch it on",
                "href=\"https://help.example/firewall\"",
                "Stopped since",
                "Last checked",
            ],
        ),
        (Access::Stopped, vec![], "is stopped", &["ask them why"]),
        (
            Access::Asked,
            vec![],
            "is being checked",
            &["http-equiv=\"refresh\""],
        ),
        (Access::Unknown, vec![], "is not known", &["agent"]),
        (Access::Lapsed, vec![], "has run out", &["not the fault"]),
    ] {
        let running = running(move |_| Some(view(access, reasons.clone())))?;
        let page = get(running.portal, "/").await?;
        ensure!(page.starts_with("HTTP/1.1 200 "), "{access:?}: {page}");
        for hint in [
            title,
            "127.0.0.1",
            "laptop-7",
            "Example &#38; Sons",
            "extension 42",
        ]
        .iter()
        .chain(hints)
        {
            ensure!(page.contains(hint), "{access:?} lacks {hint:?}: {page}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn texts_of_others_stay_texts() -> Result<()> {
    let hostile = "\"><script>alert(1)</script><img src=x onerror='alert(1)'>{{7*7}}";
    let reason = Reason {
        rule: hostile.to_owned(),
        text: hostile.to_owned(),
        remedy: Some(hostile.to_owned()),
        link: Some(format!("https://example.org/{hostile}")),
    };
    let script = Reason {
        link: Some("javascript:alert(1)".to_owned()),
        ..firewall()
    };
    let running =
        running(move |_| Some(view(Access::Stopped, vec![reason.clone(), script.clone()])))?;
    let page = get(running.portal, "/").await?;
    for forbidden in ["<script", "<img", "javascript:", "onerror='", "org/\""] {
        ensure!(!page.contains(forbidden), "{forbidden:?} in {page}");
    }
    assert!(page.contains("&#60;script&#62;"), "{page}");
    Ok(())
}

#[tokio::test]
async fn browsers_are_told_to_load_and_keep_nothing() -> Result<()> {
    let running = running(|_| Some(view(Access::Stopped, vec![firewall()])))?;
    let page = get(running.portal, "/").await?;
    assert_eq!(header(&page, "Cache-Control"), Some("no-store"));
    assert_eq!(header(&page, "X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(header(&page, "Referrer-Policy"), Some("no-referrer"));
    let policy = header(&page, "Content-Security-Policy").context("no policy")?;
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for outside in ["<link", "src=", "@import", "url("] {
        ensure!(!page.contains(outside), "{outside} in {page}");
    }
    Ok(())
}

#[tokio::test]
async fn whoever_meant_another_site_is_sent_to_the_portal() -> Result<()> {
    let mut running = running(|_| Some(view(Access::Stopped, vec![])))?;
    let to = running.portal;
    for request in [
        "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\n\r\n",
        "GET /hotspot-detect.html HTTP/1.0\r\n\r\n",
        "GET /captive-portal/api HTTP/1.1\r\nHost: 198.51.100.7\r\n\r\n",
        "POST /recheck HTTP/1.1\r\nHost: example.org\r\nContent-Length: 0\r\n\r\n",
        "GET http://example.org/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ] {
        let answer = exchange(to, request).await?;
        ensure!(answer.contains(" 302 Found\r\n"), "{request}: {answer}");
        assert_eq!(header(&answer, "Location"), Some(&*format!("http://{to}/")));
        assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    }
    assert!(running.asked.try_recv().is_err(), "the gateway was asked");
    Ok(())
}

#[tokio::test]
async fn both_families_are_served_and_named() -> Result<()> {
    let mut running = running(|_| Some(view(Access::Stopped, vec![])))?;
    let port = running.portal.port();
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let answer = exchange(v6, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").await?;
    assert_eq!(
        header(&answer, "Location"),
        Some(&*format!("http://[::1]:{port}/"))
    );
    for client in [v6.ip(), running.portal.ip()] {
        get((client, port).into(), "/").await?;
        let asked = running.asked.recv().await;
        assert_eq!(asked, Some(about(client)), "not asked about {client}");
    }
    Ok(())
}

fn about(address: IpAddr) -> HttpRequest {
    HttpRequest::Portal {
        zone: "lan".to_owned(),
        address,
    }
}

#[tokio::test]
async fn checking_again_asks_and_leads_back() -> Result<()> {
    let mut running = running(|request| match request {
        HttpRequest::Recheck { .. } => Some(HttpResponse::Recheck),
        _ => None,
    })?;
    let to = running.portal;
    let request = format!("POST /recheck HTTP/1.1\r\nHost: {to}\r\nContent-Length: 0\r\n\r\n");
    let answer = exchange(to, &request).await?;
    ensure!(answer.contains(" 303 See Other\r\n"), "{answer}");
    assert_eq!(header(&answer, "Location"), Some("/"));
    let asked = running.asked.recv().await;
    assert!(
        matches!(asked, Some(HttpRequest::Recheck { .. })),
        "{asked:?}"
    );
    let reloaded = get(to, "/recheck").await?;
    assert_eq!(header(&reloaded, "Location"), Some("/"));
    assert!(running.asked.try_recv().is_err(), "a reload asked again");
    Ok(())
}

#[tokio::test]
async fn clients_that_know_rfc_8908_are_told_in_its_words() -> Result<()> {
    for (access, captive) in [
        (Access::Open, false),
        (Access::Stopped, true),
        (Access::Asked, true),
        (Access::Unknown, true),
        (Access::Lapsed, true),
    ] {
        let running = running(move |_| Some(view(access, vec![])))?;
        let answer = get(running.portal, "/captive-portal/api").await?;
        assert_eq!(
            header(&answer, "Content-Type"),
            Some("application/captive+json")
        );
        assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
        let body = answer.split("\r\n\r\n").nth(1).context("no body")?;
        let state: serde_json::Value = serde_json::from_str(body)?;
        assert_eq!(state["captive"], captive, "{access:?}");
        assert_eq!(
            state["user-portal-url"],
            format!("http://{}/", running.portal)
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_not_made_up_for() -> Result<()> {
    let running = running(|_| None)?;
    for path in ["/", "/captive-portal/api"] {
        let answer = get(running.portal, path).await?;
        ensure!(answer.starts_with("HTTP/1.1 503 "), "{path}: {answer}");
        assert!(header(&answer, "Retry-After").is_some(), "{answer}");
    }
    for path in ["/metrics", "/healthz", "/readyz"] {
        let answer = get(running.metrics, path).await?;
        ensure!(answer.starts_with("HTTP/1.1 503 "), "{path}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn metrics_and_health_stand_at_their_own_listener_only() -> Result<()> {
    let running = running(|request| match request {
        HttpRequest::Metrics => Some(HttpResponse::Metrics("enforcer_ready 0\n".to_owned())),
        HttpRequest::Health => Some(HttpResponse::Health(HealthView {
            ready: false,
            missing: vec!["eth1 is not attached".to_owned()],
        })),
        _ => None,
    })?;
    let metrics = get(running.metrics, "/metrics").await?;
    assert!(metrics.ends_with("enforcer_ready 0\n"), "{metrics}");
    let media_type = header(&metrics, "Content-Type");
    assert_eq!(media_type, Some("text/plain; version=0.0.4; charset=utf-8"));
    let live = get(running.metrics, "/healthz").await?;
    assert!(live.starts_with("HTTP/1.1 200 "), "{live}");
    let ready = get(running.metrics, "/readyz").await?;
    assert!(ready.starts_with("HTTP/1.1 503 "), "{ready}");
    assert!(ready.contains("eth1 is not attached"), "{ready}");
    for path in ["/metrics", "/healthz", "/readyz"] {
        let answer = get(running.portal, path).await?;
        ensure!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn bad_requests_are_refused_and_the_portal_lives_on() -> Result<()> {
    let running = running(|_| Some(view(Access::Stopped, vec![])))?;
    let to = running.portal;
    let long = format!("GET /{} HTTP/1.1\r\nHost: {to}\r\n\r\n", "x".repeat(20_000));
    for (request, status) in [
        (long.as_str(), " 4"),
        ("NONSENSE\r\n\r\n", " 400 "),
        (&format!("DELETE / HTTP/1.1\r\nHost: {to}\r\n\r\n"), " 405 "),
    ] {
        let answer = exchange(to, request).await?;
        ensure!(answer.contains(status), "{answer}");
    }
    // One client cannot take all connections.
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(to).await?);
    }
    let other = SocketAddr::from((Ipv6Addr::LOCALHOST, to.port()));
    let page = get(other, "/").await?;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    Ok(())
}
