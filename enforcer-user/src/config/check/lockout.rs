//! Whether the configuration would cut off those who administer this machine.

use std::net::IpAddr;

use enforcer_common::{packet::protocol, role::RoleId, settings::Scope};

use super::{
    super::{
        Compiled, Config, InterfacePlan,
        machine::{Machine, Session},
    },
    Fault, Findings,
};

pub(super) fn check(config: &Config, machine: &Machine, findings: &mut Findings<'_>) {
    // What cannot be compiled is refused for another reason.
    let Ok(compiled) = config.compile(&[]) else {
        return;
    };
    let mut said = Vec::new();
    for session in &machine.sessions {
        let Some(interface) = cut_off(&compiled, machine, session) else {
            continue;
        };
        if said.contains(&session.peer) {
            continue;
        }
        said.push(session.peer);
        let fault = Fault::LockOut {
            peer: session.peer,
            interface: interface.name.clone(),
            mode: config.mode,
        };
        findings.add("operators", fault);
    }
}

/// The interface on which packets of this session would be stopped.
fn cut_off<'a>(
    compiled: &'a Compiled,
    machine: &Machine,
    session: &Session,
) -> Option<&'a InterfacePlan> {
    let open = compiled.allows(RoleId::EVERYONE, session.local, protocol::TCP, session.port);
    if open == Some(true) {
        return None;
    }
    compiled.interfaces.iter().find(|interface| {
        comes_through(machine, session, &interface.name)
            && compiled.scope(interface.zone, session.peer) == Scope::Checked
    })
}

/// Whether the session goes through an interface: to an address of it, from its network, or back to
/// a peer that is routed there.
fn comes_through(machine: &Machine, session: &Session, interface: &str) -> bool {
    let Some(addresses) = machine.addresses.get(interface) else {
        return false;
    };
    let own = |address: IpAddr| addresses.iter().any(|own| own.addr() == address);
    own(session.local)
        || session.route.is_some_and(own)
        || !is_link_local(session.peer)
            && addresses
                .iter()
                .any(|network| network.contains(&session.peer))
}

/// Every interface has the same link-local network.
const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const CONFIG: &str = "
        mode = \"enforce\"
        operators = [\"192.0.2.7/32\"]
        [[interface]]
        name = \"lan0\"
        [[interface]]
        name = \"guest0\"
        zone = \"guest\"
        [[scope]]
        prefix = \"198.51.100.0/24\"
        zone = \"guest\"
        action = \"bypassed\"
        [[service]]
        to = [\"192.0.2.1/32\"]
        protocol = \"tcp\"
        ports = [2222]
    ";

    fn machine(session: Session) -> Machine {
        let networks = |text: &str| {
            text.split(' ')
                .map(|net| net.parse().expect("a net"))
                .collect()
        };
        let addresses = [
            ("lan0", "192.0.2.1/24 fe80::1/64"),
            ("guest0", "198.51.100.1/24 fe80::2/64"),
            ("wan0", "203.0.113.1/24 fe80::3/64"),
        ];
        let addresses = addresses.map(|(name, text)| (name.to_owned(), networks(text)));
        Machine {
            addresses: addresses.into(),
            sessions: vec![session],
        }
    }

    fn session(peer: &str, local: &str, port: u16) -> Session {
        Session {
            peer: peer.parse().expect("an address"),
            local: local.parse().expect("an address"),
            port,
            route: None,
        }
    }

    fn findings(text: &str, session: Session) -> Vec<String> {
        let config = Config::parse(Path::new("e.toml"), text).expect("a configuration");
        let mut findings = Findings::new(&config.places);
        check(&config, &machine(session), &mut findings);
        findings.list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_checked_peer_is_named_with_the_remedy() {
        let found = findings(CONFIG, session("192.0.2.9", "192.0.2.1", 22));
        assert_eq!(
            found,
            [
                "line 3, operators: 192.0.2.9 is connected to this machine through `lan0`, and \
                 would be cut off: its address is checked; add \"192.0.2.9/32\" to `operators`"
            ]
        );
    }

    #[test]
    fn every_way_through_a_guarded_interface_counts() {
        let sessions = [
            // Through another router to an address of the guarded interface.
            session("10.0.0.1", "192.0.2.1", 22),
            // From the guarded network to the address of another interface.
            session("192.0.2.9", "203.0.113.1", 22),
            session("fe80::9", "fe80::1", 22),
            Session {
                route: Some([192, 0, 2, 1].into()),
                ..session("10.0.0.1", "203.0.113.1", 22)
            },
        ];
        for session in sessions {
            assert_eq!(findings(CONFIG, session.clone()).len(), 1, "{session:?}");
        }
    }

    #[test]
    fn whoever_keeps_access_is_not_named() {
        let sessions = [
            // An operator; a bypassed scope; an unguarded interface, also by link-local address.
            session("192.0.2.7", "192.0.2.1", 22),
            session("198.51.100.9", "198.51.100.1", 22),
            session("203.0.113.9", "203.0.113.1", 22),
            session("fe80::9", "fe80::3", 22),
            // A port that is open to everyone.
            session("192.0.2.9", "192.0.2.1", 2222),
        ];
        for session in sessions {
            assert!(findings(CONFIG, session.clone()).is_empty(), "{session:?}");
        }
    }

    #[test]
    fn monitor_mode_only_warns() {
        let text = CONFIG.replace("enforce", "monitor");
        let config = Config::parse(Path::new("e.toml"), &text).expect("a configuration");
        let mut findings = Findings::new(&config.places);
        let session = session("192.0.2.9", "192.0.2.1", 22);
        check(&config, &machine(session), &mut findings);
        assert_eq!(findings.list.len(), 1);
        assert!(!findings.list[0].is_error());
    }
}
