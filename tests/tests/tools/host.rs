//! `enforcer host`.

use enforcer_tests::{
    host::SILENCE,
    lan::{SERVER, at},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use serde_json::Value;

fn causes(detail: &Value) -> Vec<&str> {
    let turns = detail["history"].as_array().expect("a history");
    turns
        .iter()
        .filter_map(|turn| turn["cause"].as_str())
        .collect()
}

#[test]
fn everything_that_is_known_of_a_host_is_shown() -> anyhow::Result<()> {
    let site = Site::new()?;
    let _gateway = site.start()?;
    let host = &site.lan.laptop;
    let address = host.v4.to_string();
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    site.report(host, &Posture::bad("laptop"))?;
    wait::until_so("it is stopped", || !host.passes(at(SERVER, HTTP)));
    assert!(!host.echoes(at(SERVER, ECHO), SILENCE));

    let detail = wait::until("it is bound", || {
        let detail = site.control(&["host", &address]).ok()?;
        detail["kernel"]["mac"].is_string().then_some(detail)
    });
    let row = &detail["host"];
    assert_eq!(
        (&row["status"], &row["role"]),
        (&"unauthorized".into(), &"quarantine".into())
    );
    assert_eq!(
        (&row["interface"], &row["source"]),
        (&"lan0".into(), &"management".into())
    );
    assert!(row["reasons"][0]["remedy"].is_string(), "{row:#}");
    assert!(row["valid_until"].is_string(), "{row:#}");
    assert_eq!(detail["scope"], "checked");
    assert_eq!(detail["endpoints"][0]["name"], "laptop");
    assert_eq!(detail["seen"]["mac"], host.mac);
    assert_eq!(detail["seen"]["interface"], "lan0");
    let kernel = &detail["kernel"];
    assert_eq!(
        (&kernel["role"], &kernel["mac"]),
        (&"quarantine".into(), &host.mac.clone().into())
    );
    assert_eq!(
        (&kernel["in_step"], &kernel["lease_over"]),
        (&true.into(), &Value::Null)
    );
    let stopped = &detail["stopped"];
    assert_eq!(stopped["reason"], "role_denies");
    assert!(stopped["packets"].as_u64() > Some(0) && stopped["bytes"].as_u64() > Some(0));
    assert!(stopped["first"].as_str() <= stopped["last"].as_str());
    // The newest turn comes first.
    let turns = detail["history"].as_array().expect("a history");
    assert_eq!(
        (&turns[0]["before"], &turns[0]["after"]),
        (&"authorized".into(), &"quarantine".into())
    );
    assert!(
        causes(&detail)[0].starts_with("laptop: "),
        "{:?}",
        causes(&detail)
    );
    assert_eq!(turns[1]["after"], "authorized");
    assert_eq!(causes(&detail)[1], "laptop: no rule fails");

    site.control(&["allow", &address, "--for", "1h", "--reason", "is repaired"])?;
    let detail = site.control(&["host", &address])?;
    let exception = &detail["host"]["exception"];
    assert_eq!(
        (&exception["by"], &exception["reason"]),
        (&"root".into(), &"is repaired".into())
    );
    assert!(exception["until"].is_string());
    assert_eq!(causes(&detail)[0], "exception of root: is repaired");
    site.control(&["release", &address, "--reason", "done"])?;
    let detail = site.control(&["host", &address])?;
    assert!(causes(&detail)[0].starts_with("after the exception, laptop: "));

    let text = String::from_utf8(site.operator(&["host", &address]).output()?.stdout)?;
    for line in [
        &format!("Host       {address} in zone lan, behind lan0"),
        "Status     unauthorized",
        &format!(
            "Seen       at {} on lan0: it answered when it was asked",
            host.mac
        ),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    Ok(())
}

#[test]
fn hosts_of_which_nothing_is_decided_are_shown_and_those_that_are_not_there_are_not()
-> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let host = &site.lan.desktop;
    assert!(!host.echoes(at(SERVER, ECHO), SILENCE));
    wait::until_so("it is asked about", || gateway.role(host.v4) == "unknown");
    let detail = site.control(&["host", &host.v4.to_string(), "--zone", "lan"])?;
    assert_eq!(detail["host"]["status"], "no-client");
    assert!(detail["asked"]["since"].is_string(), "{detail:#}");
    assert_eq!(causes(&detail), ["the source knows nothing of it"]);
    for (words, code, said) in [
        (&["host", "192.0.2.99"][..], 3, "no host 192.0.2.99"),
        (
            &["host", "192.0.2.99", "--zone", "moon"],
            3,
            "no zone `moon`",
        ),
        (&["host", "laptop"], 2, "invalid"),
        (&["host"], 2, "ADDRESS"),
    ] {
        let done = site.operator(words).output()?;
        let error = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{words:?}: {error}");
        assert!(error.contains(said), "{words:?}: {error}");
    }
    Ok(())
}
