use enforcer_protocol::posture::{
    Device, Os, OsFamily, Settings, Severity, Software, Update, VERSION,
};
use proptest::prelude::*;

use super::*;

fn posture() -> Posture {
    Posture {
        version: VERSION,
        device: Device {
            id: "a".to_owned(),
            name: "a".to_owned(),
            owner: None,
        },
        os: Os {
            family: OsFamily::Linux,
            name: "debian".to_owned(),
            version: "12.5".to_owned(),
            kernel: None,
        },
        missing_updates: Some(vec![]),
        software: Some(vec![software("bash", "5.2.15-2+b2")]),
        services: None,
        settings: Settings {
            firewall: Some(true),
            disk_encrypted: Some(true),
        },
        interfaces: vec![],
        attributes: [].into(),
    }
}

fn software(name: &str, version: &str) -> Software {
    Software {
        name: name.to_owned(),
        version: version.to_owned(),
    }
}

fn update(id: &str, severity: Severity) -> Update {
    Update {
        id: id.to_owned(),
        severity,
        title: String::new(),
    }
}

fn rule(check: &str) -> Policy {
    format!("[[rule]]\nname = 'r'\ntext = 'Bad'\nlevel = 'danger'\n{check}\n")
        .parse()
        .expect("a rule of a test is right")
}

/// The level and the only reason's text.
fn outcome(check: &str, posture: &Posture) -> (Level, Option<String>) {
    let judgement = judge(&rule(check), posture);
    (
        judgement.level,
        judgement
            .reasons
            .into_iter()
            .next()
            .map(|reason| reason.text),
    )
}

fn failed(text: &str) -> (Level, Option<String>) {
    (Level::Danger, Some(text.to_owned()))
}

fn unknown(text: &str) -> (Level, Option<String>) {
    (
        Level::Unknown,
        Some(format!("This device does not say {text}")),
    )
}

const SAFE: (Level, Option<String>) = (Level::Safe, None);

#[test]
fn a_compliant_endpoint_is_authorized() {
    let judgement = judge(&Policy::built_in(), &posture());
    assert_eq!(judgement.level, Level::Safe);
    assert_eq!(judgement.role, "authorized");
    assert!(judgement.reasons.is_empty());
}

#[test]
fn each_rule_gives_its_reason_and_the_worst_the_level() {
    let mut bad = posture();
    bad.settings.firewall = Some(false);
    bad.settings.disk_encrypted = Some(false);
    let judgement = judge(&Policy::built_in(), &bad);
    assert_eq!(judgement.level, Level::Warning);
    assert_eq!(judgement.role, "quarantine");
    let rules: Vec<_> = judgement
        .reasons
        .iter()
        .map(|reason| reason.rule.as_str())
        .collect();
    assert_eq!(rules, ["firewall", "disk-encryption"]);
}

#[test]
fn minimum_os() {
    let asks = |name: &str, version: &str| {
        outcome(
            &format!("check.minimum_os = {{ {name} version = '{version}' }}"),
            &posture(),
        )
    };
    assert_eq!(asks("", "12"), SAFE);
    assert_eq!(asks("name = 'Debian',", "12.5.0"), SAFE);
    assert_eq!(
        asks("name = 'debian',", "13"),
        failed("Bad: it is 12.5, at least 13 is needed")
    );
    assert_eq!(asks("name = 'ubuntu',", "22.04"), SAFE);

    let mut silent = posture();
    silent.os.version = String::new();
    let asked = "which version its operating system has";
    assert_eq!(
        outcome("check.minimum_os = { version = '12' }", &silent),
        unknown(asked)
    );
}

#[test]
fn missing_updates() {
    let check = "check.missing_updates = { severity = 'important', ignore = ['linux-*'] }";
    let mut lacking = posture();
    lacking.missing_updates = Some(vec![
        update("curl 7", Severity::Moderate),
        update("linux-image 6.1", Severity::Critical),
    ]);
    assert_eq!(outcome(check, &lacking), SAFE);

    let bad = (0..7)
        .rev()
        .map(|i| update(&format!("lib{i}"), Severity::Important))
        .collect();
    lacking.missing_updates = Some(bad);
    assert_eq!(
        outcome(check, &lacking),
        failed("Bad: lib0, lib1, lib2, lib3, lib4 and 2 more")
    );

    lacking.missing_updates = None;
    assert_eq!(outcome(check, &lacking), unknown("which updates it lacks"));
}

#[test]
fn settings() {
    let mut silent = posture();
    silent.settings = Settings {
        firewall: Some(false),
        disk_encrypted: None,
    };
    assert_eq!(outcome("check = 'firewall'", &silent), failed("Bad"));
    let asked = "whether its disk is encrypted";
    assert_eq!(outcome("check = 'disk_encrypted'", &silent), unknown(asked));
}

