use super::{found, parse};
use crate::config::EXAMPLE;

#[test]
fn the_example_is_sound() {
    assert_eq!(found(EXAMPLE), []);
}

#[test]
fn the_example_says_the_defaults() {
    // Uncommented, every key that has a default says just that.
    let vlan = ["#[[interface.vlan]]", "#id", "#inner", "#zone = \"guest\""];
    let ways = [
        "#url",
        "#pin ",
        "#token_file",
        "#policy",
        "#client_",
        "#[[management.server]]",
        "#[[source.file]]",
        "#name = \"printers\"",
        "#path",
        "#lease = \"1h\"",
        "#zones",
        "#uplinks",
        "#group",
        "#readers",
        "#[[alert]]",
        "#kind",
        "#name = \"help-desk\"",
        "#name = \"siem\"",
        "#name = \"lock-port\"",
        "#server",
        "#port = 587",
        "#tls",
        "#from",
        "#to = ",
        "#login",
        "#password_file",
        "#ca_file",
        "#roles",
        "#reasons",
        "#per_minute",
        "#key_file",
        "#command",
        "#limit",
        "#user",
    ];
    let kept = EXAMPLE
        .lines()
        .filter(|line| !ways.iter().chain(&vlan).any(|way| line.starts_with(way)));
    let text: Vec<_> = kept
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest,
            _ => line,
        })
        .collect();
    let told = parse(&text.join("\n"));
    let mut silent = parse(EXAMPLE);
    let quarantine = silent.roles.get_mut("quarantine").expect("in the example");
    (quarantine.default, quarantine.monitor) = (Some(crate::config::Action::Deny), Some(false));
    (quarantine.portal, quarantine.reject) = (Some(true), Some(true));
    quarantine.track = Some(crate::config::Track::Alert);
    silent.places = told.places.clone();
    assert_eq!(told, silent);
}
