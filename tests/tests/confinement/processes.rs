//! Every thread of a gateway and of its children.

use enforcer_tests::{gateway::Gateway, site::Site, wait};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::status::Status;

/// `CAP_KILL`, `CAP_SETGID`, `CAP_SETUID`, `CAP_NET_ADMIN`, `CAP_PERFMON`, `CAP_BPF`.
const KEPT: u64 = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 12 | 1 << 38 | 1 << 39;

fn filters(status: &Status) -> u32 {
    status.get("Seccomp_filters").parse().unwrap_or_default()
}

fn child(gateway: &Gateway<'_>, word: &str) -> Pid {
    wait::until(format!("the child `{word}` runs"), || gateway.child(word))
}

/// Holds a child to what children may do, once it has come so far.
fn check_child(gateway: &Gateway<'_>, word: &str) -> anyhow::Result<()> {
    let most = Status::of_threads(gateway.pid())?.iter().map(filters).max();
    let pid = child(gateway, word);
    wait::until_so(format!("`{word}` gives up what it does not need"), || {
        let threads = Status::of_threads(pid).unwrap_or_default();
        !threads.is_empty() && threads.iter().all(|thread| Some(filters(thread)) > most)
    });
    for thread in Status::of_threads(pid)? {
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(thread.capabilities(set)?, 0, "{word}: {set}");
        }
        assert_eq!(thread.get("Seccomp"), "2", "{word}");
        assert_eq!(thread.get("NoNewPrivs"), "1", "{word}");
        assert!(
            !thread.users().contains(&"0"),
            "{word}: {:?}",
            thread.users()
        );
        assert_eq!(thread.get("Groups"), "", "{word}");
    }
    Ok(())
}

#[test]
fn a_started_gateway_keeps_six_capabilities_in_every_thread_but_that_of_logs() -> anyhow::Result<()>
{
    let site = Site::new()?;
    let gateway = site.start()?;
    let threads = Status::of_threads(gateway.pid())?;
    assert!(threads.len() > 1);
    for thread in threads {
        let name = thread.get("Name");
        // Who only writes logs needs none.
        let kept = if name == "logs" { 0 } else { KEPT };
        assert_eq!(thread.capabilities("CapPrm")?, kept, "{name}");
        assert_eq!(thread.capabilities("CapEff")?, kept, "{name}");
        for set in ["CapInh", "CapBnd", "CapAmb"] {
            assert_eq!(thread.capabilities(set)?, 0, "{name}: {set}");
        }
        assert_eq!(thread.get("Seccomp"), "2", "{name}");
        assert_eq!(thread.get("NoNewPrivs"), "1", "{name}");
    }
    Ok(())
}

#[test]
fn children_have_no_capability_and_are_not_root() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    check_child(&gateway, "http")?;
    check_child(&gateway, "server")
}

#[test]
fn a_child_that_is_started_again_has_no_more() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    for word in ["http", "server"] {
        let before = child(&gateway, word);
        kill(before, Signal::SIGKILL)?;
        wait::until_so(format!("`{word}` is started again"), || {
            gateway.child(word).is_some_and(|now| now != before)
        });
        check_child(&gateway, word)?;
    }
    wait::until_so("the gateway is ready again", || gateway.is_ready());
    Ok(())
}
