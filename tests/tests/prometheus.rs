//! What the real Prometheus makes of the metrics and of the alerts.

use std::{io::Write, process::Stdio};

use enforcer_tests::{
    config::Config,
    namespace::output,
    prometheus::{Prometheus, promtool},
    site::Site,
    wait,
};

#[test]
fn it_finds_nothing_to_say_about_the_metrics() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let answer = gateway.get("/metrics");
    let (_, text) = answer.text().split_once("\r\n\r\n").expect("a body");
    assert!(
        text.contains("# TYPE enforcer_packets_total counter"),
        "{text}"
    );
    let mut check = promtool(&["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = check.stdin.take().expect("an input");
    input.write_all(text.as_bytes())?;
    drop(input);
    let said = check.wait_with_output()?;
    let words = [said.stdout, said.stderr].concat();
    assert!(words.is_empty(), "{}", String::from_utf8_lossy(&words));
    assert!(said.status.success());
    Ok(())
}

#[test]
fn the_alerts_are_raised_by_what_they_are_for_and_by_nothing_else() -> anyhow::Result<()> {
    output(&mut promtool(&["check", "rules", "alerts.yml"]))?;
    output(&mut promtool(&["test", "rules", "alerts.test.yml"]))?;
    Ok(())
}

#[test]
fn it_reads_a_gateway_and_raises_an_alert() -> anyhow::Result<()> {
    // So short a lease is always about to end.
    let site = Site::with(&Config {
        lease: "30s",
        ..Config::default()
    })?;
    let gateway = site.start()?;
    let prometheus = Prometheus::start(&site)?;
    let value = |expression: &str| {
        let rows = prometheus.query(expression);
        rows.first().map(|row| row["value"][1].clone())
    };
    wait::until_so("it has read the metrics", || {
        value("up{job=\"enforcer\"}").is_some_and(|up| up == "1")
    });
    wait::until_so("they say what the gateway says", || {
        value("enforcer_ready").is_some_and(|ready| ready == "1")
    });
    let families = prometheus.query("count({__name__=~\"enforcer_.*\"})");
    assert_eq!(families.len(), 1, "{families:?}");
    let firing = "ALERTS{alertstate=\"firing\"}";
    let raised = wait::until("the alert is raised", || {
        let raised = prometheus.query(firing);
        (!raised.is_empty()).then_some(raised)
    });
    for alert in &raised {
        assert_eq!(
            alert["metric"]["alertname"], "EnforcerLeaseEnds",
            "{raised:?}"
        );
        assert_eq!(alert["metric"]["source"], "management", "{raised:?}");
    }
    gateway.stop()?;
    wait::until_so("it misses the gateway", || {
        value("up{job=\"enforcer\"}").is_some_and(|up| up == "0")
    });
    Ok(())
}
