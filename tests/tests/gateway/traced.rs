//! A capture is judged offline as the same packets were judged on the wire.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use enforcer::datapath::{Datapath, HostChange, Options};
use enforcer_common::{
    counter::{self, Counter, Hook, Outcome},
    decide::{Direction, Reason},
    host::{FOREVER, HostRow, Origin, SourceId},
    role::RoleId,
};
use enforcer_tests::{
    capture::Pcap,
    config::Config,
    gate::host,
    host::send_frames,
    lan::{GATEWAY, GATEWAY_V6},
    site::{Site, enforcer},
    table::{Known, Place, rows},
    wait,
};
use serde_json::Value;

/// A thousand packets and more.
const LEAST: usize = 1_000;

/// The kernel drops what ends with its VLAN tag before any program at TC sees it (`skb_vlan_untag`).
const SHORTEST: usize = 20;

/// What an interface takes, with two VLAN tags.
const LONGEST: usize = 1_522;

/// Of each row of the table of fixtures so many, for as many hosts.
const EACH: u16 = 2;

/// Every fixture of a host that is decided, or is none of ours, with the roles of these hosts.
fn traffic() -> (Vec<Vec<u8>>, Vec<(std::net::IpAddr, RoleId)>) {
    let (mut frames, mut roles) = (Vec::new(), Vec::new());
    let from_hosts = rows()
        .into_iter()
        .filter(|row| row.way == Direction::FromHost);
    for (number, row) in (1..).zip(from_hosts) {
        let Known::As(role) = row.known else { continue };
        if !RoleId::BUILT_IN
            .iter()
            .any(|(built_in, _)| *built_in == role)
        {
            continue;
        }
        for family in row.families {
            for place in 0..EACH {
                let at = Place::new(*family, row.known, number * EACH + place);
                let frame = (row.packet)(&at);
                if (SHORTEST..=LONGEST).contains(&frame.len()) {
                    roles.push((at.host, role));
                    frames.push(frame);
                }
            }
        }
    }
    (frames, roles)
}

/// The first reason with its outcome that was counted at a hook between two readings.
fn counted(before: &[Counter], after: &[Counter], hook: Hook) -> Option<(Outcome, Reason)> {
    let all = Outcome::ALL.into_iter().flat_map(|(outcome, _)| {
        Reason::ALL
            .iter()
            .map(move |(reason, _)| (outcome, *reason))
    });
    let mut grown = all.filter(|(outcome, reason)| {
        let row = counter::row(hook, *outcome, *reason) as usize;
        after[row].packets > before[row].packets
    });
    grown.next()
}

/// What happens on the wire to each frame.
fn live(
    site: &Site,
    tables: &Datapath,
    hook: Hook,
    frames: &[Vec<u8>],
) -> Result<Vec<(String, String)>> {
    let mut said = Vec::new();
    for (number, frame) in frames.iter().enumerate() {
        let before = tables.counter_rows()?;
        send_frames(&site.lan.switch, "gateway", [frame.as_slice()].into_iter())?;
        let (outcome, reason) = wait::within(wait::PATIENCE, || {
            counted(&before, &tables.counter_rows().ok()?, hook)
        })
        .with_context(|| format!("packet {number} was not counted: {frame:02x?}"))?;
        let action = match outcome {
            Outcome::Done(verdict) => match verdict {
                enforcer_common::decide::Verdict::Reject => "reply",
                verdict => enforcer_common::decide::Verdict::ALL[verdict as usize].1,
            },
            Outcome::WouldStop => "would_stop",
        };
        said.push((action.to_owned(), Reason::ALL[reason as usize].1.to_owned()));
    }
    Ok(said)
}

/// What `enforcer trace` says of the same.
fn traced(
    site: &Site,
    hook: &str,
    frames: &[Vec<u8>],
    roles: &[(std::net::IpAddr, RoleId)],
) -> Result<Vec<(String, String)>> {
    let hosts = roles.iter().map(|(address, role)| {
        let name = RoleId::BUILT_IN
            .iter()
            .find(|(id, _)| id == role)
            .map_or("", |(_, name)| name);
        format!("{address},{name}\n")
    });
    let mut hosts: Vec<_> = hosts.collect();
    hosts.sort();
    hosts.dedup();
    fs::write(
        site.path("hosts.csv"),
        format!("address,role\n{}", hosts.concat()),
    )?;
    fs::write(site.path("capture.pcap"), Pcap::of(frames))?;
    let mut trace = Command::new(enforcer());
    trace
        .args([
            "trace",
            "--json",
            "--hook",
            hook,
            "--address",
            GATEWAY,
            "--address",
            GATEWAY_V6,
            "--config",
        ])
        .arg(site.config_file())
        .arg("--hosts")
        .arg(site.path("hosts.csv"))
        .arg("--pcap")
        .arg(site.path("capture.pcap"));
    let done = trace.output()?;
    ensure!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let text = String::from_utf8(done.stdout)?;
    let word = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    text.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line)?;
            Ok((word(&line, "action"), word(&line, "reason")))
        })
        .collect()
}

fn compare(choice: &str, hook: Hook) -> Result<()> {
    let site = Site::new()?;
    // Nobody else says anything.
    for place in [
        &site.lan.laptop.namespace,
        &site.lan.desktop.namespace,
        &site.lan.switch,
    ] {
        place.set(&[("ipv6/conf/all/disable_ipv6", "1")])?;
    }
    let interface = format!(
        "name = \"lan0\"\nhook = \"{choice}\"\nvlan = [{{ id = 7 }}, {{ id = 7, inner = 7 }}]"
    );
    let limits = "[limits]\nreplies_per_second = 1000000\nquestions_per_second = 1000000";
    let config = Config {
        sections: limits.to_owned(),
        ..Config::default()
    };
    site.write_config(&config.text(&site).replace("name = \"lan0\"", &interface))?;
    let _gateway = site.start()?;
    let (frames, roles) = traffic();
    ensure!(frames.len() >= LEAST, "only {} packets", frames.len());
    let mut tables = Datapath::open(Options {
        pin_dir: site.pin_dir(),
        host_capacity: Config::default().host_capacity,
    })?;
    let changes = roles.iter().map(|(address, role)| {
        let row = HostRow {
            deadline: FOREVER,
            mac: [0; 6],
            role: *role,
            origin: Origin::of(SourceId::GATEWAY),
        };
        (*address, HostChange::Set(host(*address), row))
    });
    let changes: std::collections::BTreeMap<_, _> = changes.collect();
    tables.apply(&changes.into_values().collect::<Vec<_>>())?;

    let live = live(&site, &tables, hook, &frames)?;
    let traced = traced(
        &site,
        if hook == Hook::Xdp {
            "xdp"
        } else {
            "tc-ingress"
        },
        &frames,
        &roles,
    )?;
    ensure!(
        traced.len() == frames.len(),
        "{} lines for {} packets",
        traced.len(),
        frames.len()
    );
    for (number, (frame, (live, traced))) in frames.iter().zip(live.iter().zip(&traced)).enumerate()
    {
        ensure!(
            live == traced,
            "packet {number}: live {live:?}, traced {traced:?}: {frame:02x?}"
        );
    }
    Ok(())
}

#[test]
fn what_is_judged_live_by_xdp_is_judged_alike_offline() -> Result<()> {
    compare("xdp", Hook::Xdp)
}

#[test]
fn what_is_judged_live_by_tc_is_judged_alike_offline() -> Result<()> {
    compare("tc", Hook::TcIngress)
}
