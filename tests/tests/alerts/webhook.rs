//! Alerts by webhooks.

use std::{collections::HashSet, fs, process::Command};

use enforcer_tests::{
    certificate::Certificate,
    disk::SmallDisk,
    gateway::Gateway,
    lan::{SERVER, at},
    namespace::output,
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
    webhook::{Received, Receiver, Taken},
};
use serde_json::Value;

use crate::place::{
    KEY, configure, list, receiver, receiver_address, secret, view, webhook, write_list,
};

/// What a receiver computes, in another language: whether the signature is right.
const CHECK: &str = "
import hashlib, hmac, sys
key, timestamp, body, signature = sys.argv[1:]
right = hmac.new(key.encode(), f'{timestamp}.{body}'.encode(), hashlib.sha256).hexdigest()
print(hmac.compare_digest('v1=' + right, signature))
";

fn is_signed(received: &Received, key: &str) -> anyhow::Result<bool> {
    let header = |name: &str| received.headers.get(name).cloned().unwrap_or_default();
    let mut check = Command::new("/usr/bin/python3");
    check.args(["-c", CHECK, key, &header("enforcer-timestamp")]);
    check.args([&received.text, &header("enforcer-signature")]);
    Ok(output(&mut check)?.trim() == "True")
}

#[test]
fn a_host_that_falls_to_quarantine_is_told_once_with_the_right_signature() -> anyhow::Result<()> {
    let site = Site::new()?;
    let certificate = Certificate::make(&site, "siem", "127.0.0.1".parse()?)?;
    let key = secret(&site, "webhook.key", KEY)?;
    let alert = |name: &str, keys: &str| {
        format!(
            "[[alert]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"https://{}/take\"\nkey_file = {key:?}\n{keys}\n",
            receiver_address()
        )
    };
    let trusted = alert(
        "siem",
        &format!("ca_file = \"{}\"", certificate.file.display()),
    );
    configure(&site, &(trusted + &alert("stranger", "")))?;
    let taken = Taken::default();
    let tls = Some(certificate.server()?);
    let _receiver = Receiver::start(&site.lan.gateway, receiver_address(), tls, &taken)?;
    let gateway = site.start()?;
    let laptop = &site.lan.laptop;
    assert_eq!(site.report(laptop, &Posture::good("laptop"))?, "authorized");
    wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    assert_eq!(site.report(laptop, &Posture::bad("laptop"))?, "quarantine");
    wait::until_so("it is told", || taken.all().len() == 1);
    let told = &taken.all()[0];
    for (field, value) in [
        ("event", "decision"),
        ("host", "192.0.2.11"),
        ("zone", "lan"),
        ("role", "quarantine"),
        ("role_before", "authorized"),
        ("source", "management"),
        ("endpoint", "laptop"),
        ("owner", "ada"),
    ] {
        assert_eq!(told.field(field), value, "{field}: {}", told.text);
    }
    assert_eq!(told.body["reasons"], serde_json::json!(["firewall"]));
    assert_eq!(told.headers["enforcer-alert-id"], told.field("id"));
    assert!(is_signed(told, KEY)?);
    assert!(!is_signed(told, "another key")?);
    wait::until_so("the other one has no reason to trust", || {
        view(&site, "stranger")["last_failure"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("certificate"))
    });

    // Stopped again and again, it is told of once, in the log, too.
    wait::until_so("its first stop is told", || {
        laptop.passes(at(SERVER, ECHO));
        taken.all().len() == 2
    });
    let stop = &taken.all()[1];
    assert_eq!(stop.field("event"), "stop");
    assert_eq!(stop.field("stop_reason"), "role_denies", "{}", stop.text);
    assert_eq!(stop.field("remote"), SERVER);
    assert_eq!(stop.body["monitored"], false);
    let stops = |gateway: &Gateway<'_>| gateway.log().matches("\"target\":\"stops\"").count();
    let before = stops(&gateway);
    wait::until_so("it is stopped again, seconds later", || {
        laptop.passes(at(SERVER, ECHO));
        stops(&gateway) > before + 1
    });
    assert_eq!(taken.all().len(), 2);
    let log = gateway.log();
    let tracked = log
        .lines()
        .filter(|line| line.contains("\"target\":\"track\""));
    let lines: Vec<Value> = tracked
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                &line["event"],
                &line["host"],
                &line["role"],
                &line["reasons"],
            )
        })
        .collect();
    let expected = serde_json::json!(["decision", "stop", "192.0.2.11", "quarantine", "firewall"]);
    assert_eq!(
        shown,
        [
            (&expected[0], &expected[2], &expected[3], &expected[4]),
            (&expected[1], &expected[2], &expected[3], &expected[4]),
        ]
    );
    assert!(!log.contains(KEY));
    // It is not told again by another process.
    gateway.stop()?;
    let gateway = site.start()?;
    let before = stops(&gateway);
    wait::until_so("it is stopped again", || {
        laptop.passes(at(SERVER, ECHO));
        stops(&gateway) > before + 1
    });
    assert_eq!(taken.all().len(), 2);
    Ok(())
}

