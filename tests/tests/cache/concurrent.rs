//! Changes while every CPU is busy with packets of the same host.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU32, Ordering},
    thread::{self, ScopedJoinHandle},
};

use anyhow::{Result, ensure};
use enforcer::datapath::{Bench, Datapath, HostChange};
use enforcer_common::{
    counter::Hook,
    decide::Direction,
    host::{FOREVER, HostRow, Origin, SourceId},
    role::RoleId,
};
use enforcer_tests::{
    cpu,
    gate::{Gate, XDP_DROP, XDP_PASS, host},
};

use crate::{datagram, v4, v6};

const FLIPS: u32 = 100;

/// Stands in the place of a count when everything is over.
const OVER: u32 = u32::MAX;

/// Odd flips authorize, even ones deny.
fn role(flip: u32) -> RoleId {
    if flip % 2 == 1 {
        RoleId::AUTHORIZED
    } else {
        RoleId::DENIED
    }
}

fn expected(flip: u32) -> u32 {
    if flip % 2 == 1 { XDP_PASS } else { XDP_DROP }
}

/// How far the flips are: each is announced before it is applied, and finished afterwards.
#[derive(Default)]
struct Flips {
    announced: AtomicU32,
    finished: AtomicU32,
}

/// One CPU under load.
struct Sender {
    cpu: usize,
    /// The last flip that it has seen the effect of.
    seen: AtomicU32,
}

/// Sends until it is over. A run that no flip fell into must show what the last one said.
fn send(bench: &Bench, packet: &[u8], sender: &Sender, flips: &Flips) -> Result<()> {
    let cpu = sender.cpu;
    cpu::pin(cpu)?;
    loop {
        let finished = flips.finished.load(Ordering::SeqCst);
        if finished == OVER {
            return Ok(());
        }
        let code = bench.run(Hook::Xdp, packet, 20)?.code;
        if flips.announced.load(Ordering::SeqCst) == finished {
            ensure!(
                code == expected(finished),
                "code {code} after flip {finished} on CPU {cpu}"
            );
            sender.seen.store(finished, Ordering::SeqCst);
        }
    }
}

/// Applies one flip and looks at every CPU at once.
fn flip(
    datapath: &mut Datapath,
    bench: &Bench,
    (address, packet): (IpAddr, &[u8]),
    (flip, flips): (u32, &Flips),
) -> Result<()> {
    let row = HostRow {
        deadline: FOREVER,
        mac: [0; 6],
        role: role(flip),
        origin: Origin::of(SourceId::MANAGEMENT),
    };
    flips.announced.store(flip, Ordering::SeqCst);
    datapath.apply(&[HostChange::Set(host(address), row)])?;
    for cpu in cpu::all_of_this_process()? {
        cpu::pin(cpu)?;
        let code = bench.run(Hook::Xdp, packet, 1)?.code;
        ensure!(
            code == expected(flip),
            "code {code} after flip {flip} on CPU {cpu}"
        );
    }
    flips.finished.store(flip, Ordering::SeqCst);
    Ok(())
}

fn flip_under_load(gate: &mut Gate, address: IpAddr) -> Result<()> {
    gate.decide(address, role(0))?;
    let packet = datagram(address, Direction::FromHost);
    let flips = Flips::default();
    let senders: Vec<_> = cpu::all_of_this_process()?
        .into_iter()
        .map(|cpu| Sender {
            cpu,
            seen: AtomicU32::new(0),
        })
        .collect();
    let Gate {
        datapath, bench, ..
    } = gate;
    let bench = &*bench;
    thread::scope(|scope| {
        let threads: Vec<_> = senders
            .iter()
            .map(|sender| scope.spawn(|| send(bench, &packet, sender, &flips)))
            .collect();
        let flipped = (1..=FLIPS).try_for_each(|number| {
            flip(datapath, bench, (address, &packet), (number, &flips))?;
            let behind = |sender: &Sender| sender.seen.load(Ordering::SeqCst) != number;
            while senders.iter().any(behind) && !threads.iter().any(ScopedJoinHandle::is_finished) {
                thread::yield_now();
            }
            Ok(())
        });
        flips.finished.store(OVER, Ordering::SeqCst);
        for thread in threads {
            thread.join().expect("a sender does not panic")?;
        }
        flipped
    })
}

#[test]
fn no_cpu_remembers_what_was_changed_under_load() -> Result<()> {
    let mut gate = Gate::new()?;
    flip_under_load(&mut gate, v4(7))?;
    flip_under_load(&mut gate, v6(7))
}
