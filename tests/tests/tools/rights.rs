//! Who may ask, who may order, and who did.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Command, Output},
};

use enforcer_tests::{
    config::Config,
    site::{Site, enforcer},
};
use nix::unistd::Group;
use serde_json::Value;

/// Groups that every Debian has.
const OPERATORS: &str = "adm";
const READERS: &str = "staff";

fn site() -> anyhow::Result<Site> {
    let site = Site::with(&Config {
        sections: format!("[control]\ngroup = \"{OPERATORS}\"\nreaders = \"{READERS}\"\n"),
        ..Config::default()
    })?;
    // Programs below the home of root are out of reach for others.
    fs::copy(enforcer(), site.path("enforcer"))?;
    Ok(site)
}

fn gid(group: &str) -> u32 {
    let found = Group::from_name(group).ok().flatten();
    found.expect("a group of this machine").gid.as_raw()
}

/// A command of somebody who is in these groups, and nobody else.
fn as_member(site: &Site, groups: &[&str], words: &[&str]) -> anyhow::Result<Output> {
    let groups: Vec<_> = groups.iter().map(|group| gid(group).to_string()).collect();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534"]);
    if groups.is_empty() {
        command.arg("--clear-groups");
    } else {
        command.arg(format!("--groups={}", groups.join(",")));
    }
    command
        .arg(site.path("enforcer"))
        .args(words)
        .arg("--socket");
    Ok(command.arg(site.path("run/control.sock")).output()?)
}

fn audited(site: &Site, action: &str) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(site.path("state/audit.jsonl"))?;
    let deeds = text.lines().map(serde_json::from_str);
    let deeds = deeds.collect::<Result<Vec<Value>, _>>()?;
    Ok(deeds
        .into_iter()
        .filter(|deed| deed["action"] == action)
        .collect())
}

#[test]
fn members_of_two_groups_may_order_and_ask_and_others_may_neither() -> anyhow::Result<()> {
    let site = site()?;
    let _gateway = site.start()?;
    for (socket, group) in [("control.sock", OPERATORS), ("read.sock", READERS)] {
        let found = fs::metadata(site.path("run").join(socket))?;
        assert_eq!(
            (found.permissions().mode() & 0o777, found.gid()),
            (0o660, gid(group)),
            "{socket}"
        );
    }
    let deny = ["deny", "192.0.2.77", "--reason", "scanning"];
    for (groups, words, code, said) in [
        (&[OPERATORS][..], &["status"][..], 0, ""),
        (&[OPERATORS], &deny, 0, ""),
        (&[OPERATORS], &["reload"], 0, ""),
        (&[READERS], &["status"], 0, ""),
        (&[READERS], &["hosts"], 0, ""),
        (&[READERS], &["host", "192.0.2.77"], 0, ""),
        (&[READERS], &["events"], 0, ""),
        (&[READERS], &["explain", "192.0.2.77"], 0, ""),
        (&[READERS], &["config", "show"], 0, ""),
        (
            &[READERS],
            &deny,
            1,
            "nobody may ask the gateway, and change nothing",
        ),
        (&[READERS], &["mode", "monitor"], 1, "change nothing"),
        (&[READERS], &["reload"], 1, "change nothing"),
        (
            &[READERS],
            &["release", "192.0.2.77", "--reason", "x"],
            1,
            "change nothing",
        ),
        (&[], &["status"], 1, "root and the group `adm`"),
        (&[], &deny, 1, "root and the group `adm`"),
    ] {
        let done = as_member(&site, groups, words)?;
        let error = String::from_utf8_lossy(&done.stderr);
        assert_eq!(
            done.status.code(),
            Some(code),
            "{groups:?} {words:?}: {error}"
        );
        assert!(error.contains(said), "{groups:?} {words:?}: {error}");
    }
    assert_eq!(site.control(&["status"])?["mode"], "enforce");
    let denied = audited(&site, "except")?;
    assert_eq!(denied.len(), 1, "{denied:#?}");
    let who = &denied[0]["who"];
    assert_eq!(
        (&who["uid"], &who["name"]),
        (&65534.into(), &"nobody".into())
    );
    assert!(who["pid"].as_u64() > Some(1), "{who:#}");
    assert_eq!(audited(&site, "reload")?.len(), 1);
    Ok(())
}

#[test]
fn without_groups_root_is_alone() -> anyhow::Result<()> {
    let site = Site::new()?;
    let _gateway = site.start()?;
    for socket in ["control.sock", "read.sock"] {
        let found = fs::metadata(site.path("run").join(socket))?;
        assert_eq!(
            (found.permissions().mode() & 0o777, found.uid()),
            (0o600, 0),
            "{socket}"
        );
    }
    fs::copy(enforcer(), site.path("enforcer"))?;
    let done = as_member(&site, &[OPERATORS, READERS], &["status"])?;
    let error = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    assert!(error.contains("root alone; use `sudo`"), "{error}");
    Ok(())
}

#[test]
fn a_group_that_is_not_there_is_named() -> anyhow::Result<()> {
    let site = Site::with(&Config {
        sections: "[control]\ngroup = \"no-such-group\"\n".to_owned(),
        ..Config::default()
    })?;
    let said = site.refused()?;
    assert!(
        said.contains("control.group") && said.contains("groupadd --system no-such-group"),
        "{said}"
    );
    Ok(())
}
