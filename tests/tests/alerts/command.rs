//! Alerts by commands.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use enforcer_tests::{posture::Posture, site::Site, wait};

use crate::place::{configure, list, view, write_list};

fn section(name: &str, command: &str, keys: &str) -> String {
    format!("[[alert]]\nname = \"{name}\"\nkind = \"command\"\ncommand = {command}\n{keys}\n")
}

fn script(site: &Site, name: &str, text: &str) -> anyhow::Result<String> {
    let path = site.path(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path.display().to_string())
}

/// A directory that everybody may write to.
fn open_directory(site: &Site) -> anyhow::Result<String> {
    let path = site.path("told");
    fs::create_dir(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777))?;
    Ok(path.display().to_string())
}

/// Whether a process is there, and not only waits to be collected.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_host_that_falls_to_quarantine_has_the_command_run() -> anyhow::Result<()> {
    let site = Site::new()?;
    let told = open_directory(&site)?;
    let tell = format!(
        "(id -u; id -G; env; printf '%s\\n' \"$@\"; ls /proc/self/fd; grep -E '^(NoNewPrivs|CapEff)' /proc/self/status) \
         > {told}/new && mv {told}/new {told}/all"
    );
    let tell = script(&site, "tell", &tell)?;
    let arguments = format!("[\"{tell}\", \"$(touch {told}/shell)\", \"two words\"]");
    configure(&site, &section("tell", &arguments, ""))?;
    let _gateway = site.start()?;
    site.report(&site.lan.laptop, &Posture::bad("laptop"))?;
    let all = Path::new(&told).join("all");
    wait::until_so("it has run", || all.exists());
    let said = fs::read_to_string(&all)?;
    let lines: Vec<_> = said.lines().collect();
    // nobody, and in no group but its own.
    assert_eq!(&lines[..2], ["65534", "65534"], "{said}");
    let shell = format!("$(touch {told}/shell)");
    for line in [
        "ENFORCER_EVENT=decision",
        "ENFORCER_HOST=192.0.2.11",
        "ENFORCER_ROLE=quarantine",
        "ENFORCER_ENDPOINT=laptop",
        "ENFORCER_REASONS=firewall",
        &shell,
        "two words",
        "CapEff:\t0000000000000000",
    ] {
        assert!(lines.contains(&line), "{line}: {said}");
    }
    let foreign = lines.iter().filter(|line| {
        line.contains('=') && !line.starts_with("ENFORCER_") && !line.starts_with("PATH=")
    });
    let foreign: Vec<_> = foreign.filter(|line| !line.starts_with("PWD=")).collect();
    let by_shell = ["OLDPWD=/", "_=/usr/bin/env", "SHLVL=1"];
    assert!(
        foreign.iter().all(|line| by_shell.contains(line)),
        "{foreign:?}"
    );
    assert!(!Path::new(&told).join("shell").exists());
    wait::until_so("it is counted", || view(&site, "tell")["sent"] == 1);
    Ok(())
}

#[test]
fn a_command_that_hangs_is_killed_with_its_children_and_a_few_run_at_once() -> anyhow::Result<()> {
    let site = Site::new()?;
    let told = open_directory(&site)?;
    let hang = format!("sleep 1000 &\necho $$ $! > {told}/$ENFORCER_HOST\nwait");
    let hang = script(&site, "hang", &hang)?;
    let fail = script(&site, "fail", "echo no paper >&2; exit 7")?;
    let sections = [
        section("hang", &format!("[\"{hang}\"]"), "limit = \"2s\""),
        section("fail", &format!("[\"{fail}\"]"), ""),
        list(&site)?,
    ];
    configure(&site, &sections.concat())?;
    let gateway = site.start()?;
    let hosts: Vec<_> = (50..60).map(|last| format!("192.0.2.{last}")).collect();
    write_list(&site, &hosts)?;
    // Each of them, and its child.
    let pids = || {
        let files = fs::read_dir(&told).into_iter().flatten().flatten();
        let lines = files.filter_map(|file| fs::read_to_string(file.path()).ok());
        let pairs = lines.filter_map(|line| {
            let (pid, child) = line.strip_suffix('\n')?.split_once(' ')?;
            Some([pid.to_owned(), child.to_owned()])
        });
        pairs.collect::<Vec<_>>()
    };
    let is_any_left = || pids().iter().flatten().any(|pid| runs(pid));
    let mut most = 0;
    wait::until_so("each has been killed", || {
        let running = pids().iter().filter(|[pid, _]| runs(pid)).count();
        most = most.max(running);
        view(&site, "hang")["failed"] == 10
    });
    assert!((1..=4).contains(&most), "{most} at once");
    assert_eq!(pids().len(), 10);
    wait::until_so("nothing of them is left", || !is_any_left());
    let hanging = view(&site, "hang");
    assert_eq!(hanging["given_up"], 10, "{hanging}");
    let message = hanging["last_failure"]["message"].to_string();
    assert!(message.contains("took longer than 2s"), "{message}");
    let failing = view(&site, "fail");
    let message = failing["last_failure"]["message"].to_string();
    assert!(
        message.contains("exit status: 7") && message.contains("no paper"),
        "{message}"
    );
    // One that runs ends with the gateway.
    write_list(&site, &[hosts, vec!["192.0.2.77".to_owned()]].concat())?;
    wait::until_so("the next one runs", || pids().len() == 11);
    assert!(gateway.stop()?.success());
    wait::until_so("it has ended", || !is_any_left());
    Ok(())
}
