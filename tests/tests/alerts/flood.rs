//! More than anybody can read.

use std::time::Duration;

use enforcer_tests::{
    lan::{SERVER, at},
    posture::Posture,
    servers::HTTP,
    site::Site,
    wait,
    webhook::Taken,
};

use crate::place::{configure, list, receiver, view, webhook, write_list};

/// A minute, and what a busy machine takes beyond it.
const SUMMARY: Duration = Duration::from_secs(90);

#[test]
fn of_ten_thousand_changes_so_many_are_told_and_the_rest_in_one_summary() -> anyhow::Result<()> {
    let site = Site::new()?;
    configure(&site, &(webhook(&site, "per_minute = 5")? + &list(&site)?))?;
    let taken = Taken::default();
    let _receiver = receiver(&site, &taken)?;
    let gateway = site.start()?;
    let laptop = &site.lan.laptop;
    site.report(laptop, &Posture::good("laptop"))?;
    wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    let hosts: Vec<_> = (0..10_000)
        .map(|number| format!("10.7.{}.{}", number / 250, number % 250 + 1))
        .collect();
    write_list(&site, &hosts)?;
    wait::until_so("all are decided", || {
        gateway.counted("enforcer_hosts", &[("role", "quarantine")]) == 10_000
    });
    wait::until_so("some are told", || taken.all().len() >= 5);
    // Those who comply have noticed nothing.
    assert!(laptop.passes(at(SERVER, HTTP)));
    let summary = wait::within(SUMMARY, || {
        let all = taken.all();
        all.into_iter().find(|one| one.field("event") == "summary")
    });
    let summary = summary.expect("a summary");
    assert_eq!(summary.body["count"], 9_995, "{}", summary.text);
    assert_eq!(summary.body["roles"]["quarantine"], 9_995);
    assert_eq!(taken.all().len(), 6);
    assert_eq!(view(&site, "siem")["waiting"], 0);
    let webhooks = [("kind", "webhook")];
    assert_eq!(
        gateway.counted("enforcer_alerts_summarised_total", &webhooks),
        9_995
    );
    // Each is in the log, or counted there.
    let tracked = gateway.log();
    let tracked = tracked
        .lines()
        .filter(|line| line.contains("\"target\":\"track\""));
    let lines: Vec<serde_json::Value> = tracked
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let count = |line: &serde_json::Value| line["count"].as_u64().unwrap_or(1);
    assert_eq!(lines.iter().map(count).sum::<u64>(), 10_000);
    Ok(())
}

#[test]
fn what_is_held_back_is_summed_up_when_the_gateway_ends() -> anyhow::Result<()> {
    let site = Site::new()?;
    configure(&site, &(webhook(&site, "per_minute = 1")? + &list(&site)?))?;
    let gateway = site.start()?;
    let hosts: Vec<_> = (50..60).map(|last| format!("192.0.2.{last}")).collect();
    write_list(&site, &hosts)?;
    wait::until_so("all are decided", || {
        gateway.counted("enforcer_hosts", &[("role", "quarantine")]) == 10
    });
    wait::until_so("one waits", || view(&site, "siem")["waiting"] == 1);
    assert!(gateway.stop()?.success());
    let taken = Taken::default();
    let _receiver = receiver(&site, &taken)?;
    let _gateway = site.start()?;
    wait::until_so("both arrive", || taken.all().len() == 2);
    let all = taken.all();
    assert_eq!(all[0].field("event"), "decision");
    assert_eq!(all[1].field("event"), "summary");
    assert_eq!(all[1].body["count"], 9);
    Ok(())
}
