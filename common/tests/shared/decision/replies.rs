//! Who is told what: replies are made only where the protocols and the roles allow them.

use enforcer_common::{
    decide::{Direction, Reason, Verdict, flow},
    host::Address,
    packet::{
        Packet, Part, Transport, protocol,
        tcp_flag::{ACK, RST, SYN},
    },
    role::{RoleId, RoleRow},
};
use proptest::{prelude::*, sample::select};

use super::{
    model::Model,
    traffic::{Sent, direction, host_of, icmp, judge, judged, packet, tcp, udp},
    world::{ROLES, host, world},
};

/// Whether a packet is a TCP segment of a flow that both ends know.
fn is_of_an_open_flow(packet: &Packet) -> bool {
    let Transport::Tcp(_, flags) = packet.transport_header() else {
        return false;
    };
    flags.bits & (ACK | SYN | RST) == ACK
}

/// Whether a packet is an ICMP error, or what must never be answered by one (RFC 1812 section 4.3.2.7, RFC 4443
/// section 2.4).
fn is_never_answered(packet: &Packet) -> bool {
    let error = match (packet.protocol, packet.transport_header()) {
        (protocol::ICMP, Transport::Icmp(kind)) => matches!(kind, 3 | 4 | 5 | 11 | 12),
        (protocol::ICMPV6, Transport::Icmp(kind)) => kind < 128 || kind == 137,
        _ => false,
    };
    error || packet.part == Part::Later || packet.destination.is_multicast()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn replies_are_made_only_where_they_are_allowed(
        model in world(),
        sent in packet(),
        way in direction(),
        decided: bool,
        flags in 0..32_u32,
    ) {
        let mut model = model;
        let host = host_of(&sent, way, &model);
        if decided {
            model.decide(host, RoleId::QUARANTINE);
            model.roles.insert(RoleId::QUARANTINE, RoleRow::new(flags));
        }
        let judged = judge(&sent.frame, way, &model);
        let judgement = judged.judgement;
        let row = model.roles.get(&judgement.role).copied().unwrap_or_default();
        let closing = judged.host.is_some_and(|(_, known)| known.closing);
        let packet = &sent.packet;
        match (judgement.verdict, packet.transport_header()) {
            (Verdict::Pass | Verdict::Drop, _) => return Ok(()),
            (Verdict::Close, Transport::Tcp(_, segment)) => {
                prop_assert!(closing && is_of_an_open_flow(packet) && segment.payload);
                prop_assert_eq!(way, Direction::FromHost);
            }
            (Verdict::Close, _) => prop_assert!(false, "only TCP is closed"),
            (Verdict::Redirect, Transport::Tcp(ports, _)) => {
                prop_assert!(row.has(RoleRow::PORTAL) && ports.destination == 80);
            }
            (Verdict::Redirect, _) => {
                prop_assert!(row.has(RoleRow::PORTAL) && packet.protocol == protocol::TCP);
                prop_assert_eq!(packet.part, Part::Later);
            }
            (Verdict::Reject, _) if way == Direction::ToHost => {
                prop_assert!(closing && is_of_an_open_flow(packet));
                return Ok(());
            }
            (Verdict::Reject, Transport::Tcp(_, segment)) => {
                prop_assert!(row.has(RoleRow::REJECT) && segment.bits & RST == 0);
            }
            (Verdict::Reject, _) => {
                prop_assert!(row.has(RoleRow::REJECT) && !is_never_answered(packet));
            }
        }
        prop_assert_eq!(way, Direction::FromHost);
        prop_assert!(!packet.destination.is_multicast(), "nobody answers for many");
        prop_assert!(!packet.source.is_martian() || model.hosts.contains_key(&host));
    }

    #[test]
    fn what_is_answered_by_icmp_is_what_the_role_stops(
        model in world(),
        sent in packet(),
        role in select(ROLES.to_vec()),
    ) {
        let mut model = model;
        model.rules.clear();
        model.roles.insert(role, RoleRow::new(RoleRow::REJECT));
        let host = host_of(&sent, Direction::FromHost, &model);
        model.decide(host, role);
        let judgement = judged(&sent, Direction::FromHost, &model);
        let is_tcp = sent.packet.protocol == protocol::TCP;
        if judgement.reason == Reason::RoleDenies && !is_tcp {
            let answered = judgement.verdict == Verdict::Reject;
            prop_assert_eq!(answered, !is_never_answered(&sent.packet));
        }
    }

    #[test]
    fn each_flow_is_closed_once(model in world(), sent in packet(), told: bool) {
        let mut model = model;
        model.rules.clear();
        let host = host_of(&sent, Direction::FromHost, &model);
        model.close(host, RoleId::DENIED);
        model.roles.insert(RoleId::DENIED, RoleRow::new(0));
        let flow = flow(&host, &sent.packet, Direction::FromHost);
        model.told.extend(flow.filter(|_| told));
        let judgement = judged(&sent, Direction::FromHost, &model);
        let payload = matches!(sent.packet.transport_header(), Transport::Tcp(_, f) if f.payload);
        let open = is_of_an_open_flow(&sent.packet) && payload;
        let to_one = !sent.packet.destination.is_multicast();
        if judgement.reason == Reason::RoleDenies {
            prop_assert_eq!(judgement.verdict == Verdict::Close, open && to_one && !told);
        }
    }

    #[test]
    fn nobody_out_there_is_told_of_a_host_that_is_not_closing(model in world(), sent in packet()) {
        let mut model = model;
        for row in model.hosts.values_mut() {
            row.origin = enforcer_common::host::Origin::of(row.origin.source());
        }
        let judgement = judged(&sent, Direction::ToHost, &model);
        prop_assert!(matches!(judgement.verdict, Verdict::Pass | Verdict::Drop), "{judgement:?}");
    }
}

