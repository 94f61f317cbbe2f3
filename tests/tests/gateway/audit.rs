//! What operators do is written down, or not done.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    process::Command,
    thread,
};

use enforcer_tests::{
    disk::SmallDisk,
    namespace::output,
    site::{Site, enforcer},
    wait,
};
use serde_json::Value;

/// `enforcer audit` with these words, for the gateway of this site.
fn audit(site: &Site, words: &[&str]) -> Command {
    let mut command = Command::new(enforcer());
    command.arg("audit").args(words).arg("--state-dir");
    command.arg(site.path("state"));
    command
}

fn verified(site: &Site) -> anyhow::Result<Value> {
    let printed = output(&mut audit(site, &["verify", "--output", "json"]))?;
    Ok(serde_json::from_str(&printed)?)
}

/// The entries that are shown with these options.
fn shown(site: &Site, options: &[&str]) -> anyhow::Result<Vec<Value>> {
    let printed = output(&mut audit(site, &[&["show", "--json"], options].concat()))?;
    let entries = printed.lines().map(serde_json::from_str);
    Ok(entries.collect::<Result<_, _>>()?)
}

#[test]
fn who_did_what_is_shown_and_a_changed_line_is_named() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let laptop = site.lan.laptop.v4.to_string();
    site.control(&["allow", &laptop, "--reason", "a new disk"])?;
    site.control(&["mode", "monitor"])?;
    site.control(&["release", &laptop, "--reason", "repaired"])?;
    assert_eq!(verified(&site)?["entries"], 3);
    let released = shown(
        &site,
        &["--what", "repaired", "--who", "root", "--since", "1h"],
    )?;
    assert_eq!(released.len(), 1, "{released:?}");
    assert_eq!(released[0]["object"], format!("lan {laptop}"));
    let table = output(&mut audit(&site, &["show", "--csv"]))?;
    assert!(
        table.starts_with("number,time,user,uid,action,object,details\n1,"),
        "{table}"
    );

    let missing = Command::new(enforcer())
        .args(["audit", "verify", "/nonexistent.jsonl"])
        .output()?;
    let said = String::from_utf8_lossy(&missing.stderr);
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
    assert!(said.contains("/nonexistent.jsonl"), "{said}");

    let log = site.path("state/audit.jsonl");
    let text = fs::read_to_string(&log)?;
    fs::write(&log, text.replace("monitor", "nothing"))?;
    let refused = audit(&site, &["verify"]).output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("audit.jsonl:2: it was changed"), "{said}");
    drop(gateway);
    Ok(())
}

#[test]
fn a_full_disk_refuses_what_cannot_be_written_down_and_loses_nothing() -> anyhow::Result<()> {
    let site = Site::new()?;
    let disk = SmallDisk::new(site.path("state"), 16)?;
    let gateway = site.start()?;
    site.control(&["mode", "monitor"])?;
    disk.fill()?;
    let mut mode = ["monitor", "enforce"];
    // The last page of the file has room for some more.
    let said = wait::until("the audit log has no room", || {
        mode.reverse();
        let done = site.operator(&["mode", mode[1]]).output().ok()?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        (!done.status.success()).then_some(said)
    });
    for part in [
        "cannot write the audit log",
        "audit.jsonl",
        "No space left",
        "make room",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // The one that was refused is not the mode, and nothing of it is in the log.
    assert_eq!(site.control(&["status"])?["mode"], mode[0], "{said}");
    let before = verified(&site)?;
    assert!(before["entries"].as_u64() >= Some(2), "{before}");
    assert_eq!(gateway.counted("enforcer_audit_failures_total", &[]), 1);

    disk.make_room()?;
    site.control(&["mode", mode[1]])?;
    let after = verified(&site)?;
    let entries = |found: &Value| found["entries"].as_u64().unwrap_or_default();
    assert_eq!(entries(&after), entries(&before) + 1);
    assert_eq!(site.control(&["status"])?["mode"], mode[1]);
    drop(gateway);
    Ok(())
}

#[test]
fn a_kill_in_the_middle_of_writing_leaves_a_chain_that_goes_on() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    // Operators are at work while it ends.
    let done = thread::scope(|scope| -> anyhow::Result<u64> {
        let orders = scope.spawn(|| {
            let mode = |number: usize| ["monitor", "enforce"][number % 2];
            let is_done = |number| site.control(&["mode", mode(number)]).is_ok();
            (0..500).take_while(|number| is_done(*number)).count() as u64
        });
        let log = site.path("state/audit.jsonl");
        let lines = || fs::read_to_string(&log).unwrap_or_default().lines().count();
        wait::until_so("some are written down", || lines() >= 5);
        gateway.kill()?;
        Ok(orders.join().expect("orders"))
    })?;
    let log = site.path("state/audit.jsonl");
    let found = verified(&site)?["entries"].as_u64().unwrap_or_default();
    // Nobody was told that it is done without it being written down; one may have been written down and not answered.
    assert!(
        (done..=done + 1).contains(&found),
        "{done} done, {found} found"
    );

    // What is left when it happens within the line.
    let text = fs::read(&log)?;
    let last = text.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    let half = &last.expect("a line")[..120];
    OpenOptions::new()
        .append(true)
        .open(&log)?
        .write_all(half)?;
    File::open(&log)?.sync_all()?;
    assert!(verified(&site).is_err());
    let gateway = site.start()?;
    assert!(gateway.has_logged("the last line of the audit log was cut"));
    site.control(&["mode", "monitor"])?;
    assert_eq!(verified(&site)?["entries"], found + 2);
    let noted = shown(&site, &["--what", "cut"])?;
    assert_eq!(noted.len(), 1, "{noted:?}");
    let details = noted[0]["details"].as_str().unwrap_or_default();
    assert!(details.starts_with("120 bytes"), "{details}");
    Ok(())
}

#[test]
fn a_damaged_log_refuses_orders_and_keeps_no_gateway_from_enforcing() -> anyhow::Result<()> {
    let site = Site::new()?;
    fs::create_dir_all(site.path("state"))?;
    let log = site.path("state/audit.jsonl");
    fs::write(&log, "this is no entry\n")?;
    let gateway = site.start()?;
    let refused = site.operator(&["mode", "monitor"]).output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    assert!(said.contains("audit.jsonl is damaged at line 1"), "{said}");
    assert_eq!(site.control(&["status"])?["mode"], "enforce");
    fs::rename(&log, site.path("state/audit.damaged"))?;
    site.control(&["mode", "monitor"])?;
    assert_eq!(verified(&site)?["entries"], 1);
    drop(gateway);
    Ok(())
}