fn addresses(range: std::ops::Range<u8>) -> Vec<String> {
    range.map(|last| format!("192.0.2.{last}")).collect()
}

#[test]
fn what_a_receiver_misses_arrives_once_and_in_order_also_after_a_kill() -> anyhow::Result<()> {
    let site = Site::new()?;
    configure(&site, &(webhook(&site, "")? + &list(&site)?))?;
    let taken = Taken::default();
    let gateway = site.start()?;
    // Nobody listens; then somebody who takes nothing.
    let mut hosts = Vec::new();
    let add = |hosts: &mut Vec<String>, range: std::ops::Range<u8>| {
        for host in addresses(range) {
            hosts.push(host);
            write_list(&site, hosts)?;
            let waiting = hosts.len();
            wait::until_so("it waits", || view(&site, "siem")["waiting"] == waiting);
        }
        anyhow::Ok(())
    };
    add(&mut hosts, 50..54)?;
    let busy = receiver(&site, &taken)?;
    busy.answer(503);
    add(&mut hosts, 54..58)?;
    assert_eq!(
        gateway.counted("enforcer_alerts_spooled", &[("kind", "webhook")]),
        8
    );
    gateway.kill()?;
    drop(busy);
    let gateway = site.start()?;
    assert!(gateway.has_logged("alerts wait from before"));
    add(&mut hosts, 58..60)?;
    assert!(gateway.counted("enforcer_alerts_failed_total", &[("kind", "webhook")]) > 0);
    gateway.kill()?;
    let gateway = site.start()?;
    let _receiver = receiver(&site, &taken)?;
    wait::until_so("all have arrived", || taken.all().len() >= hosts.len());
    wait::until_so("none waits", || view(&site, "siem")["waiting"] == 0);
    assert_eq!(taken.fields("decision", "host"), hosts);
    let ids: HashSet<_> = taken.fields("decision", "id").into_iter().collect();
    assert_eq!(ids.len(), hosts.len());
    assert!(gateway.stop()?.success());
    // What has arrived is not sent again.
    let _gateway = site.start()?;
    hosts.push("192.0.2.99".to_owned());
    write_list(&site, &hosts)?;
    wait::until_so("the next one arrives", || taken.all().len() == hosts.len());
    assert_eq!(taken.fields("decision", "host"), hosts);
    Ok(())
}

