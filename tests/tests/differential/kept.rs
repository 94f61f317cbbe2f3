//! What was found once is not found again.

use anyhow::{Context, Result, ensure};
use enforcer_common::{counter::Hook, role::RoleId};
use enforcer_tests::{
    cpu,
    fixture::{self, HOST_MAC, Tcp, v4},
    fuzz::{
        frames::LONGEST,
        kernel::Kernel,
        parser::Parser,
        regressions::{ALL, Regression},
        site::Site,
        world,
    },
    gate::{Gate, PORTAL, TC_PASS, XDP_PASS},
};

/// Worlds that each frame runs in.
const WORLDS: u64 = 64;

#[test]
fn frames_that_showed_something_are_read_alike() -> Result<()> {
    let mut parser = Parser::default();
    for kept in ALL {
        parser.check(&kept.bytes()).context(kept.what)?;
    }
    Ok(())
}

#[test]
fn frames_that_showed_something_are_judged_alike() -> Result<()> {
    let cpu = *cpu::all_of_this_process()?.first().context("no CPU")?;
    cpu::pin(cpu)?;
    let first = |kept: &Regression| world::at(Site(kept.site), 0, 0);
    let mut kernel = Kernel::new(cpu, first(&ALL[0]))?;
    for kept in ALL {
        let frame = kept.bytes();
        if frame.len() > LONGEST {
            continue;
        }
        for number in 0..WORLDS {
            kernel.enter(world::at(Site(kept.site), 0, number))?;
            for hook in [Hook::Xdp, Hook::TcIngress, Hook::TcEgress] {
                let case = kernel.check(hook, &frame)?;
                case.with_context(|| format!("{}, {hook:?}, {:?}", kept.what, kernel.world()))?;
            }
            kernel.check_reports().context(kept.what)?;
        }
    }
    Ok(())
}

/// The egress program kept what it had read of the packet before, and wrote the address of a server over the ARP that
/// went out behind an answer of the portal.
#[test]
fn arp_behind_an_answer_of_the_portal_goes_out_as_it_is() -> Result<()> {
    cpu::pin(*cpu::all_of_this_process()?.first().context("no CPU")?)?;
    let mut gate = Gate::new()?;
    let (host, portal) = ((v4(10), 40_000).into(), (v4(1), PORTAL).into());
    gate.decide(v4(10), RoleId::QUARANTINE)?;
    let opens = fixture::tcp(host, (v4(99), 80).into(), Tcp::Syn, b"");
    let answer = fixture::tcp(portal, host, Tcp::SynAck, b"");
    ensure!(gate.from_host(&opens)?.code == XDP_PASS, "not redirected");
    ensure!(gate.to_host(&answer)?.packet != answer, "not rewritten");
    let arp = fixture::frame(
        0x0806,
        &[[0, 1, 8, 0, 6, 4, 0, 2].as_slice(), &HOST_MAC, &[0; 46]].concat(),
    );
    let ran = gate.to_host(&arp)?;
    ensure!(
        (ran.code, &ran.packet) == (TC_PASS, &arp),
        "changed to {:02x?}",
        ran.packet
    );
    Ok(())
}
