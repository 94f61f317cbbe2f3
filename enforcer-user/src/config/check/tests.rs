use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use enforcer_protocol::pin::Pin;

use super::*;
use crate::config::Mode;

mod example;

const START: &str = "[[interface]]\nname = \"lan0\"\n";

fn parse(text: &str) -> Config {
    Config::parse(Path::new("e.toml"), text).expect("a configuration")
}

/// Line and key of each finding.
fn found(text: &str) -> Vec<(usize, String)> {
    let place = |finding: Finding| (finding.line.unwrap_or(0), finding.key);
    check(&parse(text), None).into_iter().map(place).collect()
}

/// What is found in text behind one interface, whose own lines are not counted.
fn one(text: &str) -> (usize, String) {
    let mut found = found(&format!("{START}{text}"));
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let (line, key) = found.remove(0);
    (line.saturating_sub(2), key)
}

#[test]
fn everything_is_found_at_once() {
    let text = "mode = \"enforce\"\n[lease]\nexpired = \"quarantin\"\n[portal]\nport = 0\n";
    let places = [(0, "interface"), (3, "lease.expired"), (5, "portal.port")];
    assert_eq!(
        found(text),
        places.map(|(line, key)| (line, key.to_owned()))
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
fn each_mistake_is_found_in_its_place() {
    let rule = |text: &str| format!("[[role.quarantine.rule]]\n{text}");
    let scope = |prefix: &str, rest: &str| format!("[[scope]]\nprefix = \"{prefix}\"\n{rest}\n");
    let checked = "action = \"checked\"";
    let nat = |outside: &str, ports: &str, host: &str, zone: &str| {
        format!(
            "[[nat.static]]\noutside = \"{outside}\"\nports = \"{ports}\"\nhost = \"{host}\"\nzone = \"{zone}\"\n"
        )
    };
    let mistakes = [
        (
            "[[interface]]\nname = \"lan0\"".into(),
            2,
            "interface[1].name",
        ),
        (
            "[[interface]]\nname = \"a-name-too-long0\"".into(),
            2,
            "interface[1].name",
        ),
        (
            "[[interface]]\nname = \"a/b\"".into(),
            2,
            "interface[1].name",
        ),
        (
            nat("203.0.113.1", "0-99", "10.0.0.1", "lan"),
            3,
            "nat.static[0].ports",
        ),
        (
            nat("203.0.113.1", "99-9", "10.0.0.1", "lan"),
            3,
            "nat.static[0].ports",
        ),
        (
            nat("203.0.113.1", "1-9", "10.0.0.1", "lab"),
            5,
            "nat.static[0].zone",
        ),
        (
            nat("203.0.113.1", "1-9", "224.0.0.1", "lan"),
            4,
            "nat.static[0].host",
        ),
        (
            nat("203.0.113.1", "1-9", "::ffff:10.0.0.1", "lan"),
            4,
            "nat.static[0].host",
        ),
        (
            nat("0.0.0.0", "1-9", "10.0.0.1", "lan"),
            2,
            "nat.static[0].outside",
        ),
        (
            nat("203.0.113.1", "1024-2047", "10.0.0.1", "lan")
                + &nat("203.0.113.2", "1024-2047", "10.0.0.3", "lan")
                + &nat("203.0.113.1", "2047-3000", "10.0.0.2", "lan"),
            13,
            "nat.static[2].ports",
        ),
        (scope("10.0.0.1/24", checked), 2, "scope[0].prefix"),
        (scope("::ffff:10.0.0.0/104", checked), 2, "scope[0].prefix"),
        (
            scope("10.0.0.0/8", checked) + &scope("10.0.0.0/8", checked),
            5,
            "scope[1].prefix",
        ),
        (
            scope("10.0.0.0/8", checked) + &scope("10.1.0.0/16", checked),
            5,
            "scope[1].prefix",
        ),
        (
            scope("10.0.0.0/8", &format!("{checked}\nzone = \"wan\"")),
            4,
            "scope[0].zone",
        ),
        (rule("to = []"), 2, "role.quarantine.rule[0].to"),
        (
            rule("to = [\n\"10.0.0.0/8\",\n\"10.0.0.1/8\"]"),
            4,
            "role.quarantine.rule[0].to[1]",
        ),
        (
            rule("to = [\"10.0.0.1\"]\nports = [80]"),
            3,
            "role.quarantine.rule[0].ports",
        ),
        (
            rule("to = [\"10.0.0.1\"]\nprotocol = \"tcp\"\nports = [1, \"9-8\"]"),
            4,
            "role.quarantine.rule[0].ports[1]",
        ),
        (
            rule("to = [\"::/0\"]\nprotocol = \"icmp\""),
            2,
            "role.quarantine.rule[0].to[0]",
        ),
        (
            "[[service]]\nto = [\"10.0.0.1\"]\nports = [53]".into(),
            3,
            "service[0].ports",
        ),
        (
            "[[role.quarantin.rule]]\nto = [\"10.0.0.1\"]".into(),
            1,
            "role.quarantin",
        ),
        (
            "[role.everyone]\ndefault = \"deny\"".into(),
            1,
            "role.everyone",
        ),
        ("[role.bypass]\ndefault = \"deny\"".into(), 1, "role.bypass"),
        ("[management]\nlease = \"60s\"".into(), 1, "management"),
        (
            "[management]\nurl = \"https://10.0.0.1\"".into(),
            1,
            "management",
        ),
        (
            "[management]\nurl = \"https://10.0.0.1\"\n[management.embedded]".into(),
            1,
            "management",
        ),
        (
            "[management]\n[[management.server]]\nurl = \"https://10.0.0.1\"".into(),
            1,
            "management",
        ),
        (
            "[management.embedded]\n[[management.server]]\nurl = \"https://10.0.0.1\"".into(),
            1,
            "management",
        ),
        (
            "[[source.file]]\nname = \"a b\"\npath = \"/dev/null\"".into(),
            2,
            "source.file[0].name",
        ),
        (
            "[[source.file]]\nname = \"operator\"\npath = \"/dev/null\"".into(),
            2,
            "source.file[0].name",
        ),
        (
            "[[source.file]]\nname = \"a\"\npath = \"a.csv\"".into(),
            3,
            "source.file[0].path",
        ),
        (
            "[[source.file]]\nname = \"a\"\npath = \"/a.csv\"\nlease = \"1s\"".into(),
            4,
            "source.file[0].lease",
        ),
        (
            "[management]\nlease = \"1s\"\n[management.embedded]".into(),
            2,
            "management.lease",
        ),
        (
            "[management.embedded]\nlisten = []".into(),
            2,
            "management.embedded.listen",
        ),
        ("[portal]\nport = 8443".into(), 2, "portal.port"),
        (
            "[metrics]\nlisten = \"127.0.0.1:8480\"".into(),
            2,
            "metrics.listen",
        ),
    ];
    for (text, line, key) in mistakes {
        assert_eq!(one(&text), (line, key.to_owned()), "{text}");
    }
}

#[test]
fn mistakes_before_the_first_section() {
    let mistakes = [
        ("zones = [\"lan\", \"lan\"]", "zones[1]"),
        ("zones = [\"guest\"]", "interface[0].zone"),
        ("host_capacity = 0", "host_capacity"),
        ("run_dir = \"run\"", "run_dir"),
        ("operators = [\"10.0.0.1/8\"]", "operators[0]"),
        ("operators = [\"0.0.0.0/0\"]", "operators[0]"),
    ];
    for (text, key) in mistakes {
        let keys: Vec<_> = found(&format!("{text}\n{START}"))
            .into_iter()
            .map(|(_, key)| key)
            .collect();
        assert_eq!(keys, [key], "{text}");
    }
}

#[test]
fn what_is_meant_so_is_no_mistake() {
    let texts = [
        // An exception within a scope, and within that another one.
        "[[scope]]\nprefix = \"10.0.0.0/8\"\naction = \"checked\"\n\
         [[scope]]\nprefix = \"10.1.0.0/16\"\naction = \"bypassed\"\n\
         [[scope]]\nprefix = \"10.1.1.0/24\"\naction = \"checked\"",
        // Two zones with the same addresses.
        "[[interface]]\nname = \"b0\"\nzone = \"b\"\n\
         [[scope]]\nprefix = \"10.0.0.0/8\"\naction = \"checked\"\nzone = \"lan\"\n\
         [[scope]]\nprefix = \"10.0.0.0/8\"\naction = \"checked\"\nzone = \"b\"",
        "[role.guests]\ndefault = \"allow\"\n[lease]\nexpired = \"guests\"",
    ];
    for text in texts {
        assert_eq!(found(&format!("{START}{text}")), [], "{text}");
    }
}

#[test]
fn scopes_do_not_take_from_operators() {
    let text = format!(
        "operators = [\"10.0.0.0/24\"]\n{START}[[scope]]\nprefix = \"10.0.0.8/29\"\naction = \"checked\""
    );
    assert_eq!(found(&text), [(5, "scope[0].prefix".to_owned())]);
}

#[test]
fn rules_that_do_not_fit_are_named_by_their_role() {
    let rule = "[[role.quarantine.rule]]\nto = [\"10.0.0.1\"]\n".repeat(17);
    let config = parse(&format!("{START}{rule}"));
    let findings = check(&config, None);
    assert_eq!(findings.len(), 1);
    let message = findings[0].to_string();
    assert!(message.contains("17 rules for 10.0.0.1/32"), "{message}");
}

#[test]
fn a_mapping_that_overlaps_is_refused_with_the_other_ones_line() {
    let mapping = |ports: &str, host: &str| {
        format!(
            "[[nat.static]]\noutside = \"203.0.113.1\"\nports = \"{ports}\"\nhost = \"{host}\"\nzone = \"lan\"\n"
        )
    };
    let mappings = mapping("1024-2047", "10.0.0.1") + &mapping("2000", "10.0.0.2");
    let findings = check(&parse(&format!("{START}{mappings}")), None);
    let messages: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "line 10, nat.static[1].ports: ports 2000 of 203.0.113.1 are another host's already, in part or all of \
             them; give one of them other ports: the other one is in line 3"
        ]
    );
}

