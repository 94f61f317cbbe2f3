//! What no host may send, whatever its role: under another's address, or in the name of the gateway.

use enforcer_common::{
    decide::{Basis, Direction, Reason, Verdict, standing},
    host::{Address, Family, Host},
    mac::Mac,
    role::RoleId,
    settings::{InterfaceRow, Scope},
};
use proptest::{prelude::*, sample::select};

use super::{
    laws::is_a_lie,
    model::Model,
    traffic::{arp_frame, host_of, judge, judged, neighbour, packet, udp},
    world::{MACS, NOW, ROLES, VLANS, host, world},
};

const OUT: Direction = Direction::FromHost;

fn unspecified(address: &Address) -> bool {
    match address.family() {
        Family::V4 => address.last_bytes() == [0; 4],
        Family::V6 => address.mapped() == [0; 16],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn nothing_passes_from_a_bound_address_and_another_mac(
        model in world(),
        sent in packet(),
        role in select(ROLES.to_vec()),
    ) {
        let mut model = model;
        let from = host_of(&sent, OUT, &model);
        model.bind(from, role, [2, 9, 9, 9, 9, 9]);
        let judgement = judged(&sent, OUT, &model);
        prop_assert_eq!(judgement.verdict, Verdict::Drop);
        prop_assert!(is_a_lie(judgement.reason), "{judgement:?}");
    }

    #[test]
    fn a_bound_host_is_bound_to_its_mac_alone(
        model in world(),
        sent in packet(),
        role in select(ROLES.to_vec()),
    ) {
        let mut model = model;
        let from = host_of(&sent, OUT, &model);
        model.hosts.clear();
        model.decide(from, role);
        let unbound = judged(&sent, OUT, &model);
        model.bind(from, role, sent.packet.source_mac.bytes());
        let bound = judged(&sent, OUT, &model);
        // Except that a message in which it claims to be elsewhere gives it away.
        let claims = sent.packet.is_neighbour_discovery();
        prop_assert!(bound == unbound || claims && bound.reason == Reason::Spoofed);
    }

    #[test]
    fn what_is_sent_to_a_host_is_not_asked_where_it_is(
        model in world(),
        sent in packet(),
        role in select(ROLES.to_vec()),
    ) {
        let mut model = model;
        let to = host_of(&sent, Direction::ToHost, &model);
        model.decide(to, role);
        let unbound = judged(&sent, Direction::ToHost, &model);
        model.bind(to, role, [2, 9, 9, 9, 9, 9]);
        prop_assert_eq!(judged(&sent, Direction::ToHost, &model), unbound);
    }

    #[test]
    fn martians_are_stopped_unless_they_have_no_address_yet(model in world(), sent in packet()) {
        let mut model = model;
        model.settings.enforce = 1;
        let from = host_of(&sent, OUT, &model);
        model.hosts.remove(&from);
        let judgement = judged(&sent, OUT, &model);
        let is_own = model.scopes.get(&from) == Some(&Scope::Own);
        let martian = from.address.is_martian() || is_own;
        if martian && judgement.verdict == Verdict::Pass {
            prop_assert!(unspecified(&from.address), "{}", from.address);
        }
    }

    #[test]
    fn nothing_goes_nowhere(model in world(), sent in packet()) {
        let judgement = judged(&sent, OUT, &model);
        if sent.packet.destination.is_nowhere() {
            prop_assert_eq!(judgement.verdict, Verdict::Drop);
            prop_assert!(is_a_lie(judgement.reason), "{judgement:?}");
        }
    }

    #[test]
    fn only_what_may_play_the_router_does(model in world(), sent in packet(), may: bool) {
        let mut model = model;
        let flag = if may { InterfaceRow::ROUTERS } else { 0 };
        model.interface = model.interface.with(flag);
        let judgement = judged(&sent, OUT, &model);
        if may {
            prop_assert!(judgement.reason != Reason::RogueRouter);
        } else if sent.packet.is_of_a_router() {
            prop_assert_eq!(judgement.verdict, Verdict::Drop);
            prop_assert!(is_a_lie(judgement.reason), "{judgement:?}");
        }
    }

    #[test]
    fn only_what_may_answer_dhcp_does(model in world(), sent in packet(), may: bool) {
        let mut model = model;
        let flag = if may { InterfaceRow::DHCP_SERVERS } else { 0 };
        model.interface = model.interface.with(flag);
        let judgement = judged(&sent, OUT, &model);
        if may {
            prop_assert!(judgement.reason != Reason::RogueDhcp);
        } else if sent.packet.is_of_a_dhcp_server() {
            prop_assert_eq!(judgement.verdict, Verdict::Drop);
            prop_assert!(is_a_lie(judgement.reason), "{judgement:?}");
        }
    }

    #[test]
    fn only_frames_of_allowed_vlans_are_looked_at(model in world(), sent in packet()) {
        let judged = judge(&sent.frame, OUT, &model);
        let vlans = (sent.packet.vlans.outer, sent.packet.vlans.inner);
        let allowed = match vlans {
            (0, _) => !model.interface.has(InterfaceRow::TAGGED_ONLY),
            vlans => model.vlans.contains_key(&vlans),
        };
        prop_assert_eq!(judged.judgement.reason == Reason::Vlan, !allowed);
        if !allowed {
            prop_assert_eq!((judged.judgement.verdict, judged.host), (Verdict::Drop, None));
        }
    }

    /// Of whoever is at home in a VLAN the zone is the one that the interface names for it.
    #[test]
    fn a_vlan_gives_its_hosts_their_zone(model in world(), sent in packet()) {
        let zone = judge(&sent.frame, OUT, &model).host.map(|(host, _)| host.zone);
        let vlans = (sent.packet.vlans.outer, sent.packet.vlans.inner);
        let of_vlan = VLANS.iter().find(|(known, _)| *known == vlans).map(|(_, zone)| *zone);
        if let Some(zone) = zone {
            prop_assert_eq!(zone, of_vlan.unwrap_or(model.interface.zone));
        }
    }

    #[test]
    fn arp_tells_of_a_bound_address_only_where_it_is(model in world(), arp in arp_frame()) {
        let (frame, inside, claimed) = arp;
        let judged = judge(&frame, OUT, &model);
        let Some((host, known)) = judged.host else {
            prop_assert_eq!(judged.judgement.reason, Reason::Vlan);
            return Ok(());
        };
        prop_assert_eq!(host.address, claimed);
        let sender = Mac::new([frame[6], frame[7], frame[8], frame[9], frame[10], frame[11]]);
        let elsewhere = known.is_elsewhere(Mac::new(inside)) || known.is_elsewhere(sender);
        let expected = if unspecified(&claimed) {
            (Verdict::Pass, Reason::Link)
        } else if known.basis == Basis::Martian {
            (Verdict::Drop, Reason::Martian)
        } else if elsewhere {
            (Verdict::Drop, Reason::Spoofed)
        } else {
            (Verdict::Pass, Reason::Link)
        };
        prop_assert_eq!((judged.judgement.verdict, judged.judgement.reason), expected);
    }

    /// Whatever is said in neighbour discovery, it is not that a bound address is elsewhere.
    #[test]
    fn discovery_tells_of_a_bound_address_only_where_it_is(
        model in world(),
        kind in 133..138_u8,
        inside in prop::option::of(select(MACS.to_vec())),
        by in select(MACS.to_vec()),
        role in select(ROLES.to_vec()),
    ) {
        let mut model = model;
        model.interface = model.interface.with(InterfaceRow::ROUTERS);
        let [sender, victim] = [3, 4].map(|last| {
            Address::from(std::net::IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, last]))
        });
        let all = Address::from(std::net::IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 1]));
        model.hosts.clear();
        model.scopes.clear();
        model.bind(host(victim), role, MACS[0]);
        model.bind(host(sender), role, by);
        let sent = neighbour(sender, all, kind, victim, inside).by(by);
        let judgement = judged(&sent, OUT, &model);
        let said = inside.unwrap_or(by);
        let (about, true_one) = match (kind, inside) {
            (136, _) | (137, Some(_)) => (victim, MACS[0]),
            _ => (sender, by),
        };
        let lies = said != true_one || by != true_one && kind == 136;
        prop_assert_eq!(judgement.reason == Reason::Spoofed, lies, "about {}", about);
        prop_assert!(!lies || judgement.verdict == Verdict::Drop);
    }
}

