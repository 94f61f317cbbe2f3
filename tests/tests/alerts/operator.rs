//! What operators see of alerts, and order.

use std::{fs, net::IpAddr, process::Command};

use enforcer_tests::{
    posture::Posture,
    site::{Site, enforcer},
    wait,
    webhook::Taken,
};
use serde_json::Value;

use crate::place::{configure, list, receiver, view, webhook, write_list};

const COMMAND: &str = "[[alert]]\nname = \"tell\"\nkind = \"command\"\ncommand = [\"/bin/false\"]\nroles = [\"denied\"]\n";

#[test]
fn a_test_says_what_came_of_it_and_is_written_down() -> anyhow::Result<()> {
    let site = Site::new()?;
    configure(&site, &(webhook(&site, "")? + COMMAND))?;
    let taken = Taken::default();
    let receiver = receiver(&site, &taken)?;
    let _gateway = site.start()?;
    let tested = site.control(&["alert", "test", "siem"])?;
    assert_eq!(tested[0]["name"], "siem", "{tested}");
    assert_eq!(tested[0]["failure"], Value::Null, "{tested}");
    assert_eq!(taken.all().len(), 1);
    assert_eq!(taken.all()[0].field("event"), "test");
    assert!(taken.all()[0].field("message").contains("root"));

    let done = site.operator(&["alert", "test"]).output()?;
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.contains("arrived"), "{said}");
    assert!(
        said.contains("/bin/false failed (exit status: 1)"),
        "{said}"
    );
    drop(receiver);
    let done = site.operator(&["alert", "test", "siem"]).output()?;
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        said.contains("cannot reach http://127.0.0.1:9000/take"),
        "{said}"
    );
    let done = site.operator(&["alert", "test", "simm"]).output()?;
    assert_eq!(done.status.code(), Some(3), "{done:?}");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        said.contains("the alerts of this gateway are siem, tell"),
        "{said}"
    );

    let log = fs::read_to_string(site.path("state/audit.jsonl"))?;
    let deeds: Vec<Value> = log
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let objects: Vec<_> = deeds
        .iter()
        .filter(|deed| deed["action"] == "alert-test")
        .map(|deed| deed["object"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(objects, ["siem", "all", "siem"]);
    // Tests are beside all that waits.
    assert_eq!(view(&site, "siem")["waiting"], 0);
    let shown = String::from_utf8(site.operator(&["status"]).output()?.stdout)?;
    assert!(shown.contains("siem"), "{shown}");
    Ok(())
}

#[test]
fn whoever_may_only_ask_sends_no_test() -> anyhow::Result<()> {
    let site = Site::new()?;
    configure(&site, &webhook(&site, "")?)?;
    let _gateway = site.start()?;
    let mut command = Command::new(enforcer());
    command.args(["alert", "test", "--socket"]);
    let done = command.arg(site.path("run/read.sock")).output()?;
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        said.contains("may ask the gateway, and change nothing"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_reload_takes_over_changed_alerts_and_what_waits() -> anyhow::Result<()> {
    let site = Site::new()?;
    let list = list(&site)?;
    configure(&site, &list)?;
    let gateway = site.start()?;
    let host = |last: u8| format!("192.0.2.{last}");
    let decide = |hosts: &[String]| {
        write_list(&site, hosts)?;
        let newest: IpAddr = hosts[hosts.len() - 1].parse()?;
        wait::until_so("it is decided", || gateway.role(newest) == "quarantine");
        anyhow::Ok(())
    };
    decide(&[host(50)])?;
    let status = site.control(&["status"])?;
    assert_eq!(status["alerts"], serde_json::json!([]));

    // Somebody who does not answer yet, at a place where nobody is.
    let nowhere = webhook(&site, "")?.replace("9000", "9001");
    configure(&site, &(nowhere + &list))?;
    let reloaded = site.control(&["reload"])?;
    assert_eq!(reloaded["changed"], serde_json::json!(["alert"]));
    decide(&[host(50), host(51)])?;
    wait::until_so("it waits", || view(&site, "siem")["waiting"] == 1);
    let taken = Taken::default();
    let _receiver = receiver(&site, &taken)?;
    configure(
        &site,
        &(webhook(&site, "roles = [\"quarantine\"]")? + &list),
    )?;
    site.control(&["reload"])?;
    wait::until_so("it arrives", || taken.all().len() == 1);
    assert_eq!(taken.fields("decision", "host"), [host(51)]);

    // A role that is no longer tracked is told to nobody, and the log has it no more.
    let silent = "[role.quarantine]\ntrack = \"none\"\n";
    let text = fs::read_to_string(site.config_file())?;
    fs::write(
        site.config_file(),
        text.replacen(
            "[[role.quarantine.rule]]",
            &format!("{silent}[[role.quarantine.rule]]"),
            1,
        ),
    )?;
    site.control(&["reload"])?;
    decide(&[host(50), host(51), host(52)])?;
    let laptop = site.lan.laptop.v4;
    site.control(&["deny", &laptop.to_string(), "--reason", "scanning"])?;
    configure(
        &site,
        &(webhook(&site, "reasons = [\"exception\"]")? + &list),
    )?;
    site.control(&["reload"])?;
    let desktop = site.lan.desktop.v4;
    decide(&[host(53)])?;
    site.control(&["deny", &desktop.to_string(), "--reason", "scanning"])?;
    wait::until_so("the exception arrives", || taken.all().len() == 2);
    let exception = &taken.all()[1];
    assert_eq!(exception.field("host"), desktop.to_string());
    assert_eq!(exception.field("role"), "denied");
    assert_eq!(exception.field("source"), "operator");
    let log = gateway.log();
    let tracked = |host: &str| {
        let host = format!("\"host\":\"{host}\"");
        let lines = log
            .lines()
            .filter(|line| line.contains("\"target\":\"track\""));
        lines.filter(|line| line.contains(&host)).count()
    };
    let told = [50, 51, 52, 53].map(|last| tracked(&host(last)));
    assert_eq!(told, [1, 1, 0, 1], "nothing is told of 52");
    Ok(())
}

#[test]
fn a_configuration_that_tells_nobody_is_named_and_keeps_no_gateway_from_enforcing()
-> anyhow::Result<()> {
    let site = Site::new()?;
    let alert =
        "[[alert]]\nname = \"tell\"\nkind = \"command\"\ncommand = [\"/nonexistent/tell\"]\n";
    configure(&site, alert)?;
    let gateway = site.start()?;
    assert!(gateway.has_logged("cannot run /nonexistent/tell now"));
    assert_eq!(
        site.report(&site.lan.laptop, &Posture::bad("laptop"))?,
        "quarantine"
    );
    wait::until_so("it fails", || view(&site, "tell")["failed"] == 1);
    Ok(())
}
