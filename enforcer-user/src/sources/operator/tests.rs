use std::fs;

use enforcer_common::host::Address;
use jiff::ToSpan;
use tempfile::TempDir;

use super::*;
use crate::audit;

const HOST: Host = Host {
    zone: 1,
    address: Address::v4([10, 0, 0, 5]),
};

fn names() -> Names {
    Names {
        zones: Zones::new(["office".to_owned(), "lab".to_owned()]),
        roles: RoleId::BUILT_IN
            .map(|(role, name)| (name.to_owned(), role))
            .into(),
    }
}

fn open(dir: &TempDir, now: Timestamp) -> Result<Exceptions, OperatorError> {
    let audit = Audit::open(dir.path());
    Exceptions::open(dir.path(), names(), audit, now)
}

fn operator() -> Operator {
    Operator {
        uid: 1000,
        name: "ann".to_owned(),
        pid: None,
    }
}

fn denied(until: Option<Timestamp>) -> Exception {
    Exception {
        role: RoleId::DENIED,
        reason: "stolen".to_owned(),
        by: operator(),
        since: Timestamp::UNIX_EPOCH,
        until,
    }
}

fn actions(dir: &TempDir) -> Vec<String> {
    let log = fs::read_to_string(dir.path().join(audit::FILE)).expect("an audit log");
    let deed = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    let action = |line| deed(line)["action"].as_str().expect("a word").to_owned();
    log.lines().map(action).collect()
}

#[test]
fn exceptions_outlive_the_process_and_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let (start, end) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + 1.hour());
    let mut exceptions = open(&dir, start).expect("nothing stored");
    exceptions.except(HOST, &denied(Some(end))).expect("stored");
    drop(exceptions);
    let mut exceptions = open(&dir, start).expect("one stored");
    assert_eq!(
        exceptions.active().collect::<Vec<_>>(),
        [(HOST, denied(Some(end)))]
    );
    exceptions.expire(end).expect("stored");
    assert_eq!(exceptions.active().count(), 0);
    assert_eq!(open(&dir, start).expect("none stored").active().count(), 0);
}

#[test]
fn a_release_is_written_down_and_needs_an_exception() {
    let dir = tempfile::tempdir().expect("a directory");
    let now = Timestamp::UNIX_EPOCH;
    let mut exceptions = open(&dir, now).expect("nothing stored");
    exceptions.except(HOST, &denied(None)).expect("stored");
    exceptions
        .release(HOST, &operator(), "found", now)
        .expect("stored");
    let again = exceptions.release(HOST, &operator(), "found", now);
    assert!(
        matches!(again, Err(OperatorError::None { .. })),
        "{again:?}"
    );
    assert_eq!(actions(&dir), ["except", "release"]);
    assert_eq!(open(&dir, now).expect("none stored").active().count(), 0);
}

#[test]
fn a_corrupted_file_is_kept_aside() {
    let dir = tempfile::tempdir().expect("a directory");
    let now = Timestamp::UNIX_EPOCH;
    let mut exceptions = open(&dir, now).expect("nothing stored");
    exceptions.except(HOST, &denied(None)).expect("stored");
    let path = dir.path().join(FILE);
    let text = fs::read_to_string(&path).expect("stored");
    let half = &text[..text.len() / 2];
    fs::write(&path, half).expect("a write");
    assert_eq!(open(&dir, now).expect("kept aside").active().count(), 0);
    let aside = dir.path().join("exceptions.json.corrupt-0");
    assert_eq!(fs::read_to_string(aside).expect("kept"), half);
    assert!(!path.exists());
}

#[test]
fn a_file_of_another_version_is_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(FILE);
    fs::write(&path, r#"{"version":2,"entries":{}}"#).expect("a write");
    let refused = open(&dir, Timestamp::UNIX_EPOCH).expect_err("refused");
    assert!(refused.to_string().contains("another version"), "{refused}");
    assert!(path.exists());
}

#[test]
fn an_exception_of_a_zone_that_is_gone_is_kept_without_effect() {
    let dir = tempfile::tempdir().expect("a directory");
    let now = Timestamp::UNIX_EPOCH;
    open(&dir, now)
        .expect("empty")
        .except(HOST, &denied(None))
        .expect("stored");
    let only_office = Names {
        zones: Zones::new(["office".to_owned()]),
        ..names()
    };
    let audit = Audit::open(dir.path());
    let mut fewer = Exceptions::open(dir.path(), only_office, audit, now).expect("one stored");
    assert_eq!(fewer.active().count(), 0);
    let office = Host { zone: 0, ..HOST };
    fewer.except(office, &denied(None)).expect("stored");
    assert_eq!(open(&dir, now).expect("two stored").active().count(), 2);
}

#[test]
fn what_cannot_be_stored_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let now = Timestamp::UNIX_EPOCH;
    let mut exceptions = open(&dir, now).expect("nothing stored");
    fs::create_dir(dir.path().join("exceptions.json.new")).expect("in its way");
    let refused = exceptions.except(HOST, &denied(None));
    assert!(
        matches!(refused, Err(OperatorError::File(_))),
        "{refused:?}"
    );
    assert_eq!(exceptions.active().count(), 0);
}
