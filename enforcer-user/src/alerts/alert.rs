//! What is told: the same in the log, in mail, to webhooks and to commands.

use std::{collections::BTreeMap, fmt, net::IpAddr, sync::OnceLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of the fields.
const VERSION: u8 = 1;

/// The longest text that others wrote.
const LONGEST: usize = 256;

/// The most reasons of one host.
const REASONS: usize = 16;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A host came under a role.
    Decision,
    /// A host was stopped under it for the first time.
    Stop,
    /// More happened than is told one by one.
    Summary,
    /// An operator wants to know whether alerts arrive.
    Test,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decision => "decision",
            Self::Stop => "stop",
            Self::Summary => "summary",
            Self::Test => "test",
        })
    }
}

/// One alert. Programs of others read these fields: none changes its meaning, and what is added is absent where it means
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The version of the fields.
    pub version: u8,
    /// The same whenever this alert is sent again.
    pub id: Uuid,
    /// The name of the gateway's machine.
    pub gateway: String,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub event: Event,
    /// The host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<IpAddr>,
    /// Its zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its role before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_before: Option<String>,
    /// Whose decision it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The endpoint's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The rules of the policy that it fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Why the packet was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// What was done to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Where it was going, or came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// The port there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The number of its protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// Whether it passed, since the stop was only counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitored: Option<bool>,
    /// Of a summary: how many are not told one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Of a summary: the same by role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, u64>,
    /// All of it in a sentence.
    pub message: String,
}

/// The host that an alert is about, and what is known of it.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Its zone.
    pub zone: String,
    /// Its role.
    pub role: String,
    /// Whose decision that is.
    pub source: Option<String>,
    /// The endpoint's name.
    pub endpoint: Option<String>,
    /// Who uses it.
    pub owner: Option<String>,
    /// The rules of the policy that it fails.
    pub reasons: Vec<String>,
}

impl Alert {
    /// One about nothing yet.
    pub(super) fn new(event: Event, message: &str) -> Self {
        Self {
            version: VERSION,
            id: Uuid::new_v4(),
            gateway: name_of_machine(),
            time: Timestamp::now(),
            event,
            host: None,
            zone: None,
            role: None,
            role_before: None,
            source: None,
            endpoint: None,
            owner: None,
            reasons: Vec::new(),
            stop_reason: None,
            verdict: None,
            remote: None,
            port: None,
            protocol: None,
            monitored: None,
            count: None,
            roles: BTreeMap::new(),
            message: cleaned(message),
        }
    }

    /// One about a host.
    pub fn about(event: Event, host: IpAddr, subject: Subject, what: &str) -> Self {
        let Subject {
            zone,
            role,
            source,
            endpoint,
            owner,
            reasons,
        } = subject;
        let endpoint = endpoint.as_deref().map(cleaned);
        let named = endpoint
            .as_ref()
            .map_or(String::new(), |name| format!(" ({name})"));
        let message = format!("{host}{named} in the zone {zone} {what}");
        let reasons = reasons.iter().take(REASONS);
        Self {
            host: Some(host),
            zone: Some(zone),
            role: Some(role),
            source,
            endpoint,
            owner: owner.as_deref().map(cleaned),
            reasons: reasons.map(|reason| cleaned(reason)).collect(),
            ..Self::new(event, &message)
        }
    }

    /// The fields as text, by name; those of a list between commas.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        use serde_json::Value;
        // A struct of plain fields.
        let Ok(Value::Object(fields)) = serde_json::to_value(self) else {
            return Vec::new();
        };
        let text = |value: Value| match value {
            Value::String(text) => text,
            Value::Array(words) => {
                let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
                words.join(",")
            }
            other => other.to_string(),
        };
        fields
            .into_iter()
            .map(|(name, value)| (name, text(value)))
            .collect()
    }
}

/// Read once: alerts are made where decisions are.
fn name_of_machine() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    let read = || {
        let name = nix::unistd::gethostname().ok();
        let name = name.and_then(|name| name.into_string().ok());
        name.filter(|name| !name.is_empty())
            .unwrap_or_else(|| "gateway".to_owned())
    };
    NAME.get_or_init(read).clone()
}

/// A text that others wrote, cut to what is read, without what a terminal, a mail server or an environment would take for
/// something else.
pub(super) fn cleaned(text: &str) -> String {
    let harmless = |one: char| {
        if one.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            one
        }
    };
    text.chars().take(LONGEST).map(harmless).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An alert about a host of this role.
    pub(in super::super) fn alert(role: &str) -> Alert {
        let subject = Subject {
            zone: "lan".to_owned(),
            role: role.to_owned(),
            endpoint: Some("laptop\r\nBcc: all@example.com\0".to_owned()),
            reasons: vec!["firewall".to_owned(), "updates".to_owned()],
            ..Subject::default()
        };
        let host = [192, 0, 2, 11].into();
        Alert::about(Event::Decision, host, subject, "came under it")
    }

    #[test]
    fn what_others_wrote_is_harmless_and_short() {
        let alert = alert("quarantine");
        let name = "laptop\u{fffd}\u{fffd}Bcc: all@example.com\u{fffd}";
        assert_eq!(alert.endpoint.as_deref(), Some(name));
        assert_eq!(
            alert.message,
            format!("192.0.2.11 ({name}) in the zone lan came under it")
        );
        assert_eq!(cleaned(&"ä".repeat(10_000)).chars().count(), LONGEST);
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let alert = alert("quarantine");
        let text = serde_json::to_string(&alert).expect("JSON");
        assert!(!text.contains("null"), "{text}");
        let again: Alert = serde_json::from_str(&text).expect("an alert");
        assert_eq!(again, alert);
    }

    #[test]
    fn fields_are_text() {
        let mut alert = alert("quarantine");
        (alert.port, alert.monitored) = (Some(80), Some(true));
        let fields = alert.fields();
        for (name, text) in [
            ("event", "decision"),
            ("host", "192.0.2.11"),
            ("reasons", "firewall,updates"),
            ("port", "80"),
            ("monitored", "true"),
        ] {
            let found = fields.iter().find(|(found, _)| found == name);
            assert_eq!(found.map(|(_, text)| text.as_str()), Some(text), "{name}");
        }
    }
}
