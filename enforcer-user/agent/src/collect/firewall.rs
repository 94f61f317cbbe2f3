//! Whether a host firewall guards what comes in.
//!
//! The kernel's rules are the truth, and reading them takes root. Without that, a firewall manager that
//! says it is active is believed; one that says nothing proves nothing.

use std::{fs, io};

use serde_json::Value;

use super::command;

/// What an active firewall has in a rule: something that can end otherwise than in acceptance.
const CAN_STOP: [&str; 6] = ["drop", "goto", "jump", "queue", "reject", "vmap"];

const LEGACY_TABLES: &str = "/proc/net/ip_tables_names";
const UFW: &str = "/etc/ufw/ufw.conf";

/// Whether a firewall is active.
pub async fn active() -> Option<bool> {
    match (nftables().await, legacy().await) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => managed().await.then_some(true),
    }
}

/// Rules of nftables, those of `iptables-nft`, firewalld and ufw among them.
async fn nftables() -> Option<bool> {
    parse_nftables(&command::output("nft", &["-j", "list", "ruleset"]).await?)
}

/// Rules of the older kernel interface. The program is asked only when the table is there already:
/// asking would load it.
async fn legacy() -> Option<bool> {
    match fs::read_to_string(LEGACY_TABLES) {
        Ok(tables) if tables.lines().any(|table| table == "filter") => {}
        Ok(_) => return Some(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(false),
        Err(_) => return None,
    }
    command::output("iptables-legacy", &["-S", "INPUT"])
        .await
        .map(|text| parse_iptables(&text))
}

async fn managed() -> bool {
    let ufw = fs::read_to_string(UFW).is_ok_and(|text| parse_ufw(&text));
    ufw || command::output("firewall-cmd", &["--state"])
        .await
        .is_some()
}

/// Whether a chain at the input hook drops by policy or has a rule that can stop something.
fn parse_nftables(text: &str) -> Option<bool> {
    let document: Value = serde_json::from_str(text).ok()?;
    let objects = document["nftables"].as_array()?;
    let is_input = |chain: &&Value| chain["hook"] == "input";
    let guards = |chain: &Value| {
        let rules = objects.iter().filter_map(|object| object.get("rule"));
        let mut of_chain = rules.filter(|rule| {
            let same = |left: &str, right: &str| rule[left] == chain[right];
            same("family", "family") && same("table", "table") && same("chain", "name")
        });
        chain["policy"] == "drop" || of_chain.any(can_stop)
    };
    Some(
        objects
            .iter()
            .filter_map(|object| object.get("chain"))
            .filter(is_input)
            .any(guards),
    )
}

fn can_stop(rule: &Value) -> bool {
    let statements = rule["expr"].as_array().into_iter().flatten();
    statements
        .filter_map(Value::as_object)
        .flat_map(|statement| statement.keys())
        .any(|name| CAN_STOP.contains(&name.as_str()))
}

/// Whether the input chain has another policy than to accept, or rules.
fn parse_iptables(text: &str) -> bool {
    text.lines()
        .any(|line| line.starts_with("-A INPUT ") || line.starts_with("-P INPUT DROP"))
}

fn parse_ufw(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "inet", "name": "filter", "handle": 3}}"#;
    const OPEN_INPUT: &str = r#"{"chain": {"family": "inet", "table": "filter", "name": "input",
        "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}}"#;

    fn ruleset(objects: &[&str]) -> String {
        format!(
            r#"{{"nftables": [{}]}}"#,
            [&[HEAD], objects].concat().join(", ")
        )
    }

    fn rule(chain: &str, expression: &str) -> String {
        format!(
            r#"{{"rule": {{"family": "inet", "table": "filter", "chain": "{chain}", "handle": 3,
            "expr": [{{"counter": {{"packets": 0, "bytes": 0}}}}, {expression}]}}}}"#
        )
    }

    #[test]
    fn a_policy_of_dropping_guards() {
        let chain = OPEN_INPUT.replace("accept", "drop");
        assert_eq!(parse_nftables(&ruleset(&[&chain])), Some(true));
    }

    #[test]
    fn a_rule_that_can_stop_guards() {
        let stopping = [
            r#"{"reject": {"type": "icmpx", "expr": "port-unreachable"}}"#,
            r#"{"jump": {"target": "office"}}"#,
            r#"{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["new", {"drop": null}]]}}}"#,
        ];
        for expression in stopping {
            let rules = ruleset(&[OPEN_INPUT, &rule("input", expression)]);
            assert_eq!(parse_nftables(&rules), Some(true), "{expression}");
        }
    }

    #[test]
    fn what_guards_nothing() {
        let accepting = rule("input", r#"{"accept": null}"#);
        let elsewhere = rule("output", r#"{"drop": null}"#);
        let nat = r#"{"chain": {"family": "ip", "table": "nat", "name": "prerouting", "handle": 1,
            "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}}"#;
        assert_eq!(parse_nftables(&ruleset(&[])), Some(false));
        assert_eq!(parse_nftables(&ruleset(&[nat])), Some(false));
        assert_eq!(
            parse_nftables(&ruleset(&[OPEN_INPUT, &accepting, &elsewhere])),
            Some(false)
        );
    }

    #[test]
    fn an_odd_answer_says_nothing() {
        for text in ["", "{}", "[]", r#"{"nftables": 1}"#] {
            assert_eq!(parse_nftables(text), None, "{text}");
        }
        assert_eq!(
            parse_nftables(r#"{"nftables": [1, {"chain": null}, {"rule": 7}]}"#),
            Some(false)
        );
    }

    #[test]
    fn legacy_rules() {
        assert!(!parse_iptables("-P INPUT ACCEPT\n"));
        assert!(parse_iptables("-P INPUT DROP\n"));
        assert!(parse_iptables(
            "-P INPUT ACCEPT\n-A INPUT -p tcp --dport 23 -j DROP\n"
        ));
    }

    #[test]
    fn ufw_settings() {
        assert!(parse_ufw(
            "# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n"
        ));
        assert!(!parse_ufw("ENABLED=no\n"));
    }
}
