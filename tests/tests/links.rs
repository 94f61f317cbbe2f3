//! What the kernel tells of interfaces, and is told.

use std::process::Command;

use anyhow::{Context, Result};
use enforcer::links::{self, Feature, Features, State};
use enforcer_tests::{kernel, namespace::output};
use nix::sched::{CloneFlags, unshare};

/// In a network namespace of this thread's own.
fn ip(arguments: &str) -> Result<String> {
    output(Command::new("ip").args(arguments.split(' ')))
}

fn link(name: &str) -> Result<links::Link> {
    links::named(name)?.with_context(|| format!("no {name}"))
}

#[test]
fn interfaces_and_what_they_are_part_of() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    ip("link add inside mtu 1400 type veth peer name outside")?;
    ip("link add bridge type bridge")?;
    ip("link set inside master bridge up")?;
    ip("link add link outside name upper type macvlan")?;
    let (inside, bridge, outside) = (link("inside")?, link("bridge")?, link("outside")?);
    assert_eq!(inside.controller, Some(bridge.index));
    assert_eq!(inside.lower, Some(outside.index), "its peer");
    assert!(inside.is_up && !outside.is_up && inside.is_virtual());
    assert_eq!((inside.mtu, inside.kind.as_str()), (1400, "veth"));
    assert_eq!(bridge.kind, "bridge");
    assert_eq!(link("upper")?.lower, Some(outside.index));
    assert_eq!(inside.driver(), None);
    Ok(())
}

#[test]
fn features_are_read_and_switched() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    ip("link add inside type veth peer name outside")?;
    let strips = || Features::read("inside").map(|all| all.state(Feature::StripsTags));
    assert_eq!(strips()?, State::On);
    Features::set("inside", Feature::StripsTags, false)?;
    assert_eq!(strips()?, State::Off);
    let shown = output(Command::new("ethtool").args(["-k", "inside"]))?;
    assert!(shown.contains("rx-vlan-offload: off\n"), "{shown}");
    Features::set("inside", Feature::StripsTags, true)?;
    assert_eq!(strips()?, State::On);
    let absent = Features::read("nothing0").expect_err("no interface");
    assert!(absent.to_string().contains("No such device"), "{absent}");
    Ok(())
}

/// From Linux 6.3 on.
#[test]
fn drivers_say_what_they_can_do_with_xdp() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    if !kernel::is_at_least((6, 3))? {
        let error = links::xdp_features(1).expect_err("nobody to ask");
        assert!(error.to_string().contains("No such file"), "{error}");
        return Ok(());
    }
    ip("link add inside type veth peer name outside")?;
    ip("link add bridge type bridge")?;
    let features = |name| -> Result<_> { Ok(links::xdp_features(link(name)?.index)?) };
    assert!(features("inside")?.basic && features("inside")?.fragments);
    assert!(!features("bridge")?.basic);
    Ok(())
}
