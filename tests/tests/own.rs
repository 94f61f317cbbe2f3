//! The gateway's own addresses.

use anyhow::Result;
use enforcer_common::settings::Scope;
use enforcer_tests::{
    fixture::{self, Tcp, v4},
    gate::{Gate, XDP_DROP},
};

#[test]
fn nobody_sends_from_the_gateways_own_address() -> Result<()> {
    let mut gate = Gate::new()?;
    gate.datapath.set_scopes(&[
        (0, "0.0.0.0/0".parse()?, Scope::Bypassed),
        (0, "192.0.2.1/32".parse()?, Scope::Own),
    ])?;
    let syn = fixture::tcp((v4(1), 1).into(), (v4(99), 443).into(), Tcp::Syn, b"");
    assert_eq!(gate.from_host(&syn)?.code, XDP_DROP);
    assert_eq!(gate.counted("xdp", "drop", "martian")?, 1);
    Ok(())
}