/// The hosts of the alerts that wait, in the order in which they are to be sent.
fn spooled(site: &Site) -> anyhow::Result<Vec<String>> {
    let files = fs::read_dir(site.path("state/alerts/siem"))?;
    let mut paths = files
        .map(|file| Ok(file?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    let hosts = paths.iter().map(|path| {
        let alert: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
        Ok(alert["host"].as_str().unwrap_or_default().to_owned())
    });
    hosts.collect()
}

#[test]
fn a_kill_in_the_middle_of_sending_loses_none_and_changes_no_order() -> anyhow::Result<()> {
    const ALERTS: u8 = 150;
    const KILLS: usize = 3;
    let site = Site::new()?;
    configure(
        &site,
        &(webhook(&site, "per_minute = 1000")? + &list(&site)?),
    )?;
    let taken = Taken::default();
    let receiver = receiver(&site, &taken)?;
    receiver.answer(503);
    let mut gateway = site.start()?;
    write_list(&site, &addresses(50..50 + ALERTS))?;
    wait::until_so("all wait", || view(&site, "siem")["waiting"] == ALERTS);
    let order = spooled(&site)?;
    assert_eq!(order.len(), usize::from(ALERTS));
    receiver.answer(200);
    for _ in 0..KILLS {
        let before = taken.all().len();
        wait::until_so("some arrive", || taken.all().len() >= before + 10);
        gateway.kill()?;
        assert!(taken.all().len() < order.len(), "too late to lose any");
        gateway = site.start()?;
    }
    wait::until_so("none waits", || view(&site, "siem")["waiting"] == 0);
    // The one that was on its way may come again, by the same id: whoever has seen it knows it.
    let mut seen = HashSet::new();
    let all = taken.all();
    let fresh = all.iter().filter(|one| seen.insert(one.field("id")));
    let hosts: Vec<_> = fresh.map(|one| one.field("host").to_owned()).collect();
    assert_eq!(hosts, order);
    assert!(
        all.len() <= order.len() + KILLS,
        "{} of {}",
        all.len(),
        order.len()
    );
    Ok(())
}

#[test]
fn what_a_receiver_will_never_take_does_not_keep_the_others() -> anyhow::Result<()> {
    let site = Site::new()?;
    configure(&site, &(webhook(&site, "")? + &list(&site)?))?;
    let taken = Taken::default();
    let receiver = receiver(&site, &taken)?;
    receiver.answer(422);
    let gateway = site.start()?;
    write_list(&site, &addresses(50..51))?;
    wait::until_so("it is given up", || view(&site, "siem")["given_up"] == 1);
    assert!(gateway.has_logged("refuses the alert (422"));
    receiver.answer(200);
    write_list(&site, &addresses(50..52))?;
    wait::until_so("the next one arrives", || taken.all().len() == 1);
    assert_eq!(taken.fields("decision", "host"), ["192.0.2.51"]);
    assert_eq!(
        gateway.counted("enforcer_alerts_given_up_total", &[("kind", "webhook")]),
        1
    );
    Ok(())
}

#[test]
fn a_full_disk_loses_no_alert_while_the_gateway_runs() -> anyhow::Result<()> {
    let site = Site::new()?;
    let disk = SmallDisk::new(site.path("state/alerts"), 1)?;
    configure(&site, &(webhook(&site, "")? + &list(&site)?))?;
    let gateway = site.start()?;
    write_list(&site, &addresses(50..51))?;
    wait::until_so("the first waits", || view(&site, "siem")["waiting"] == 1);
    disk.fill()?;
    for last in 52..55 {
        write_list(&site, &addresses(50..last))?;
        wait::until_so("it waits", || {
            view(&site, "siem")["waiting"] == u64::from(last - 50)
        });
    }
    assert!(gateway.has_logged("cannot write down what waits in"));
    assert!(gateway.has_logged("No space left"));
    // Enforcement does not mind.
    assert_eq!(gateway.role("192.0.2.53".parse()?), "quarantine");
    assert!(gateway.is_ready());
    // With room again, what was in memory goes to the disk, and outlives the process.
    disk.make_room()?;
    write_list(&site, &addresses(50..55))?;
    wait::until_so("it waits", || view(&site, "siem")["waiting"] == 5);
    gateway.kill()?;
    let _gateway = site.start()?;
    let taken = Taken::default();
    let _receiver = receiver(&site, &taken)?;
    wait::until_so("all arrive", || taken.all().len() == 5);
    assert_eq!(taken.fields("decision", "host"), addresses(50..55));
    Ok(())
}