#[test]
fn forbidden_software() {
    let any = "check.forbidden_software = { names = ['telnet*'] }";
    let old = "check.forbidden_software = { names = ['openssh*'], below = '9.3' }";
    let mut posture = posture();
    assert_eq!(outcome(any, &posture), SAFE);

    posture.software = Some(vec![
        software("telnetd", ""),
        software("openssh-server", "1:9.2p1-2"),
    ]);
    assert_eq!(outcome(any, &posture), failed("Bad: telnetd"));
    assert_eq!(
        outcome(old, &posture),
        failed("Bad: openssh-server 1:9.2p1-2")
    );

    posture.software = Some(vec![software("openssh-server", "1:9.3p1-1")]);
    assert_eq!(outcome(old, &posture), SAFE);

    posture.software = Some(vec![software("openssh-server", "")]);
    assert_eq!(
        outcome(old, &posture),
        unknown("which versions of its software it has")
    );

    posture.software = None;
    assert_eq!(outcome(any, &posture), unknown("which software it has"));
}

#[test]
fn required_software() {
    let check = "check.required_software = { any_of = ['clamav', 'falcon*'], minimum = '1.2' }";
    let mut posture = posture();
    assert_eq!(
        outcome(check, &posture),
        failed("Bad: none of clamav, falcon* is installed")
    );

    posture.software = Some(vec![software("clamav", "1.1")]);
    assert_eq!(
        outcome(check, &posture),
        failed("Bad: clamav 1.1, at least 1.2 is needed")
    );

    posture.software = Some(vec![
        software("clamav", "1.1"),
        software("falcon-sensor", "7.10"),
    ]);
    assert_eq!(outcome(check, &posture), SAFE);

    posture.software = Some(vec![software("clamav", "")]);
    assert_eq!(
        outcome(check, &posture),
        unknown("which versions of its software it has")
    );
}

#[test]
fn rules_for_other_platforms_ask_nothing() {
    let mut posture = posture();
    posture.settings.firewall = Some(false);
    assert_eq!(
        outcome("check = 'firewall'\nplatforms = ['windows']", &posture),
        SAFE
    );
    assert_eq!(
        outcome("check = 'firewall'\nplatforms = ['linux']", &posture),
        failed("Bad")
    );
}

#[test]
fn what_is_not_known_can_be_allowed() {
    let mut posture = posture();
    posture.settings.firewall = None;
    assert_eq!(
        outcome("check = 'firewall'\nunknown_level = 'safe'", &posture),
        SAFE
    );
}

#[test]
fn silence_does_not_hide_a_danger() {
    let mut posture = posture();
    posture.os.version = "10".to_owned();
    posture.missing_updates = None;
    assert_eq!(judge(&Policy::built_in(), &posture).level, Level::Danger);
}

#[test]
fn control_characters_of_a_report_go_nowhere() {
    let mut posture = posture();
    posture.software = Some(vec![software("telnetd\x1b[2J\n", "")]);
    let check = "check.forbidden_software = { names = ['telnet*'] }";
    assert_eq!(outcome(check, &posture), failed("Bad: telnetd[2J"));
}

fn any_posture() -> impl Strategy<Value = Posture> {
    let name = || prop::sample::select(vec!["telnetd", "bash", "clamav", ""]);
    let item = (name(), "[0-9.~]{0,4}").prop_map(|(name, version)| software(name, &version));
    let severity = prop::sample::select(vec![Severity::Low, Severity::Important]);
    let missing = severity.prop_map(|severity| update("x", severity));
    (
        any::<(Option<bool>, Option<bool>)>(),
        "[0-9.]{0,4}",
        prop::option::of(prop::collection::vec(item, 0..4)),
        prop::option::of(prop::collection::vec(missing, 0..3)),
    )
        .prop_map(
            |((firewall, disk_encrypted), version, software, missing_updates)| {
                let mut posture = posture();
                posture.settings = Settings {
                    firewall,
                    disk_encrypted,
                };
                posture.os.version = version;
                posture.software = software;
                posture.missing_updates = missing_updates;
                posture
            },
        )
}

proptest! {
    /// Safe exactly when nothing is held against it; the role is the level's.
    #[test]
    fn level_role_and_reasons_agree(posture in any_posture()) {
        let policy = Policy::built_in();
        let judgement = judge(&policy, &posture);
        prop_assert_eq!(judgement.level == Level::Safe, judgement.reasons.is_empty());
        prop_assert_eq!(policy.roles.of(judgement.level), judgement.role);
    }

    /// Asking more never makes an endpoint look better.
    #[test]
    fn more_rules_are_never_kinder(posture in any_posture(), keep in 0usize..8) {
        let all = Policy::built_in();
        let mut fewer = all.clone();
        fewer.rules.truncate(keep);
        let (level, better) = (judge(&all, &posture).level, judge(&fewer, &posture).level);
        prop_assert_eq!(worse(better, level), level);
    }

    /// The order of what is installed says nothing.
    #[test]
    fn order_does_not_matter(posture in any_posture()) {
        let mut reversed = posture.clone();
        reversed.software.iter_mut().for_each(|software| software.reverse());
        let policy = Policy::built_in();
        prop_assert_eq!(judge(&policy, &posture), judge(&policy, &reversed));
    }
}
