//! Lines of the decision stream as they are read.
//!
//! serde buffers an enum with an internal tag whole before it knows which variant to read. A snapshot has a line for each
//! host, so they are read into one flat structure instead, of which each message takes its part.

use serde::Deserialize;

use super::{Decision, Message};

/// Every key that any message has.
#[derive(Deserialize)]
pub(super) struct Line {
    r#type: Type,
    revision: Option<u64>,
    count: Option<u64>,
    decision: Option<Decision>,
    endpoint: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    Snapshot,
    Row,
    SnapshotEnd,
    Change,
    Withdraw,
    Heartbeat,
}

/// A message lacks one of its keys.
#[derive(Debug, thiserror::Error)]
#[error("missing field `{0}`")]
pub(super) struct Missing(&'static str);

impl TryFrom<Line> for Message {
    type Error = Missing;

    fn try_from(line: Line) -> Result<Self, Missing> {
        let revision = line.revision.ok_or(Missing("revision"));
        let decision = line.decision.ok_or(Missing("decision"));
        Ok(match line.r#type {
            Type::Snapshot => Self::Snapshot {
                revision: revision?,
                count: line.count.ok_or(Missing("count"))?,
            },
            Type::Row => Self::Row {
                decision: decision?,
            },
            Type::SnapshotEnd => Self::SnapshotEnd {
                revision: revision?,
            },
            Type::Change => Self::Change {
                revision: revision?,
                decision: decision?,
            },
            Type::Withdraw => Self::Withdraw {
                revision: revision?,
                endpoint: line.endpoint.ok_or(Missing("endpoint"))?,
            },
            Type::Heartbeat => Self::Heartbeat {
                revision: revision?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECISION: &str = r#"{
        "endpoint": "a", "name": "laptop", "owner": "me", "zone": "office", "observed": "192.0.2.1:40000",
        "role": "authorized", "level": "safe", "judged_at": "2026-01-01T00:00:00Z"
    }"#;

    #[test]
    fn what_is_written_is_read() {
        let revision = 7;
        let decision: Decision = serde_json::from_str(DECISION).expect("a decision");
        for message in [
            Message::Snapshot { revision, count: 1 },
            Message::Row {
                decision: decision.clone(),
            },
            Message::SnapshotEnd { revision },
            Message::Change { revision, decision },
            Message::Withdraw {
                revision,
                endpoint: "a".to_owned(),
            },
            Message::Heartbeat { revision },
        ] {
            let text = serde_json::to_string(&message).expect("text and numbers");
            let read: Message = serde_json::from_str(&text).expect("the same");
            assert_eq!(read, message, "{text}");
        }
    }

    #[test]
    fn what_lacks_is_named() {
        for (text, lacks) in [
            (r#"{"type":"snapshot","revision":1}"#, "`count`"),
            (r#"{"type":"row"}"#, "`decision`"),
            (r#"{"type":"withdraw","revision":1}"#, "`endpoint`"),
            (r#"{"type":"heartbeat"}"#, "`revision`"),
            (r#"{"revision":1}"#, "`type`"),
            (r#"{"type":"greeting"}"#, "`greeting`"),
        ] {
            let error = serde_json::from_str::<Message>(text).expect_err(text);
            assert!(error.to_string().contains(lacks), "{error}");
        }
    }
}
