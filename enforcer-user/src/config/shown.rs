//! A configuration as it is shown: what differs from the defaults, or all of it, and never a secret.

use serde_json::{Map, Value};

use super::Config;

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// Ends of keys whose values are secrets. That a key names a file is no secret.
const SECRETS: [&str; 5] = ["token", "secret", "password", "passphrase", "psk"];

/// The configuration as keys and values: every one with `effective`, else those that are not as by default.
pub fn shown(config: &Config, effective: bool) -> Map<String, Value> {
    let mut all = tree(config);
    hide(&mut all);
    if effective {
        return all;
    }
    let mut default = tree(&Config::default());
    hide(&mut default);
    all.retain(|key, value| !prune(value, default.get(key)));
    all
}

/// The keys, as paths, whose values are not the same in both: at most down to the key of a section.
pub fn changed(one: &Config, other: &Config) -> Vec<String> {
    let (one, other) = (tree(one), tree(other));
    let mut changed = Vec::new();
    let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    for key in keys {
        match (one.get(key), other.get(key)) {
            (Some(Value::Object(one)), Some(Value::Object(other))) => {
                let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
                let differs = keys
                    .into_iter()
                    .filter(|inner| one.get(*inner) != other.get(*inner));
                changed.extend(differs.map(|inner| format!("{key}.{inner}")));
            }
            (one, other) if one != other => changed.push(key.clone()),
            _ => {}
        }
    }
    changed
}

fn tree(config: &Config) -> Map<String, Value> {
    // Everything that can be read from a file can be written: a test holds that.
    match serde_json::to_value(config) {
        Ok(Value::Object(mut all)) => {
            all.values_mut().for_each(drop_absent);
            all.retain(|_, value| !value.is_null());
            all
        }
        _ => Map::new(),
    }
}

/// TOML has no word for what is absent.
fn drop_absent(value: &mut Value) {
    match value {
        Value::Object(inner) => {
            inner.values_mut().for_each(drop_absent);
            inner.retain(|_, value| !value.is_null());
        }
        Value::Array(rows) => rows.iter_mut().for_each(drop_absent),
        _ => {}
    }
}

fn hide(all: &mut Map<String, Value>) {
    for (key, value) in all {
        match value {
            _ if SECRETS.iter().any(|secret| key.ends_with(secret)) => *value = HIDDEN.into(),
            Value::Object(inner) => hide(inner),
            Value::Array(rows) => rows
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(hide),
            _ => {}
        }
    }
}

/// Takes out what is as by default. Whether nothing is left.
fn prune(value: &mut Value, default: Option<&Value>) -> bool {
    match (value, default) {
        (Value::Object(inner), Some(Value::Object(default))) => {
            inner.retain(|key, value| !prune(value, default.get(key)));
            inner.is_empty()
        }
        (value, default) => Some(&*value) == default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EXAMPLE;

    fn parse(text: &str) -> Config {
        let config = Config::parse("e.toml".as_ref(), text).expect("a configuration");
        Config {
            places: crate::config::Places::default(),
            ..config
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let text = "
            mode = 'enforce'
            operators = ['192.0.2.7']
            [[interface]]
            name = 'lan0'
            [[interface.vlan]]
            id = 10
            [[service]]
            to = ['192.0.2.1']
            protocol = 'udp'
            ports = ['8000-8010']
            [role.guests]
            default = 'allow'
            [[role.guests.rule]]
            to = ['198.51.100.0/24']
            action = 'deny'
            [management]
            lease = '1m 30s'
            url = 'https://192.0.2.1:8443'
            pin = 'sha256:0000000000000000000000000000000000000000000000000000000000000000'
            token_file = '/etc/enforcer/token'
            [portal]
            help_url = 'https://help.example/'
        ";
        let several = "
            startup = 'last-known'
            [[interface]]
            name = 'lan0'
            [fail]
            default = 'open'
            no_answer = 'closed'
            [management]
            priority = 3
            max_shrink = '10%'
            [[management.server]]
            url = 'https://192.0.2.1:8443'
            pin = 'sha256:0000000000000000000000000000000000000000000000000000000000000000'
            client_certificate = '/etc/enforcer/gateway.crt'
            client_key = '/etc/enforcer/gateway.key'
            [nat]
            shared_addresses = 'first'
            [[nat.static]]
            outside = '198.51.100.1'
            ports = '1024-2047'
            host = '10.0.0.7'
            zone = 'lan'
            [[source.file]]
            name = 'printers'
            path = '/etc/enforcer/printers.csv'
            lease = '1h'
            max_shrink = '50%'
            [[source.file]]
            name = 'phones'
            path = '/etc/enforcer/phones.csv'
            [role.quarantine]
            track = 'log'
            [[alert]]
            name = 'a'
            kind = 'mail'
            server = 'mail.example.com'
            tls = 'none'
            from = 'a@example.com'
            to = ['b@example.com']
            login = 'gateway'
            password_file = '/etc/enforcer/mail.password'
            [[alert]]
            name = 'b'
            kind = 'webhook'
            url = 'https://example.com/'
            key_file = '/etc/enforcer/webhook.key'
            roles = ['denied']
            per_minute = 5
            [[alert]]
            name = 'c'
            kind = 'command'
            command = ['/bin/true', 'x y']
            limit = '1s'
            user = 'nobody'
        ";
        for text in [text, several, EXAMPLE] {
            let config = parse(text);
            for effective in [false, true] {
                let shown = toml::to_string(&shown(&config, effective)).expect("TOML");
                assert_eq!(parse(&shown), config, "{shown}");
            }
        }
    }

    #[test]
    fn what_is_as_by_default_is_left_out() {
        let shown = shown(
            &parse("mode = 'monitor'\n[limits]\nreplies_per_second = 7"),
            false,
        );
        let expected = serde_json::json!({ "limits": { "replies_per_second": 7 } });
        assert_eq!(Value::Object(shown), expected);
    }

    #[test]
    fn no_secret_is_shown() {
        let url = "[portal]\nhelp_url = 'https://ada:lovelace@help.example/'";
        let shown = shown(&parse(url), true);
        assert_eq!(
            shown["portal"]["help_url"],
            "https://ada:hidden@help.example/"
        );
        let mut all = serde_json::json!({
            "x": { "api_token": "abc", "token_file": "/t" },
            "y": [{ "psk": [1, 2] }],
        });
        hide(all.as_object_mut().expect("an object"));
        let expected = serde_json::json!({
            "x": { "api_token": HIDDEN, "token_file": "/t" },
            "y": [{ "psk": HIDDEN }],
        });
        assert_eq!(all, expected);
    }

    #[test]
    fn what_changed_is_named() {
        let (one, other) = (
            parse(
                "mode = 'monitor'\n[role.a]\ndefault = 'allow'\n[limits]\nreplies_per_second = 7",
            ),
            parse(
                "mode = 'enforce'\n[role.b]\ndefault = 'allow'\n[limits]\nreplies_per_second = 8",
            ),
        );
        let expected = ["limits.replies_per_second", "mode", "role.a", "role.b"];
        assert_eq!(changed(&one, &other), expected);
        assert!(changed(&one, &one).is_empty());
    }
}
