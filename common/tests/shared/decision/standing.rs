//! What is known of a host, and how long a cache may believe it.

use enforcer_common::{
    decide::{Basis, standing},
    host::{FOREVER, HostRow, Origin, SourceId, StandingBits},
    mac::Mac,
    role::RoleId,
    settings::Scope,
};
use proptest::prelude::*;

use super::{
    model::Model,
    world::{MACS, NOW, address, host, world},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// This is what makes the verdict cache sound.
    #[test]
    fn a_standing_holds_until_the_time_that_it_names(
        model in world(),
        address in address(),
        later in 0..1_000_u64,
    ) {
        let host = host(address);
        let found = standing(&host, &model, NOW);
        if NOW + later < found.until {
            prop_assert_eq!(standing(&host, &model, NOW + later), found);
        }
    }

    #[test]
    fn nothing_of_a_silent_source_is_believed(
        model in world(),
        address in address(),
        deadline in NOW + 1..,
        silent: u8,
    ) {
        let mut model = model;
        let source = SourceId::MANAGEMENT;
        let origin = Origin::of(source);
        let decided = HostRow { deadline, mac: MACS[0], role: RoleId(40), origin };
        model.hosts.insert(host(address), decided);
        model.leases.insert(source, NOW - u64::from(silent));
        model.settings.lease_holds = 0;
        let found = standing(&host(address), &model, NOW);
        prop_assert_eq!(found.basis, Basis::LeaseExpired);
        prop_assert_eq!(found.role, model.settings.lease_expired);
        prop_assert_eq!(found.until, 0);
        prop_assert_eq!(found.mac, Mac::new(MACS[0]), "it is still bound");
    }

    #[test]
    fn a_decision_that_has_ended_is_none_whatever_becomes_of_its_source(
        model in world(),
        address in address(),
        ago: u8,
        lease in NOW - 5..NOW + 5,
    ) {
        let mut model = model;
        model.decide(host(address), RoleId(40));
        model.hosts.get_mut(&host(address)).expect("just set").deadline = NOW - u64::from(ago);
        model.leases.insert(SourceId::MANAGEMENT, lease);
        let found = standing(&host(address), &model, NOW);
        model.hosts.remove(&host(address));
        prop_assert_eq!(found, standing(&host(address), &model, NOW));
    }

    #[test]
    fn where_it_is_to_go_on_a_decision_outlives_its_lease_and_not_its_deadline(
        model in world(),
        address in address(),
        left in 0..3_u64,
    ) {
        let mut model = model;
        model.settings.lease_holds = 1;
        model.decide(host(address), RoleId(40));
        model.leases.insert(SourceId::MANAGEMENT, 0);
        model.hosts.get_mut(&host(address)).expect("just set").deadline = NOW + left;
        let found = standing(&host(address), &model, NOW);
        if left > 0 {
            let expected = (RoleId(40), Basis::LeaseExpired, 0);
            prop_assert_eq!((found.role, found.basis, found.until), expected);
        } else {
            model.hosts.remove(&host(address));
            prop_assert_eq!(found, standing(&host(address), &model, NOW));
        }
    }

    #[test]
    fn a_decision_ends_at_its_deadline(model in world(), address in address(), ago: u8) {
        let mut model = model;
        model.decide(host(address), RoleId(40));
        model.hosts.get_mut(&host(address)).expect("just set").deadline = NOW - u64::from(ago);
        let found = standing(&host(address), &model, NOW);
        model.hosts.remove(&host(address));
        prop_assert_eq!(found, standing(&host(address), &model, NOW));
    }

    /// The cache keeps a standing packed.
    #[test]
    fn a_standing_packed_is_the_same(
        role: u8,
        basis in 0..6_u8,
        mac: [u8; 6],
        closing: bool,
    ) {
        let (mac, basis) = (Mac::new(mac), Basis::from_number(basis));
        let bits = StandingBits::new(mac, RoleId(role), basis, closing);
        let unpacked = (bits.mac(), bits.role(), bits.basis(), bits.is_closing());
        prop_assert_eq!(unpacked, (mac, RoleId(role), basis, closing));
    }

    #[test]
    fn a_lease_without_end_gives_the_role_that_was_decided(model in world(), address in address()) {
        let mut model = model;
        model.decide(host(address), RoleId(40));
        let found = standing(&host(address), &model, NOW);
        prop_assert_eq!((found.role, found.basis, found.until), (RoleId(40), Basis::Decided, FOREVER));
    }
}

#[test]
fn the_scope_counts_only_where_nothing_is_decided() {
    let host = host(enforcer_common::host::Address::v4([10, 0, 0, 1]));
    let mut model = Model::empty();
    for (scope, basis) in [
        (Scope::Checked, Basis::Undecided),
        (Scope::Bypassed, Basis::Bypassed),
        (Scope::Outside, Basis::Outside),
        (Scope::Own, Basis::Martian),
    ] {
        model.scopes.insert(host, scope);
        model.hosts.clear();
        assert_eq!(standing(&host, &model, NOW).basis, basis);
        model.decide(host, RoleId::DENIED);
        assert_eq!(standing(&host, &model, NOW).role, RoleId::DENIED);
    }
}