#[test]
fn the_machine_is_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    fs::write(&token, "secret").expect("a file");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).expect("open to all");
    let pin = Pin::of(b"certificate");
    let text = format!(
        "{START}[management]\nurl = \"https://10.0.0.1\"\npin = \"{pin}\"\n\
         token_file = {token:?}\n[user]\nname = \"no such one\""
    );
    let config = parse(&text);
    let keys = |config: &Config, machine: &Machine| {
        let findings = check(config, Some(machine));
        findings
            .into_iter()
            .map(|finding| finding.key)
            .collect::<Vec<_>>()
    };
    let empty = Machine::default();
    assert_eq!(
        keys(&config, &empty),
        ["interface[0].name", "management.token_file", "user.name"]
    );

    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("closed");
    let machine = Machine {
        addresses: [("lan0".to_owned(), vec![])].into(),
        sessions: vec![],
    };
    assert_eq!(keys(&config, &machine), ["user.name"]);

    fs::remove_file(&token).expect("no file");
    assert_eq!(
        keys(&config, &machine),
        ["management.token_file", "user.name"]
    );
}

#[test]
fn what_is_wrong_is_refused_before_anything_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("enforcer.toml");
    fs::write(&path, "mode = \"enforce\"").expect("a file");
    let error = admit(&path).expect_err("no interface").to_string();
    assert!(error.contains("nothing was changed"), "{error}");
    assert!(error.contains("no interface is named"), "{error}");

    fs::write(&path, "[[interface]]\nname = \"lo\"").expect("a file");
    assert_eq!(admit(&path).expect("a configuration").mode, Mode::Monitor);
}
