//! `enforcer events`.

use enforcer::control::{
    Request, Response, client,
    event::{EventPage, EventQuery},
};
use enforcer_tests::{
    fixture::udp,
    follow::Following,
    host::SILENCE,
    lan::{SERVER, at},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;

#[test]
fn what_happens_is_told_as_it_happens() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    let address = host.v4.to_string();
    let events = Following::start(site.operator(&["events", "--follow", "--json"]))?;
    let told = |kind: &str, with: &str| {
        events.object(&format!("{kind}: {with}"), |event| {
            let message = event["message"].as_str().unwrap_or_default();
            event["kind"] == kind && message.contains(with)
        })
    };
    told("source", "connected");
    site.report(host, &Posture::good("laptop"))?;
    let decided = told("decision", "→ authorized: laptop: no rule fails");
    assert_eq!(
        (&decided["address"], &decided["zone"]),
        (&address.clone().into(), &"lan".into())
    );
    site.control(&["deny", &address, "--reason", "scanning"])?;
    told("exception", "root made it denied until released: scanning");
    told(
        "decision",
        "authorized → denied: exception of root: scanning",
    );
    assert!(!host.echoes(at(SERVER, ECHO), SILENCE));
    let stop = told("stop", "stopped (drop): 198.51.100.80:7");
    assert_eq!(
        (&stop["reason"], &stop["monitored"]),
        (&"role_denies".into(), &false.into())
    );
    site.control(&["release", &address, "--reason", "was a test"])?;
    told("exception", "root ended the exception: was a test");
    site.control(&["mode", "monitor"])?;
    told("mode", "root switched from enforce to monitor");
    let server = gateway.child("server").expect("an embedded server");
    kill(server, Signal::SIGKILL)?;
    told("source", "is lost");
    wait::until_so("the server is heard again", || {
        let lines = events.lines();
        lines
            .iter()
            .filter(|line| line.contains("connected to the"))
            .count()
            > 1
    });
    // Numbers are without a gap, and nothing was lost.
    let numbers: Vec<_> = events
        .lines()
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["sequence"].as_u64())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "{numbers:?}");

    let status = site.control(&["status"])?;
    let newest = status["events"].as_array().expect("events");
    assert!(newest.len() == 10 && newest[0]["sequence"].as_u64() < newest[9]["sequence"].as_u64());
    for table in ["hosts_v4", "hosts_v6", "rules", "scopes", "stopped"] {
        let capacity = status["tables"][table]["capacity"].as_u64();
        assert!(capacity > Some(0), "{table}: {status:#}");
    }
    assert_eq!(status["tables"]["stopped"]["used"], 1);

    let last = site
        .operator(&["events", "-n", "1", "--kind", "mode"])
        .output()?;
    let last = String::from_utf8(last.stdout)?;
    assert_eq!(last.lines().count(), 1, "{last}");
    assert!(
        last.trim_end()
            .ends_with("root switched from enforce to monitor"),
        "{last}"
    );
    let of_host = site.operator(&["events", "--host", &address]).output()?;
    let of_host = String::from_utf8(of_host.stdout)?;
    assert!(!of_host.is_empty() && of_host.lines().all(|line| line.contains(&address)));
    for words in [
        &["events", "--kind", "rain"][..],
        &["events", "--host", "x"],
        &["events", "-n", "x"],
    ] {
        assert_eq!(
            site.operator(words).output()?.status.code(),
            Some(2),
            "{words:?}"
        );
    }
    Ok(())
}

fn page(site: &Site, query: &EventQuery) -> anyhow::Result<EventPage> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let request = Request::Events(query.clone());
    match runtime.block_on(client::call(&site.path("run/control.sock"), &request))? {
        Response::Events(page) => Ok(page),
        other => anyhow::bail!("{other:?}"),
    }
}

/// More stops than are kept.
const FLOOD: u32 = 20_000;

#[test]
fn a_reader_who_is_slow_is_told_how_much_it_missed() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let query = EventQuery {
        limit: 1,
        ..EventQuery::default()
    };
    let mark = page(&site, &query)?.mark;
    let frame = |number: u32| {
        let from = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
        udp(at(&from.to_string(), 9), at(SERVER, 9), b"")
    };
    // Each of these hosts is told of once as stopped, and once as unknown.
    let flooder = &site.lan.desktop;
    let mut read = 0;
    for start in (1..FLOOD).step_by(1000) {
        let frames: Vec<_> = (start..start + 1000).map(frame).collect();
        flooder.send_frames(frames.iter().map(Vec::as_slice))?;
        let last = EventQuery {
            limit: 1,
            ..EventQuery::default()
        };
        read = wait::until("they are told of", || {
            let told = page(&site, &last).ok()?.mark.sequence;
            (told > read).then_some(told)
        });
    }
    wait::until_so("more happened than is kept", || {
        flooder
            .send_frames([&*frame(1), &*frame(2)].into_iter())
            .is_ok()
            && page(
                &site,
                &EventQuery {
                    after: Some(mark),
                    limit: 1,
                    wait_seconds: 0,
                },
            )
            .is_ok_and(|page| page.lost > 0)
    });
    let query = EventQuery {
        after: Some(mark),
        limit: 1,
        wait_seconds: 0,
    };
    let late = page(&site, &query)?;
    assert_eq!(late.events[0].sequence, mark.sequence + late.lost + 1);
    assert!(!late.restarted);

    // Another run counts anew, and says so.
    gateway.kill()?;
    let _gateway = site.start()?;
    let anew = page(
        &site,
        &EventQuery {
            after: Some(late.mark),
            limit: 9,
            wait_seconds: 0,
        },
    )?;
    assert!(anew.restarted && anew.lost == 0);
    assert_eq!(anew.events[0].sequence, 1);
    let host = &site.lan.laptop;
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    Ok(())
}
