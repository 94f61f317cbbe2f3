//! Hosts that share a slot of the cache, or a bucket of generations.

use anyhow::Result;
use enforcer_common::{host::Host, role::RoleId};
use enforcer_tests::gate::{Gate, host};

use crate::{alike, check, v4, v6};

#[test]
fn hosts_that_share_a_slot_do_not_share_a_verdict() -> Result<()> {
    let mut gate = Gate::new()?;
    for family in [v4, v6] {
        let pair = alike(family, Host::slot);
        assert_eq!(host(pair[0]).slot(), host(pair[1]).slot());
        gate.decide(pair[0], RoleId::AUTHORIZED)?;
        for role in [RoleId::DENIED, RoleId::AUTHORIZED, RoleId::QUARANTINE] {
            gate.decide(pair[1], role)?;
            for _ in 0..3 {
                check(&gate, &pair)?;
            }
        }
        gate.forget(pair[1])?;
        check(&gate, &pair)?;
    }
    Ok(())
}

#[test]
fn a_change_of_one_host_in_a_bucket_spares_the_other() -> Result<()> {
    let mut gate = Gate::new()?;
    for family in [v4, v6] {
        let pair = alike(family, Host::bucket);
        assert_eq!(host(pair[0]).bucket(), host(pair[1]).bucket());
        gate.decide(pair[0], RoleId::AUTHORIZED)?;
        for role in [RoleId::AUTHORIZED, RoleId::DENIED, RoleId::AUTHORIZED] {
            gate.decide(pair[1], role)?;
            check(&gate, &pair)?;
            check(&gate, &pair)?;
        }
    }
    Ok(())
}
