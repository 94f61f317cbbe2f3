//! Exit codes, completions and manual pages.

use std::{
    fs,
    process::{Command, Output},
};

use anyhow::Context;
use enforcer_tests::{
    namespace::output,
    site::{Site, enforcer},
};

fn run(words: &[&str]) -> anyhow::Result<Output> {
    Ok(Command::new(enforcer()).args(words).output()?)
}

/// Every command that asks a gateway.
const COMMANDS: [&[&str]; 14] = [
    &["status"],
    &["hosts"],
    &["hosts", "--csv"],
    &["hosts", "--watch"],
    &["host", "192.0.2.1"],
    &["events", "--follow"],
    &["top"],
    &["explain", "192.0.2.1"],
    &["config", "show"],
    &["reload"],
    &["mode", "enforce"],
    &["allow", "192.0.2.1", "--reason", "x"],
    &["deny", "192.0.2.1", "--reason", "x"],
    &["release", "192.0.2.1", "--reason", "x"],
];

#[test]
fn exit_codes_are_those_of_the_table() -> anyhow::Result<()> {
    let site = Site::new()?;
    for words in COMMANDS {
        let done = site.operator(words).output()?;
        let error = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(3), "{words:?}: {error}");
        assert!(
            error.contains("no gateway is running here"),
            "{words:?}: {error}"
        );
        // A misspelt word makes no sense.
        let done = site.operator(&[words, &["--colour"]].concat()).output()?;
        assert_eq!(done.status.code(), Some(2), "{words:?}");
    }
    let gateway = site.start()?;
    for (words, code) in [
        (&["status"][..], 0),
        (&["hosts"], 0),
        (&["events"], 0),
        (&["top", "--once"], 0),
        (&["config", "show"], 0),
        (&["mode", "enforce"], 0),
        (&["reload"], 0),
        (&["allow", "192.0.2.1", "--reason", "x"], 1),
        (&["allow", "192.0.2.5"], 2),
        (&["mode", "off"], 2),
        (&["release", "192.0.2.5", "--reason", "x"], 3),
        (&["host", "192.0.2.99"], 3),
        (&["hosts", "--zone", "moon"], 3),
    ] {
        let done = site.operator(words).output()?;
        let error = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{words:?}: {error}");
    }
    // One that was killed has left its socket behind.
    gateway.kill()?;
    assert_eq!(site.operator(&["status"]).output()?.status.code(), Some(3));
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))?;
    let help = String::from_utf8(run(&["--help"])?.stdout)?;
    for code in ["0", "1", "2", "3"] {
        let has = |text: &str, start: String| text.lines().any(|line| line.starts_with(&start));
        assert!(has(&readme, format!("| {code} | ")), "README: {code}");
        assert!(has(&help, format!("  {code}  ")), "--help: {code}");
    }
    Ok(())
}

#[test]
fn completions_are_scripts_of_their_shells() -> anyhow::Result<()> {
    let bash = String::from_utf8(run(&["completions", "bash"])?.stdout)?;
    // What a shell that has read them offers behind `enforcer hosts --st`.
    let script = format!(
        "{bash}\nCOMP_WORDS=(enforcer hosts --st); COMP_CWORD=2; _enforcer enforcer --st hosts; \
         echo \"${{COMPREPLY[@]}}\""
    );
    let offered = output(Command::new("bash").args(["-c", &script]))?;
    assert_eq!(offered.trim(), "--status");
    for (shell, sign) in [
        ("zsh", "#compdef enforcer"),
        ("fish", "complete -c enforcer"),
    ] {
        let done = run(&["completions", shell])?;
        assert!(done.status.success());
        let text = String::from_utf8(done.stdout)?;
        assert!(
            text.contains(sign) && text.contains("unauthorized"),
            "{shell}"
        );
    }
    assert_eq!(run(&["completions", "tcsh"])?.status.code(), Some(2));
    Ok(())
}

#[test]
fn each_command_has_a_manual_page() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let out = directory.path().join("man1");
    let done = run(&["man", "--out", out.to_str().context("a name")?])?;
    assert!(done.status.success(), "{done:?}");
    for (page, word) in [
        ("enforcer.1", "Exit codes"),
        ("enforcer-hosts.1", "no\\-client"),
        ("enforcer-config-show.1", "\\-\\-effective"),
        ("enforcer-reload.1", "whole or not at all"),
        (
            "enforcer-server-token-create.1",
            "enforcer\\-server\\-token\\-create",
        ),
    ] {
        let text = fs::read_to_string(out.join(page)).with_context(|| page.to_owned())?;
        assert!(text.contains(word), "{page}: {text}");
    }
    // What only the gateway itself starts is nobody's business.
    assert!(!out.join("enforcer-http.1").exists());
    let denied = run(&["man", "--out", "/proc/none"])?;
    assert_eq!(denied.status.code(), Some(1));
    Ok(())
}
