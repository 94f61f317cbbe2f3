//! Files of root, which root without capabilities owns all the same.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use enforcer_tests::{
    config::Config,
    posture::Posture,
    site::{Site, enforcer},
    wait,
};

/// A place where nothing may be written but what a gateway is told is its own.
const ELSEWHERE: &str = "/var/lib";

#[test]
fn a_gateway_has_all_that_it_needs_in_its_directories() -> anyhow::Result<()> {
    let site = Site::new_in(Path::new(ELSEWHERE))?;
    for _start in 0..2 {
        let gateway = site.start()?;
        let host = &site.lan.laptop;
        assert_eq!(site.report(host, &Posture::good("laptop"))?, "authorized");
        site.control(&["deny", "192.0.2.77", "--reason", "scanning"])?;
        site.control(&["reload"])?;
        assert!(gateway.is_ready());
        assert!(gateway.stop()?.success());
    }
    Ok(())
}

#[test]
fn a_gateway_writes_in_its_directories_alone() -> anyhow::Result<()> {
    let site = Site::new()?;
    let elsewhere = tempfile::Builder::new().tempdir_in(ELSEWHERE)?;
    for (place, is_open) in [(site.path("state"), true), (elsewhere.path().into(), false)] {
        fs::create_dir_all(&place)?;
        let file = place.join("made");
        let mut command = Command::new(enforcer());
        command.args(["confined", "gateway", "--write-beneath"]);
        let done = command
            .arg(site.path("state"))
            .args(["sh", "-c", "echo made > \"$0\" && rm \"$0\""])
            .arg(&file)
            .output()?;
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.success(), is_open, "{}: {said}", file.display());
        assert!(!file.exists(), "{}", file.display());
    }
    Ok(())
}

#[test]
fn a_link_in_them_leads_a_running_gateway_nowhere() -> anyhow::Result<()> {
    let site = Site::new_in(Path::new(ELSEWHERE))?;
    let outside = tempfile::Builder::new().tempdir_in(ELSEWHERE)?;
    let planted = outside.path().join("planted");
    let gateway = site.start()?;
    symlink(&planted, site.path("state/numbers.new"))?;
    site.configure(&Config {
        mode: "monitor",
        ..Config::default()
    })?;
    site.control(&["reload"])?;
    wait::until_so("it does not follow the link", || {
        gateway.has_logged("cannot keep the numbers of zones and roles")
    });
    assert!(!planted.exists());
    Ok(())
}

#[test]
fn where_the_kernel_cannot_hold_it_to_its_directories_a_gateway_says_so_and_goes_on()
-> anyhow::Result<()> {
    let site = Site::new()?;
    let (log, refused) = (site.path("gateway.log"), "landlock_create_ruleset");
    // What a kernel says that was started without Landlock.
    let mut command = site.lan.gateway.command("strace");
    command
        .args(["--follow-forks", "--quiet=all", "--seccomp-bpf"])
        .arg(format!("--trace={refused}"))
        .arg(format!("--inject={refused}:error=EOPNOTSUPP"))
        .arg("--output=/dev/null")
        .arg(enforcer())
        .args(["run", "--config"])
        .arg(site.config_file())
        .stderr(fs::File::create(&log)?);
    let mut traced = command.spawn()?;
    let said = || fs::read_to_string(&log).unwrap_or_default();
    wait::until_so("it says so", || {
        said().contains("this kernel has no Landlock")
    });
    wait::until_so("it goes on", || {
        let status = site.control(&["status"]);
        status.is_ok_and(|status| status["ready"] == true)
    });
    traced.kill()?;
    traced.wait()?;
    Ok(())
}
