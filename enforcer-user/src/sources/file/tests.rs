use std::path::Path;

use enforcer_common::{host::Host, role::RoleId};
use proptest::prelude::*;

use super::{HostsFileError, Listed, Names, parse};
use crate::{
    config::{Compiled, Config},
    identity::Mac,
};

const ONE_ZONE: &str = "[[interface]]\nname = 'lan0'\n[role.printers]\ndefault = 'allow'";
const TWO_ZONES: &str =
    "[[interface]]\nname = 'lan0'\n[[interface]]\nname = 'guest0'\nzone = 'guest'";

fn compiled(config: &str) -> Compiled {
    let config = Config::parse("e.toml".as_ref(), config).expect("a configuration");
    config.compile(&[]).expect("a configuration that compiles")
}

fn list(name: &str, bytes: &[u8], config: &str) -> Result<Vec<Listed>, String> {
    let compiled = compiled(config);
    parse(Path::new(name), bytes, Names::from(&compiled)).map_err(|error| error.to_string())
}

fn listed(zone: u32, address: &str, role: RoleId, mac: Option<[u8; 6]>) -> Listed {
    let address: std::net::IpAddr = address.parse().expect("an address");
    Listed {
        host: Host {
            zone,
            address: address.into(),
        },
        role,
        mac: mac.map(Mac),
    }
}

/// The only fault of a list, without the words around it.
fn fault(name: &str, text: &str, config: &str) -> String {
    let said = list(name, text.as_bytes(), config).expect_err("a fault");
    let said = said
        .strip_prefix("the list of hosts is refused:\n  ")
        .expect("these words");
    assert!(!said.contains('\n'), "{said}");
    said.to_owned()
}

#[test]
fn csv_with_every_column() {
    let text = "# who is who\n\nrole, Address ,mac,zone\n\
                authorized,10.1.0.5,02:00:00:00:00:05,lan\r\n\
                # the guests\n\
                \"quarantine\", \"2001:db8::5\" ,,guest\n\
                denied,10.1.0.5,,guest\n,,,\n\n";
    let hosts = list("h.csv", text.as_bytes(), TWO_ZONES).expect("a list");
    let mac = [2, 0, 0, 0, 0, 5];
    assert_eq!(
        hosts,
        [
            listed(0, "10.1.0.5", RoleId::AUTHORIZED, Some(mac)),
            listed(1, "2001:db8::5", RoleId::QUARANTINE, None),
            listed(1, "10.1.0.5", RoleId::DENIED, None),
        ]
    );
}

#[test]
fn toml_with_every_key() {
    let text = "\u{feff}[[host]]\naddress = '10.1.0.5'\nrole = 'printers'\n\
                [[host]]\naddress = '10.1.0.6'\nzone = 'lan'\nrole = 'authorized'\nmac = '02-00-00-00-00-06'\n";
    let hosts = list("h.toml", text.as_bytes(), ONE_ZONE).expect("a list");
    let mac = [2, 0, 0, 0, 0, 6];
    assert_eq!(
        hosts,
        [
            listed(0, "10.1.0.5", RoleId(8), None),
            listed(0, "10.1.0.6", RoleId::AUTHORIZED, Some(mac)),
        ]
    );
}

#[test]
fn the_format_is_seen_where_the_name_does_not_tell_it() {
    let toml = "# hosts\nhost = [{ address = '10.1.0.5', role = 'denied' }]";
    let csv = "# hosts\naddress,role\n10.1.0.5,denied";
    let expected = [listed(0, "10.1.0.5", RoleId::DENIED, None)];
    for text in [toml, csv] {
        assert_eq!(
            list("63", text.as_bytes(), ONE_ZONE).expect("a list"),
            expected
        );
    }
}

#[test]
fn an_ipv4_address_written_as_ipv6_is_that_address() {
    let text = "address,role\n::ffff:10.1.0.5,denied\n10.1.0.5,denied";
    assert_eq!(
        fault("h.csv", text, ONE_ZONE),
        "h.csv:3:1: 10.1.0.5 in zone `lan` is there twice, first in line 2; remove one"
    );
}

#[test]
fn toml_without_hosts_is_a_list_without_hosts() {
    assert_eq!(list("h.toml", b"", ONE_ZONE), Ok(Vec::new()));
    assert_eq!(list("h.csv", b"address,role\n", ONE_ZONE), Ok(Vec::new()));
}

