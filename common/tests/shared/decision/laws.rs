//! What holds of every judgement, in any world.

use enforcer_common::{
    decide::{
        Ask, Basis, Case, Direction, Judgement, Reason, Verdict, at_once, consider, standing,
    },
    host::{Address, Host},
    packet::{Claim, Packet, Transport, protocol},
    role::{RoleId, RoleRow, Rule},
    settings::Scope,
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    model::{Model, set},
    traffic::{
        Sent, direction, host_of, icmp, judge, judged, later_fragment, neighbour, packet, udp,
    },
    world::{NOW, ROLES, host, world},
};

fn stops(judgement: &Judgement) -> bool {
    judgement.verdict != Verdict::Pass && !judgement.monitored
}

/// Whether a packet was stopped for what it is, whoever it is of.
pub fn is_a_lie(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Malformed
            | Reason::TooDeep
            | Reason::Martian
            | Reason::Spoofed
            | Reason::RogueRouter
            | Reason::RogueDhcp
            | Reason::Vlan
    )
}

/// Whether a packet is of those that keep the network running.
fn keeps_the_network_running(packet: &Packet) -> bool {
    match (packet.protocol, packet.transport_header()) {
        (protocol::UDP, Transport::Datagram(ports)) => {
            matches!((ports.source, ports.destination), (68, 67) | (546, 547))
        }
        (protocol::ICMPV6, Transport::Icmp(kind)) => matches!(kind, 130..=137 | 143),
        (protocol::IGMP, _) => true,
        _ => false,
    }
}

fn rule(ports: (u16, u16), allow: bool) -> Rule {
    Rule {
        first_port: ports.0,
        last_port: ports.1,
        protocol: Rule::ANY_PROTOCOL,
        allow: allow.into(),
        any_port: 0,
        pad: 0,
    }
}

