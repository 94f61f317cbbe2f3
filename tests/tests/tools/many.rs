//! More hosts than are looked at for one answer.

use std::fs;

use enforcer_tests::{config::Config, site::Site};
use serde_json::{Value, json};

/// More than one part of the list, and more than the gateway looks at for one.
const HOSTS: u32 = 20_000;

fn exception(number: u32) -> Value {
    let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
    json!({
        "zone": "lan",
        "address": address,
        "role": if number.is_multiple_of(1000) { "denied" } else { "authorized" },
        "reason": format!("number {number}"),
        "by": { "uid": 0, "name": "root" },
        "since": "2026-01-01T00:00:00Z",
        "until": null,
    })
}

#[test]
fn each_of_many_hosts_is_listed_once() -> anyhow::Result<()> {
    let site = Site::with(&Config {
        host_capacity: 65_536,
        ..Config::default()
    })?;
    fs::create_dir_all(site.path("state"))?;
    let exceptions: Vec<_> = (1..=HOSTS).map(exception).collect();
    let file = json!({ "version": 1, "exceptions": exceptions });
    fs::write(site.path("state/exceptions.json"), file.to_string())?;
    let _gateway = site.start()?;

    let csv = site.operator(&["hosts", "--csv"]).output()?;
    let csv = String::from_utf8(csv.stdout)?;
    let mut rows: Vec<_> = csv.lines().skip(1).collect();
    assert_eq!(rows.len(), HOSTS as usize);
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), HOSTS as usize, "none twice");

    let first = site.control(&["hosts", "--limit", "3"])?;
    assert_eq!(first["total"], HOSTS);
    assert_eq!(first["by_status"]["unauthorized"], HOSTS / 1000);
    assert_eq!(first["hosts"].as_array().map(Vec::len), Some(3));
    // What is asked for stands at the end of what is looked at.
    let last = site.control(&["hosts", "--reason", "number 20000"])?;
    assert_eq!(last["hosts"][0]["address"], "10.0.78.32");
    let denied = site.control(&["hosts", "--sort", "role", "--reverse", "--limit", "5"])?;
    assert_eq!(denied["hosts"].as_array().map(Vec::len), Some(5));
    let denied = site.control(&["hosts", "--sort", "status", "--reverse", "--limit", "20"])?;
    let hosts = denied["hosts"].as_array().expect("hosts");
    assert!(hosts.iter().all(|host| host["role"] == "denied"));
    Ok(())
}