#[test]
fn whoever_looks_whether_an_address_is_free_takes_nothing() {
    let mut model = Model::empty();
    let v6 = |first: u16, last: u16| {
        Address::from(std::net::IpAddr::from([first, 0, 0, 0, 0, 0, 0, last]))
    };
    let (nobody, taken) = (v6(0, 0), v6(0xfe80, 3));
    model.bind(host(taken), RoleId::DENIED, MACS[0]);
    let asks = neighbour(nobody, v6(0xff02, 1), 135, taken, None).by(MACS[1]);
    assert_eq!(judged(&asks, OUT, &model).verdict, Verdict::Pass);
    let tells = neighbour(nobody, v6(0xff02, 1), 136, taken, None).by(MACS[1]);
    assert_eq!(judged(&tells, OUT, &model).verdict, Verdict::Drop);
}

#[test]
fn a_binding_holds_beyond_the_lease_and_in_its_zone_alone() {
    let (address, server) = (Address::v4([10, 0, 0, 1]), Address::v4([10, 0, 0, 2]));
    let mut model = Model::empty();
    model.vlans = [((20, 0), 1)].into();
    model.bind(host(address), RoleId::AUTHORIZED, MACS[0]);
    let datagram = || udp((address, 9), (server, 9)).by(MACS[1]);
    let reason = |model: &Model, sent| judged(&sent, OUT, model).reason;
    assert_eq!(reason(&model, datagram()), Reason::Spoofed);
    assert_eq!(reason(&model, datagram().within((20, 0))), Reason::Held);
    model.leases.clear();
    assert_eq!(reason(&model, datagram()), Reason::Spoofed);
    let known = standing(&Host { zone: 0, address }, &model, NOW);
    assert_eq!(known.basis, Basis::LeaseExpired);
}