#[test]
fn faults_of_csv_are_named_with_place_and_remedy() {
    let cases = [
        (
            "address,role\n10.1.0.300,denied",
            "h.csv:2:1: `10.1.0.300` is no address; write one such as 10.1.0.5 or 2001:db8::5",
        ),
        (
            "address,role\n10.1.0.0/24,denied",
            "h.csv:2:1: `10.1.0.0/24` is a prefix; write a line for each address, or a [[scope]] in the \
             configuration",
        ),
        (
            "address,role\n10.1.0.5,denied\n# again\n\n10.1.0.6,denied\n10.1.0.5,authorized",
            "h.csv:6:1: 10.1.0.5 in zone `lan` is there twice, first in line 2; remove one",
        ),
        (
            "address,role\n224.0.0.1,denied",
            "h.csv:2:1: 224.0.0.1 is no address of a host; remove it",
        ),
        (
            "address,role\n 10.1.0.5 , \"quarantin\"",
            "h.csv:2:14: there is no role `quarantin`; did you mean `quarantine`?",
        ),
        (
            "address,zone,role\n10.1.0.5,lam,denied",
            "h.csv:2:10: there is no zone `lam`; did you mean `lan`?",
        ),
        (
            "address,mac,role\n10.1.0.5,02:00:00:00:05,denied",
            "h.csv:2:10: `02:00:00:00:05` is no MAC address such as `aa:bb:cc:dd:ee:ff`; write the one of the \
             host, or none",
        ),
        (
            "address,mac,role\n10.1.0.5,ff:ff:ff:ff:ff:ff,denied",
            "h.csv:2:10: `ff:ff:ff:ff:ff:ff` is no MAC address such as `aa:bb:cc:dd:ee:ff`; write the one of \
             the host, or none",
        ),
        (
            "address,role\n,denied",
            "h.csv:2:1: the host has no `address`; every host needs an address and a role",
        ),
        (
            "address,role\n10.1.0.5,",
            "h.csv:2:1: the host has no `role`; every host needs an address and a role",
        ),
        (
            "\naddress,zone\n10.1.0.5,lan",
            "h.csv:2:1: there is no column `role`; the columns are `address,zone,role,mac`, of which mac may \
             be left out, and zone where there is only one",
        ),
        (
            "address,rolle\n10.1.0.5,denied",
            "h.csv:1:9: `rolle` means nothing here; did you mean `role`?",
        ),
        (
            "address,role,Role\n10.1.0.5,denied,denied",
            "h.csv:1:14: the column `role` is there twice; remove one",
        ),
        (
            "address,zone,role\n10.1.0.5,denied",
            "h.csv:2:1: 2 fields, where the first line names 3 columns; write a comma for a field that is empty",
        ),
        (
            "address,role\n10.1.0.5,denied,lan",
            "h.csv:2:17: 3 fields, where the first line names 2 columns; write a comma for a field that is empty",
        ),
        (
            "address,role\n10.1.0.5,\"denied\n10.1.0.6,denied\n",
            "h.csv:2:11: the quotation mark that opens this field is not closed in its line; close or remove it",
        ),
        (
            "address;role\n10.1.0.5;denied",
            "h.csv:1:1: the columns are not separated by commas; write the list with `,` instead of `;`",
        ),
        (
            "10.1.0.5,denied",
            "h.csv:1:1: the first line is a host, and names no columns; write `address,zone,role,mac` above it",
        ),
        (
            "# nothing\n",
            "h.csv:1:1: the list is empty; its first line names the columns, such as `address,zone,role,mac`",
        ),
        (
            "address,role\n\u{1b}[2J,denied",
            "h.csv:2:1: `\\u{1b}[2J` is no address; write one such as 10.1.0.5 or 2001:db8::5",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(fault("h.csv", text, ONE_ZONE), expected);
    }
}

#[test]
fn faults_of_toml_are_named_with_place_and_remedy() {
    let cases = [
        (
            "[[host]]\naddress = '10.1.0'\nrole = 'denied'",
            "h.toml:2:11: `10.1.0` is no address; write one such as 10.1.0.5 or 2001:db8::5",
        ),
        (
            "[[host]]\naddress = '10.1.0.5'\nrole = 'denid'",
            "h.toml:3:8: there is no role `denid`; did you mean `denied`?",
        ),
        (
            "[[host]]\naddress = '10.1.0.5'\nrole = 'denied'\n\n[[host]]\naddress = '10.1.0.5'\nrole = 'denied'",
            "h.toml:6:11: 10.1.0.5 in zone `lan` is there twice, first in line 2; remove one",
        ),
        (
            "[[host]]\naddress = '10.1.0.5'\nrole = 'denied'\nmac = '02'",
            "h.toml:4:7: `02` is no MAC address such as `aa:bb:cc:dd:ee:ff`; write the one of the host, or none",
        ),
        (
            "[[host]]\naddress = '10.1.0.5'\nrole = 'denied'\nzone = 'guest'",
            "h.toml:4:8: there is no zone `guest`; what can stand here: `lan`",
        ),
        (
            "[[host]]\naddress = '10.1.0.5'\nrole = 'denied'\n[[host]]\nrole = 'denied'",
            "h.toml:4:1: the host has no `address`; every host needs an address and a role",
        ),
        (
            "[[host]]\naddress = '10.1.0.5'\nrol = 'denied'",
            "h.toml:3:1: `rol` means nothing here; did you mean `role`?",
        ),
        (
            "[[hosts]]\naddress = '10.1.0.5'",
            "h.toml:1:3: `hosts` means nothing here; did you mean `host`?",
        ),
        (
            "[[host]]\naddress = 10\nrole = 'denied'",
            "h.toml:2:11: `address` is no text; write it in quotation marks",
        ),
        (
            "host = 'x'",
            "h.toml:1:8: `host` is no list of tables; write each host as a table `[[host]]`",
        ),
        (
            "host = ['x']",
            "h.toml:1:9: `host` is no list of tables; write each host as a table `[[host]]`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(fault("h.toml", text, ONE_ZONE), expected);
    }
    let syntax = fault("h.toml", "[[host]]\naddress = 10.1.0.5", ONE_ZONE);
    assert!(syntax.starts_with("h.toml:2:"), "{syntax}");
    assert!(syntax.ends_with("or a list as CSV"), "{syntax}");
}

#[test]
fn several_zones_must_be_named() {
    let choice = "the host has no `zone`, and the configuration has several; what can stand here: `lan`, `guest`";
    let csv = fault("h.csv", "address,zone,role\n10.1.0.5,,denied", TWO_ZONES);
    assert_eq!(csv, format!("h.csv:2:1: {choice}"));
    let toml = fault(
        "h.toml",
        "[[host]]\naddress = '10.1.0.5'\nrole = 'denied'",
        TWO_ZONES,
    );
    assert_eq!(toml, format!("h.toml:1:1: {choice}"));
    let column = fault(
        "h.csv",
        "address,role\n10.1.0.5,denied\n10.1.0.6,denied",
        TWO_ZONES,
    );
    assert!(
        column.starts_with("h.csv:1:1: there is no column `zone`"),
        "{column}"
    );
}

#[test]
fn other_encodings_are_named() {
    let said = |bytes: &[u8]| list("h.csv", bytes, ONE_ZONE).expect_err("a fault");
    let utf16: Vec<u8> = "\u{feff}address,role"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(said(&utf16).contains("h.csv:1:1: the file is UTF-16; save it as UTF-8"));
    let latin = said(b"address,role\n10.1.0.5,d\xe9nied");
    assert!(
        latin.contains("h.csv:2:11: the byte 0xe9 is no UTF-8; save the file as UTF-8"),
        "{latin}"
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once_up_to_a_bound() {
    let said = list(
        "h.csv",
        b"address,role\nx,y\n10.1.0.5,denied\n10.1.0.6,z",
        ONE_ZONE,
    )
    .expect_err("faults");
    let places: Vec<_> = said
        .lines()
        .skip(1)
        .map(|line| line.trim_start().split(": ").next().unwrap_or_default())
        .collect();
    assert_eq!(places, ["h.csv:2:1", "h.csv:2:3", "h.csv:4:10"]);
    let many = format!("address,role\n{}", "x,denied\n".repeat(1000));
    let said = list("h.csv", many.as_bytes(), ONE_ZONE).expect_err("faults");
    assert_eq!(said.lines().count(), 22, "{said}");
    assert!(said.ends_with("and perhaps more"), "{said}");
}

#[test]
fn a_file_that_is_not_there() {
    let compiled = compiled(ONE_ZONE);
    let error = super::read(Path::new("/nonexistent/h.csv"), Names::from(&compiled));
    let error = error.expect_err("no file");
    assert!(matches!(error, HostsFileError::Read { .. }));
    assert!(error.to_string().contains("/nonexistent/h.csv"), "{error}");
}

proptest! {
    /// Whatever a file holds, it is read or refused with places that are in it.
    #[test]
    fn every_file_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), toml: bool) {
        refused_in_place(&bytes, toml)?;
    }

    #[test]
    fn every_odd_list_is_read_or_refused(text in "(address|role|zone|mac|10.1.0.5|lan|[,\"#; =\n\r\\[\\]']){0,60}", toml: bool) {
        refused_in_place(text.as_bytes(), toml)?;
    }
}

fn refused_in_place(bytes: &[u8], toml: bool) -> Result<(), TestCaseError> {
    let compiled = compiled(ONE_ZONE);
    let name = if toml { "h.toml" } else { "h.csv" };
    let Err(HostsFileError::Refused { found, .. }) =
        parse(Path::new(name), bytes, Names::from(&compiled))
    else {
        return Ok(());
    };
    let lines = bytes.split(|byte| *byte == b'\n').count();
    for one in found {
        prop_assert!((1..=lines).contains(&one.at.line), "{one}");
        prop_assert!((1..=bytes.len() + 1).contains(&one.at.column), "{one}");
    }
    Ok(())
}
