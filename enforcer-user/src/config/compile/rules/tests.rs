//! The compiled sets against the rules as they are written.

use enforcer_common::{host::Address, role::NO_PORT};
use proptest::prelude::*;

use super::*;
use crate::config::{Action, Compiled, Role};

/// Few bits vary, so that prefixes lie in one another and addresses in them.
fn address() -> impl Strategy<Value = IpAddr> {
    let v4 = (0..4_u8, 0..4_u8).prop_map(|(a, b)| IpAddr::from([10, a << 6, 0, b]));
    let v6 = (0..4_u16, 0..4_u16)
        .prop_map(|(a, b)| IpAddr::from([0x2001, 0xdb8, a << 14, 0, 0, 0, 0, b]));
    prop_oneof![v4, v6]
}

fn prefix() -> impl Strategy<Value = IpNet> {
    let lengths = prop::sample::select(vec![0, 1, 8, 9, 10, 31, 32]);
    (address(), lengths, 0..4_u8).prop_map(|(address, length, factor)| {
        let length = if address.is_ipv6() {
            length * factor
        } else {
            length
        };
        IpNet::new(address, length)
            .expect("a length that fits")
            .trunc()
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let protocol = prop_oneof![
        Just(Protocol::Any),
        Just(Protocol::TCP),
        Just(Protocol::UDP)
    ];
    let range = (0..4_u16, 0..4_u16).prop_map(|(a, b)| PortRange {
        first: a.min(b),
        last: a.max(b),
    });
    let ports = prop::collection::vec(range, 0..3);
    let to = prop::collection::vec(prefix(), 1..3);
    (to, protocol, ports, any::<bool>()).prop_map(|(to, protocol, ports, allow)| Rule {
        to,
        protocol,
        ports,
        action: if allow { Action::Allow } else { Action::Deny },
    })
}

fn config(rules: Vec<Rule>) -> Config {
    let role = Role {
        rules,
        ..Role::default()
    };
    Config {
        roles: [("quarantine".to_owned(), role)].into(),
        ..Config::default()
    }
}

/// The longest prefix first, then the order in the file.
fn as_written(rules: &[Rule], remote: IpAddr, protocol: u8, port: Option<u16>) -> Option<bool> {
    let lengths = |rule: &Rule| {
        let around = rule.to.iter().filter(|prefix| prefix.contains(&remote));
        around.map(IpNet::prefix_len).collect::<Vec<_>>()
    };
    let matches = |rule: &&Rule| {
        let protocol = match rule.protocol {
            Protocol::Any => true,
            Protocol::Number(number) => number == protocol,
        };
        let in_range = |port| rule.ports.iter().any(|p| p.first <= port && port <= p.last);
        protocol && (rule.ports.is_empty() || port.is_some_and(in_range))
    };
    (0..=128).rev().find_map(|length| {
        let of_length = rules.iter().filter(|rule| lengths(rule).contains(&length));
        of_length
            .filter(matches)
            .map(|rule| rule.action == Action::Allow)
            .next()
    })
}

/// The longest match over both families, in the space that the datapath's trie has.
fn as_compiled(
    compiled: &Compiled,
    remote: IpAddr,
    protocol: u8,
    port: Option<u16>,
) -> Option<bool> {
    let bits = |address: IpAddr| {
        let address = match address {
            IpAddr::V4(address) => Address::v4(address.octets()),
            IpAddr::V6(address) => Address::v6(address.octets()),
        };
        u128::from_be_bytes(address.mapped())
    };
    let length = |prefix: &IpNet| match prefix {
        IpNet::V4(prefix) => 96 + u32::from(prefix.prefix_len()),
        IpNet::V6(prefix) => u32::from(prefix.prefix_len()),
    };
    let covers = |prefix: &IpNet| {
        let differing = bits(prefix.network()) ^ bits(remote);
        differing.leading_zeros() >= length(prefix)
    };
    let rules = compiled
        .rules
        .iter()
        .filter(|(role, ..)| *role == RoleId::QUARANTINE);
    let (.., set) = rules
        .filter(|(_, prefix, _)| covers(prefix))
        .max_by_key(|(_, prefix, _)| length(prefix))?;
    set.decide(protocol, port.map_or(NO_PORT, u32::from))
}

proptest! {
    #[test]
    fn compiled_rules_decide_as_they_are_written(
        rules in prop::collection::vec(rule(), 0..6),
        remotes in prop::collection::vec(address(), 1..16),
        protocol in prop::sample::select(vec![1_u8, 6, 17]),
        port in prop::option::of(0..4_u16),
    ) {
        let config = config(rules.clone());
        let compiled = match config.compile(&[]) {
            Err(CompileError::TooManyOwnRules { .. } | CompileError::TooManyRules { .. }) => {
                return Err(TestCaseError::reject("too many rules"));
            }
            result => result.expect("rules that compile"),
        };
        for remote in remotes {
            prop_assert_eq!(
                as_compiled(&compiled, remote, protocol, port),
                as_written(&rules, remote, protocol, port),
                "{}", remote
            );
        }
    }
}

#[test]
fn rules_for_every_ipv6_address_say_nothing_of_ipv4() {
    let everything = Rule {
        to: vec!["::/0".parse().expect("a prefix")],
        protocol: Protocol::Any,
        ports: vec![],
        action: Action::Allow,
    };
    let compiled = config(vec![everything])
        .compile(&[])
        .expect("rules that compile");
    let decide =
        |remote: &str| as_compiled(&compiled, remote.parse().expect("an address"), 6, None);
    assert_eq!(decide("2001:db8::1"), Some(true));
    assert_eq!(decide("192.0.2.1"), None);
}

#[test]
fn too_many_rules_are_refused() {
    let rule = |to: &str, ports: u16| Rule {
        to: vec![to.parse().expect("a prefix")],
        protocol: Protocol::TCP,
        ports: (0..ports).map(PortRange::from).collect(),
        action: Action::Allow,
    };
    let compile = |rules| config(rules).compile(&[]).map(|_| ());
    let nested = ["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24"];
    assert_eq!(compile(vec![rule(nested[0], 16)]), Ok(()));
    assert!(matches!(
        compile(vec![rule(nested[0], 17)]),
        Err(CompileError::TooManyOwnRules { count: 17, .. })
    ));
    assert!(matches!(
        compile(nested.map(|to| rule(to, 11)).to_vec()),
        Err(CompileError::TooManyRules { count: 33, .. })
    ));
}

#[test]
fn services_are_for_everyone() {
    let text = "
        [[service]]
        to = ['10.0.0.1/32']
        protocol = 'udp'
        ports = [53]
        [management]
        url = 'https://[2001:db8::1]:8443'
        pin = 'sha256:0000000000000000000000000000000000000000000000000000000000000000'
        token_file = '/token'
    ";
    let config = Config::parse("e.toml".as_ref(), text).expect("a configuration");
    let portal = Service {
        to: vec!["10.0.0.2/32".parse().expect("a prefix")],
        protocol: Protocol::TCP,
        ports: vec![8480.into()],
    };
    let compiled = config.compile(&[portal]).expect("services that compile");
    let open = |address: &str, protocol, port| {
        let address = address.parse().expect("an address");
        compiled.allows(RoleId::EVERYONE, address, protocol, port)
    };
    assert_eq!(open("10.0.0.1", 17, 53), Some(true));
    assert_eq!(open("10.0.0.1", 6, 53), None);
    assert_eq!(open("10.0.0.2", 6, 8480), Some(true));
    assert_eq!(open("2001:db8::1", 6, 8443), Some(true));
}