const HOST: Address = Address::v4([10, 0, 0, 1]);
const SERVER: Address = Address::v4([10, 0, 0, 2]);

/// A host that is quarantined, with all that a role may do.
fn closing() -> Model {
    let mut model = Model::empty();
    let flags = RoleRow::REJECT | RoleRow::PORTAL;
    model.roles.insert(RoleId::QUARANTINE, RoleRow::new(flags));
    model.close(host(HOST), RoleId::QUARANTINE);
    model
}

#[test]
fn first_the_far_end_is_told_and_then_the_host() {
    let mut model = closing();
    let data = || tcp(HOST, (SERVER, 443), ACK).carrying(b"data");
    let out = |model: &Model, sent: Sent| judged(&sent, Direction::FromHost, model).verdict;
    assert_eq!(out(&model, tcp(HOST, (SERVER, 443), SYN)), Verdict::Reject);
    assert_eq!(out(&model, tcp(HOST, (SERVER, 443), ACK)), Verdict::Reject);
    assert_eq!(out(&model, data()), Verdict::Close);
    let flow = flow(&host(HOST), &data().packet, Direction::FromHost);
    model.told.extend(flow);
    assert_eq!(out(&model, data()), Verdict::Reject);
    let back = tcp(SERVER, (HOST, 40_000), ACK);
    assert_eq!(
        judged(&back, Direction::ToHost, &model).verdict,
        Verdict::Reject
    );
}

#[test]
fn each_is_answered_in_its_own_protocol() {
    let mut model = closing();
    model.decide(host(HOST), RoleId::QUARANTINE);
    for (sent, verdict) in [
        (tcp(HOST, (SERVER, 80), SYN), Verdict::Redirect),
        (tcp(HOST, (SERVER, 443), SYN), Verdict::Reject),
        (tcp(HOST, (SERVER, 443), RST), Verdict::Drop),
        (udp((HOST, 9), (SERVER, 9)), Verdict::Reject),
        (icmp(HOST, SERVER, 8, 64), Verdict::Reject),
        (icmp(HOST, SERVER, 3, 64), Verdict::Drop),
        (icmp(HOST, SERVER, 11, 64), Verdict::Drop),
        (
            udp((HOST, 9), (Address::v4([239, 1, 2, 3]), 9)),
            Verdict::Drop,
        ),
        (udp((HOST, 9), (Address::v4([255; 4]), 9)), Verdict::Drop),
    ] {
        let judgement = judged(&sent, Direction::FromHost, &model);
        assert_eq!(judgement.verdict, verdict, "{:?}", sent.packet);
    }
}
