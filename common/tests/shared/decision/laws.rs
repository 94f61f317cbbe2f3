//! What holds of every judgement, in any world.

use enforcer_common::{
    decide::{Basis, Direction, Judgement, Reason, Verdict, standing},
    host::{Address, Family},
    packet::{Packet, Transport, protocol, tcp_flag},
    role::{RoleId, RoleRow, Rule},
    settings::Scope,
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    model::{Model, set},
    world::{
        NOW, ROLES, direction, host, host_of, icmp, judged, later_fragment, packet, udp, world,
    },
};

fn stops(judgement: &Judgement) -> bool {
    judgement.verdict != Verdict::Pass && !judgement.monitored
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

fn unspecified(address: &Address) -> bool {
    match address.family() {
        Family::V4 => address.last_bytes() == [0; 4],
        Family::V6 => address.mapped() == [0; 16],
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
    fn monitor_mode_never_stops(model in world(), packet in packet(), way in direction()) {
        let mut model = model;
        model.settings.enforce = 0;
        prop_assert!(!stops(&judged(&packet, way, &model)));
    }

    #[test]
    fn a_role_that_only_monitors_never_stops(
        model in world(),
        packet in packet(),
        way in direction(),
    ) {
        let mut model = model;
        for role in ROLES {
            model.roles.insert(role, RoleRow::new(RoleRow::MONITOR));
        }
        prop_assert!(!stops(&judged(&packet, way, &model)));
    }

    #[test]
    fn monitoring_changes_neither_verdict_nor_reason(
        model in world(),
        packet in packet(),
        way in direction(),
    ) {
        let mut model = model;
        model.settings.enforce = 1;
        let enforced = judged(&packet, way, &model);
        model.settings.enforce = 0;
        let watched = judged(&packet, way, &model);
        prop_assert_eq!((enforced.verdict, enforced.reason), (watched.verdict, watched.reason));
    }

    #[test]
    fn nothing_comes_back_to_a_host_without_a_decision(model in world(), packet in packet()) {
        let back = Direction::ToHost;
        let known = standing(&host_of(&packet, back), &model, NOW);
        let judgement = judged(&packet, back, &model);
        if known.basis == Basis::Undecided && judgement.verdict == Verdict::Pass {
            let by_role = matches!(judgement.reason, Reason::RoleAllows | Reason::RuleAllows);
            let by_service = matches!(judgement.reason, Reason::OwnService | Reason::Multicast);
            prop_assert!(by_service || by_role && judgement.role == RoleId::UNKNOWN);
        }
    }

    #[test]
    fn only_hosts_of_checked_scopes_are_asked_about(
        model in world(),
        packet in packet(),
        way in direction(),
    ) {
        let known = standing(&host_of(&packet, way), &model, NOW);
        if judged(&packet, way, &model).ask != enforcer_common::decide::Ask::No {
            prop_assert_eq!((known.basis, way), (Basis::Undecided, Direction::FromHost));
        }
    }

    #[test]
    fn what_is_not_checked_passes(
        model in world(),
        packet in packet(),
        way in direction(),
        scope in select(vec![Scope::Bypassed, Scope::Outside]),
    ) {
        let mut model = model;
        let host = host_of(&packet, way);
        model.hosts.remove(&host);
        model.scopes.insert(host, scope);
        if !host.address.is_martian() {
            prop_assert_eq!(judged(&packet, way, &model).verdict, Verdict::Pass);
        }
    }

    #[test]
    fn martians_are_stopped_unless_they_have_no_address_yet(model in world(), packet in packet()) {
        let mut model = model;
        model.settings.enforce = 1;
        model.hosts.remove(&host(packet.source));
        let judgement = judged(&packet, Direction::FromHost, &model);
        if packet.source.is_martian() && judgement.verdict == Verdict::Pass {
            prop_assert!(unspecified(&packet.source), "{}", packet.source);
            prop_assert!(keeps_the_network_running(&packet));
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
        let packet = match way {
            Direction::FromHost => udp((host, 5000), (server, port)),
            Direction::ToHost => udp((server, port), (host, 5000)),
        };
        let first = rules.iter().find(|((first, last), _)| (*first..=*last).contains(&port));
        let expected = match first {
            Some((_, true)) => Reason::RuleAllows,
            Some((_, false)) => Reason::RuleDenies,
            None => Reason::RoleDenies,
        };
        prop_assert_eq!(judged(&packet, way, &model).reason, expected);
    }

    #[test]
    fn a_later_fragment_matches_no_rule_with_ports(
        model in world(),
        packet in later_fragment(),
        way in direction(),
        allow: bool,
    ) {
        let mut model = model;
        model.rules.clear();
        for role in ROLES.into_iter().chain([RoleId::EVERYONE]) {
            for remote in [packet.source, packet.destination] {
                model.rules.insert((role, remote.mapped()), set(&[rule(EVERY_PORT, allow)]));
            }
        }
        let reason = judged(&packet, way, &model).reason;
        prop_assert!(!matches!(reason, Reason::RuleAllows | Reason::RuleDenies), "{reason:?}");
        prop_assert!(reason != Reason::OwnService);
    }

    #[test]
    fn what_everyone_reaches_is_reached_in_every_role(
        model in world(),
        packet in packet(),
        way in direction(),
    ) {
        let mut model = model;
        let host = host_of(&packet, way);
        let remote = if way == Direction::FromHost { packet.destination } else { packet.source };
        let everything = Rule { any_port: 1, ..rule(EVERY_PORT, true) };
        model.rules.insert((RoleId::EVERYONE, remote.mapped()), set(&[everything]));
        if standing(&host, &model, NOW).basis != Basis::Martian {
            prop_assert_eq!(judged(&packet, way, &model).verdict, Verdict::Pass);
        }
    }

    #[test]
    fn a_host_can_always_get_an_address(model in world()) {
        let v6 = |first: u16, last: u16| {
            Address::from(std::net::IpAddr::from([first, 0, 0, 0, 0, 0, 0, last]))
        };
        let (nobody, everybody) = (Address::v4([0; 4]), Address::v4([255; 4]));
        let (link_local, routers) = (v6(0xfe80, 3), v6(0xff02, 2));
        for packet in [
            udp((nobody, 68), (everybody, 67)),
            udp((link_local, 546), (v6(0xff02, 0x1_02), 547)),
            icmp(v6(0, 0), v6(0xff02, 1), 135, 255),
            icmp(v6(0, 0), routers, 133, 255),
            icmp(link_local, routers, 133, 255),
        ] {
            let judgement = judged(&packet, Direction::FromHost, &model);
            prop_assert_eq!(judgement.verdict, Verdict::Pass, "{:?}", packet);
        }
    }

    #[test]
    fn a_denied_host_reaches_only_what_keeps_the_network_running(
        model in world(),
        packet in packet(),
        way in direction(),
    ) {
        let mut model = model;
        model.rules.clear();
        model.roles.insert(RoleId::DENIED, RoleRow::new(0));
        model.decide(host_of(&packet, way), RoleId::DENIED);
        let judgement = judged(&packet, way, &model);
        if judgement.verdict == Verdict::Pass {
            let to_many = way == Direction::ToHost && packet.destination.is_multicast();
            prop_assert!(to_many || keeps_the_network_running(&packet), "{judgement:?}");
        }
    }

    #[test]
    fn replies_are_made_only_where_they_are_allowed(
        model in world(),
        packet in packet(),
        way in direction(),
        decided: bool,
    ) {
        let mut model = model;
        if decided {
            model.decide(host_of(&packet, way), RoleId::QUARANTINE);
        }
        let judgement = judged(&packet, way, &model);
        let row = model.roles.get(&judgement.role).copied().unwrap_or_default();
        let (port, flags) = match packet.transport_header() {
            Transport::Tcp(ports, flags) => (ports.destination, flags.bits),
            _ => (0, 0),
        };
        match judgement.verdict {
            Verdict::Pass | Verdict::Drop => return Ok(()),
            Verdict::Redirect => prop_assert!(row.has(RoleRow::PORTAL) && port == 80),
            Verdict::Reject => {
                prop_assert!(row.has(RoleRow::REJECT) && flags & tcp_flag::RST == 0);
            }
        }
        prop_assert_eq!(packet.protocol, protocol::TCP);
        prop_assert_eq!(way, Direction::FromHost);
        prop_assert!(!packet.destination.is_multicast(), "nobody answers for many");
        prop_assert!(!packet.source.is_martian() || model.hosts.contains_key(&host(packet.source)));
    }
}