const EVERY_PORT: (u16, u16) = (0, u16::MAX);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_passes_at_once_passes_a_longer_look(
        model in world(),
        sent in packet(),
        way in direction(),
    ) {
        let host = host_of(&sent, way, &model);
        let known = standing(&host, &model, NOW);
        let case = Case {
            packet: &sent.packet,
            direction: way,
            interface: &model.interface,
            host: &host,
            standing: &known,
            now: NOW,
        };
        if let Some(reason) = at_once(&case, &model) {
            let judgement = consider(&case, &Claim::NONE, &model);
            prop_assert_eq!((judgement.verdict, judgement.reason), (Verdict::Pass, reason));
            prop_assert_eq!((judgement.role, judgement.ask), (known.role, Ask::No));
        }
    }

    #[test]
    fn monitor_mode_never_stops(model in world(), sent in packet(), way in direction()) {
        let mut model = model;
        model.settings.enforce = 0;
        prop_assert!(!stops(&judged(&sent, way, &model)));
    }

    #[test]
    fn a_role_that_only_monitors_never_stops(
        model in world(),
        sent in packet(),
        way in direction(),
    ) {
        let mut model = model;
        for role in ROLES {
            model.roles.insert(role, RoleRow::new(RoleRow::MONITOR));
        }
        prop_assert!(!stops(&judged(&sent, way, &model)));
    }

    #[test]
    fn monitoring_changes_neither_verdict_nor_reason(
        model in world(),
        sent in packet(),
        way in direction(),
    ) {
        let mut model = model;
        model.settings.enforce = 1;
        let enforced = judged(&sent, way, &model);
        model.settings.enforce = 0;
        let watched = judged(&sent, way, &model);
        prop_assert_eq!((enforced.verdict, enforced.reason), (watched.verdict, watched.reason));
    }

    #[test]
    fn nothing_comes_back_to_a_host_without_a_decision(model in world(), sent in packet()) {
        // Unless such hosts are to pass.
        let mut model = model;
        model.settings.undecided = 0;
        let judged = judge(&sent.frame, Direction::ToHost, &model);
        let judgement = judged.judgement;
        let undecided = judged.host.is_some_and(|(_, known)| known.basis == Basis::Undecided);
        if undecided && judgement.verdict == Verdict::Pass {
            let by_role = matches!(judgement.reason, Reason::RoleAllows | Reason::RuleAllows);
            let by_service = matches!(judgement.reason, Reason::OwnService | Reason::Multicast);
            prop_assert!(by_service || by_role && judgement.role == RoleId::UNKNOWN);
        }
    }

    #[test]
    fn what_is_not_checked_passes_unless_it_lies(
        model in world(),
        sent in packet(),
        way in direction(),
        scope in select(vec![Scope::Bypassed, Scope::Outside]),
    ) {
        let mut model = model;
        let host = host_of(&sent, way, &model);
        model.hosts.remove(&host);
        model.scopes.insert(host, scope);
        let judgement = judged(&sent, way, &model);
        if !host.address.is_martian() {
            prop_assert!(judgement.verdict == Verdict::Pass || is_a_lie(judgement.reason));
        }
        let honest = sent.packet.vlans.outer == 0 && !sent.packet.is_neighbour_discovery()
            && !sent.packet.is_of_a_dhcp_server() && !sent.packet.destination.is_nowhere();
        if honest && !host.address.is_martian() && way == Direction::FromHost {
            let tagged_only = judgement.reason == Reason::Vlan;
            prop_assert!(judgement.verdict == Verdict::Pass || tagged_only);
        }
    }

    #[test]
    fn the_first_rule_that_matches_decides(
        rules in vec((select(vec![EVERY_PORT, (443, 443), (80, 80)]), any::<bool>()), 0..6),
        port in select(vec![80_u16, 443]),
        way in direction(),
    ) {
        let (host, server) = (Address::v4([10, 0, 0, 1]), Address::v4([10, 0, 0, 2]));
        let mut model = Model::empty();
        model.decide(super::world::host(host), RoleId::QUARANTINE);
        model.roles.insert(RoleId::QUARANTINE, RoleRow::new(RoleRow::RULES));
        let rows: Vec<Rule> = rules.iter().map(|(ports, allow)| rule(*ports, *allow)).collect();
        model.rules.insert((RoleId::QUARANTINE, server.mapped()), set(&rows));
        let sent = match way {
            Direction::FromHost => udp((host, 5000), (server, port)),
            Direction::ToHost => udp((server, port), (host, 5000)),
        };
        let first = rules.iter().find(|((first, last), _)| (*first..=*last).contains(&port));
        let expected = match first {
            Some((_, true)) => Reason::RuleAllows,
            Some((_, false)) => Reason::RuleDenies,
            None => Reason::RoleDenies,
        };
        prop_assert_eq!(judged(&sent, way, &model).reason, expected);
    }

    #[test]
    fn a_later_fragment_matches_no_rule_with_ports(
        model in world(),
        sent in later_fragment(),
        way in direction(),
        allow: bool,
    ) {
        let mut model = model;
        model.rules.clear();
        for role in ROLES.into_iter().chain([RoleId::EVERYONE]) {
            for remote in [sent.packet.source, sent.packet.destination] {
                model.rules.insert((role, remote.mapped()), set(&[rule(EVERY_PORT, allow)]));
            }
        }
        let reason = judged(&sent, way, &model).reason;
        prop_assert!(!matches!(reason, Reason::RuleAllows | Reason::RuleDenies), "{reason:?}");
        prop_assert!(reason != Reason::OwnService);
    }

    #[test]
    fn what_everyone_reaches_is_reached_in_every_role(
        model in world(),
        sent in packet(),
        way in direction(),
    ) {
        let mut model = model;
        let Packet { source, destination, .. } = sent.packet;
        let remote = if way == Direction::FromHost { destination } else { source };
        let everything = Rule { any_port: 1, ..rule(EVERY_PORT, true) };
        model.rules.insert((RoleId::EVERYONE, remote.mapped()), set(&[everything]));
        let judgement = judged(&sent, way, &model);
        prop_assert!(judgement.verdict == Verdict::Pass || is_a_lie(judgement.reason));
    }

    #[test]
    fn a_host_can_always_get_an_address(model in world()) {
        let mut model = model;
        model.interface = model.interface.with(0);
        // Of those who have one already, and what is bound to them, others speak.
        model.hosts.clear();
        model.scopes.retain(|_, scope| *scope != Scope::Own);
        let v6 = |first: u16, last: u16| {
            Address::from(std::net::IpAddr::from([first, 0, 0, 0, 0, 0, 0, last]))
        };
        let (nobody, everybody) = (Address::v4([0; 4]), Address::v4([255; 4]));
        let (link_local, routers) = (v6(0xfe80, 3), v6(0xff02, 2));
        for sent in [
            udp((nobody, 68), (everybody, 67)),
            udp((link_local, 546), (v6(0xff02, 0x1_02), 547)),
            neighbour(v6(0, 0), v6(0xff02, 1), 135, link_local, None),
            icmp(v6(0, 0), routers, 133, 255),
            icmp(link_local, routers, 133, 255),
        ] {
            let judgement = judged(&sent, Direction::FromHost, &model);
            prop_assert_eq!(judgement.verdict, Verdict::Pass, "{:?}", sent);
        }
    }

    #[test]
    fn a_denied_host_reaches_only_what_keeps_the_network_running(
        model in world(),
        sent in packet(),
        way in direction(),
    ) {
        let mut model = model;
        model.rules.clear();
        model.roles.insert(RoleId::DENIED, RoleRow::new(0));
        let host = host_of(&sent, way, &model);
        model.decide(host, RoleId::DENIED);
        let judgement = judged(&sent, way, &model);
        if judgement.verdict == Verdict::Pass {
            let to_many = way == Direction::ToHost && sent.packet.destination.is_multicast();
            prop_assert!(to_many || keeps_the_network_running(&sent.packet), "{judgement:?}");
        }
    }

    /// Neighbour discovery is let through for what is on the link alone: elsewhere it would be a way out.
    #[test]
    fn neighbour_discovery_is_no_way_out(model in world(), sent in packet()) {
        let mut model = model;
        model.rules.clear();
        model.roles.insert(RoleId::DENIED, RoleRow::new(0));
        let host = host_of(&sent, Direction::FromHost, &model);
        model.decide(host, RoleId::DENIED);
        let judgement = judged(&sent, Direction::FromHost, &model);
        if sent.packet.is_neighbour_discovery() && judgement.verdict == Verdict::Pass {
            let to = sent.packet.destination;
            let target = Host { address: to, ..host };
            let is_own = model.scopes.get(&target) == Some(&Scope::Own);
            prop_assert!(to.is_link_multicast() || to.is_link_local() || is_own);
            prop_assert_eq!(sent.packet.hop_limit, 255);
            prop_assert!(!sent.packet.is_of_a_router());
        }
    }

    #[test]
    fn what_is_known_of_other_zones_changes_nothing(
        model in world(),
        sent in packet(),
        way in direction(),
    ) {
        let here = host_of(&sent, way, &model).zone;
        let mut alone = model.clone();
        alone.hosts.retain(|host, _| host.zone == here);
        alone.scopes.retain(|host, _| host.zone == here);
        alone.asked.retain(|host, _| host.zone == here);
        prop_assert_eq!(judge(&sent.frame, way, &alone), judge(&sent.frame, way, &model));
    }
}

/// The same address in two VLANs of two zones is two hosts.
#[test]
fn equal_addresses_in_two_zones_are_two_hosts() {
    let address = Address::v4([10, 0, 0, 1]);
    let server = Address::v4([10, 0, 0, 2]);
    let mut model = Model::empty();
    model.vlans = [((20, 0), 1), ((20, 30), 1)].into();
    let allow = RoleRow::new(RoleRow::ALLOW);
    model.roles = [(RoleId::AUTHORIZED, allow)].into();
    model.decide(host(address), RoleId::DENIED);
    model.decide(Host { zone: 1, address }, RoleId::AUTHORIZED);
    let verdict = |sent: Sent| judged(&sent, Direction::FromHost, &model).verdict;
    let sent = || udp((address, 9), (server, 9));
    assert_eq!(verdict(sent()), Verdict::Drop);
    assert_eq!(verdict(sent().within((20, 0))), Verdict::Pass);
    assert_eq!(verdict(sent().within((20, 30))), Verdict::Pass);
}
