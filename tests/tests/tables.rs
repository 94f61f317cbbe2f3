//! The hosts tables at their limits.

use anyhow::Result;
use enforcer::datapath::{DatapathError, HostChange};
use enforcer_common::{
    host::{FOREVER, HostRow, Origin, SourceId},
    role::RoleId,
};
use enforcer_tests::{
    fixture::{self, Tcp, v4},
    gate::{Gate, XDP_DROP, XDP_PASS, host},
};

fn row(role: RoleId) -> HostRow {
    HostRow {
        deadline: FOREVER,
        mac: [0; 6],
        role,
        origin: Origin::of(SourceId::MANAGEMENT),
    }
}

#[test]
fn a_full_table_takes_no_new_host_and_still_every_change() -> Result<()> {
    let mut gate = Gate::with_capacity(4)?;
    let known: Vec<_> = (10..14).map(v4).collect();
    for address in &known {
        gate.decide(*address, RoleId::AUTHORIZED)?;
    }
    let new = host(v4(99));
    let mut changes = vec![HostChange::Set(new, row(RoleId::AUTHORIZED))];
    let deny = |address| HostChange::Set(host(address), row(RoleId::DENIED));
    changes.extend(known.iter().copied().map(deny));
    let Err(DatapathError::Refused { hosts, .. }) = gate.datapath.apply(&changes) else {
        anyhow::bail!("the table took more hosts than it has room for");
    };
    assert_eq!(hosts, [new]);
    for address in &known {
        let syn = fixture::tcp((*address, 1).into(), (v4(200), 22).into(), Tcp::Syn, b"");
        assert_eq!(gate.from_host(&syn)?.code, XDP_DROP);
    }
    gate.forget(known[0])?;
    gate.datapath.apply(&changes[..1])?;
    let syn = fixture::tcp((v4(99), 1).into(), (v4(200), 22).into(), Tcp::Syn, b"");
    assert_eq!(gate.from_host(&syn)?.code, XDP_PASS);
    Ok(())
}
