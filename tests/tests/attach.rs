//! The programs on a real interface: attached, taken over, removed.

use std::process::Command;

use anyhow::{Result, ensure};
use enforcer::datapath::{Datapath, EgressHook, Options, Plan};
use enforcer_tests::{bpffs::BpfFs, gate};
use nix::sched::{CloneFlags, unshare};

/// A veth pair in a network namespace of this thread's own: programs stand on `inside`, hosts are
/// behind `outside`.
fn pair() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    ip("link add inside type veth peer name outside")?;
    ip("address add 192.0.2.1/24 dev inside")?;
    ip("address add 198.51.100.1/24 dev outside")?;
    ip("link set inside up")?;
    ip("link set outside up")?;
    Ok(())
}

fn ip(arguments: &str) -> Result<String> {
    said("ip", arguments)
}

fn said(program: &str, arguments: &str) -> Result<String> {
    let output = Command::new(program).args(arguments.split(' ')).output()?;
    ensure!(output.status.success(), "{program} {arguments} failed");
    Ok(String::from_utf8(output.stdout)?)
}

/// What the kernel says of the programs: whether XDP is attached, and how many egress filters.
fn in_place() -> Result<(bool, usize)> {
    let xdp = ip("-details link show inside")?.contains("prog/xdp");
    let filters = said("tc", "filter show dev inside egress")?;
    Ok((xdp, filters.matches("handle 0xef").count()))
}

fn open(bpffs: &BpfFs) -> Result<Datapath> {
    let mut datapath = Datapath::open(Options {
        pin_dir: bpffs.pin_dir(),
        host_capacity: 1024,
    })?;
    datapath.set_rulings(&gate::rulings())?;
    Ok(datapath)
}

fn plan() -> Plan {
    Plan {
        interface: "inside".into(),
        ..Plan::default()
    }
}

/// Packets counted at a hook, whatever became of them.
fn seen(datapath: &Datapath, hook: &str) -> Result<u64> {
    let samples = datapath.counters()?;
    let of_hook = samples.iter().filter(|sample| sample.hook == hook);
    Ok(of_hook.map(|sample| sample.packets).sum())
}

#[test]
fn programs_are_attached_taken_over_and_removed() -> Result<()> {
    pair()?;
    let bpffs = BpfFs::new()?;
    let mut first = open(&bpffs)?;
    let attachment = first.attach(&plan())?;
    let filters = usize::from(attachment.egress == EgressHook::Clsact);
    assert!(!attachment.adopted);
    assert_eq!(in_place()?, (true, filters));
    first.keep();
    assert_eq!(in_place()?, (true, filters), "kept");

    let mut second = open(&bpffs)?;
    assert!(second.attach(&plan())?.adopted);
    assert_eq!(in_place()?, (true, filters), "taken over");
    let before = (seen(&second, "xdp")?, seen(&second, "tc_egress")?);
    // Nobody answers; what matters is that the questions pass both hooks.
    let _ = said("ping", "-c 1 -W 1 -I inside 192.0.2.2");
    let _ = said("ping", "-c 1 -W 1 -I outside 198.51.100.2");
    assert!(seen(&second, "tc_egress")? > before.1, "egress");
    assert!(seen(&second, "xdp")? > before.0, "ingress");

    second.detach()?;
    assert_eq!(in_place()?, (false, 0), "removed");
    Ok(())
}
