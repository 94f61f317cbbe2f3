use std::{
    fs::{self, OpenOptions},
    io::Write,
};

use tempfile::TempDir;

use super::*;

/// A few entries long.
const SMALL: u64 = 1500;

fn write(audit: &Audit, details: &str) {
    record(audit, details).expect("written down");
}

fn record(audit: &Audit, details: &str) -> Result<(), AuditError> {
    let who = &Operator {
        uid: 1000,
        name: "ann".to_owned(),
        pid: None,
    };
    audit.record(&Deed {
        time: Timestamp::UNIX_EPOCH,
        who,
        action: "except",
        object: "office 10.0.0.5",
        details,
    })
}

/// A log of this many entries.
fn log_of(entries: u64, largest: u64) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let audit = Audit::with_files_of(dir.path(), largest);
    for entry in 1..=entries {
        write(&audit, &format!("the reason {entry}"));
    }
    dir
}

fn verified(dir: &TempDir) -> Result<Verified, VerifyError> {
    verify(&files(dir.path()).expect("files"))
}

/// The line that does not fit and why, after the lines of the only file were changed.
fn found(change: impl FnOnce(&mut Vec<String>)) -> (u64, Fault) {
    let dir = log_of(6, LARGEST);
    let path = dir.path().join(FILE);
    let text = fs::read_to_string(&path).expect("a log");
    let mut lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
    change(&mut lines);
    fs::write(&path, lines.concat()).expect("a write");
    match verified(&dir) {
        Err(VerifyError::Fault { line, fault, .. }) => (line, fault),
        other => panic!("{other:?}"),
    }
}

fn entries(dir: &TempDir) -> Vec<Entry> {
    let mut entries = Vec::new();
    for path in files(dir.path()).expect("files") {
        for line in Lines::open(&path).expect("a file") {
            entries.push(serde_json::from_slice(&line.expect("a line").text).expect("an entry"));
        }
    }
    entries
}

#[test]
fn what_was_written_fits() {
    let dir = log_of(6, LARGEST);
    let verified = verified(&dir).expect("fits");
    assert_eq!((verified.files, verified.entries), (1, 6));
    assert_eq!((verified.first, verified.last), (1, 6));
    let entries = entries(&dir);
    let last = entries.last().expect("one");
    assert_eq!((last.seq, &*last.details), (6, "the reason 6"));
    assert_eq!((last.who.uid, &*last.action), (1000, "except"));
}

#[test]
fn a_changed_line_is_found() {
    let changed = |lines: &mut Vec<String>| lines[2] = lines[2].replace("reason 3", "reason 7");
    assert_eq!(found(changed), (3, Fault::Changed));
}

#[test]
fn a_line_that_was_changed_with_its_hash_is_found_by_the_next() {
    let forged = |lines: &mut Vec<String>| {
        let (before, prev) = entry::read(lines[1].trim_end().as_bytes()).expect("sound");
        let link = Link {
            seq: before.seq - 1,
            hash: prev,
        };
        let deed = serde_json::json!({ "action": "nothing" });
        lines[1] = link.line(&deed).expect("a line").0;
    };
    assert_eq!(found(forged), (3, Fault::Stranger));
}

#[test]
fn a_removed_line_is_found() {
    let removed = |lines: &mut Vec<String>| _ = lines.remove(3);
    let (due, number) = (4, 5);
    assert_eq!(found(removed), (4, Fault::Number { due, found: number }));
}

#[test]
fn reordered_lines_are_found() {
    let (due, number) = (2, 3);
    let reordered = |lines: &mut Vec<String>| lines.swap(1, 2);
    assert_eq!(found(reordered), (2, Fault::Number { due, found: number }));
}

#[test]
fn a_cut_line_is_found() {
    let cut = |lines: &mut Vec<String>| lines[5].truncate(100);
    assert_eq!(found(cut), (6, Fault::Cut));
    let cut_within = |lines: &mut Vec<String>| lines[2].replace_range(100.., "\n");
    assert_eq!(found(cut_within), (3, Fault::NoEntry));
}

#[test]
fn what_is_no_entry_is_found() {
    let foreign = |lines: &mut Vec<String>| lines[0] = "{\"action\":\"except\"}\n".to_owned();
    assert_eq!(found(foreign), (1, Fault::NoEntry));
    let long = |lines: &mut Vec<String>| lines[4] = "x".repeat(2 << 20);
    assert_eq!(found(long), (5, Fault::TooLong));
}

#[test]
fn the_chain_goes_on_across_files_and_processes() {
    let dir = log_of(20, SMALL);
    let audit = Audit::with_files_of(dir.path(), SMALL);
    write(&audit, "by the next process");
    let found = verified(&dir).expect("fits");
    assert_eq!((found.entries, found.last), (21, 21));
    assert!(found.files >= 5, "{found:?}");
    for path in files(dir.path()).expect("files") {
        let size = fs::metadata(&path).expect("a file").len();
        assert!(size <= SMALL, "{} has {size} bytes", path.display());
    }
    // A process that ends between the two steps of a change of files.
    let written = dir.path().join(FILE);
    fs::rename(&written, dir.path().join(files::full(21))).expect("a rename");
    let audit = Audit::with_files_of(dir.path(), SMALL);
    write(&audit, "after that");
    assert_eq!(verified(&dir).expect("fits").last, 22);
}

#[test]
fn a_missing_file_is_found() {
    let dir = log_of(20, SMALL);
    let all = files(dir.path()).expect("files");
    fs::remove_file(&all[1]).expect("a file");
    match verified(&dir) {
        Err(VerifyError::Fault { path, line, fault }) => {
            assert_eq!((path, line), (all[2].clone(), 1));
            assert!(matches!(fault, Fault::Number { .. }), "{fault}");
        }
        other => panic!("{other:?}"),
    }
    // Those before may be kept elsewhere, and it is said where it begins.
    let rest = verify(&all[2..]).expect("fits");
    assert!(rest.first > 1, "{rest:?}");
}

#[test]
fn the_chain_goes_on_after_a_cut_line_with_a_note_of_it() {
    for cut in [1, 60, 200] {
        let dir = log_of(3, LARGEST);
        let path = dir.path().join(FILE);
        let text = fs::read_to_string(&path).expect("a log");
        let line = text.lines().last().expect("a line");
        let mut file = OpenOptions::new().append(true).open(&path).expect("a log");
        file.write_all(&line.as_bytes()[..cut]).expect("a write");
        assert!(verified(&dir).is_err());
        let audit = Audit::open(dir.path());
        write(&audit, "afterwards");
        assert_eq!(verified(&dir).expect("fits").entries, 5);
        let entries = entries(&dir);
        assert_eq!(entries[3].action, "cut");
        assert!(
            entries[3].details.contains(&line[..cut]),
            "{:?}",
            entries[3]
        );
        assert_eq!(entries[4].details, "afterwards");
    }
}

#[test]
fn what_is_taken_away_while_it_runs_is_missing_in_the_chain() {
    let dir = log_of(3, LARGEST);
    let audit = Audit::open(dir.path());
    write(&audit, "the fourth");
    let path = dir.path().join(FILE);
    let text = fs::read_to_string(&path).expect("a log");
    let three: String = text.split_inclusive('\n').take(3).collect();
    fs::write(&path, three).expect("a write");
    write(&audit, "the fifth");
    let error = verified(&dir)
        .expect_err("the fourth is missing")
        .to_string();
    assert!(
        error.contains("audit.jsonl:4: it has the number 5"),
        "{error}"
    );
    fs::remove_file(&path).expect("a log");
    write(&audit, "the sixth");
    assert_eq!(verified(&dir).expect("one entry").first, 6);
}

#[test]
fn nothing_follows_a_last_line_that_is_none() {
    let dir = log_of(3, LARGEST);
    let path = dir.path().join(FILE);
    let text = fs::read_to_string(&path).expect("a log");
    fs::write(&path, text.replace("reason 3", "reason 4")).expect("a write");
    let audit = Audit::open(dir.path());
    let error = record(&audit, "refused").expect_err("refused").to_string();
    assert!(
        error.contains("audit.jsonl is damaged at line 3"),
        "{error}"
    );
    assert_eq!(audit.failures(), 2);
    fs::rename(&path, dir.path().join("damaged")).expect("a rename");
    write(&audit, "the first of another");
    assert_eq!(verified(&dir).expect("fits").entries, 1);
}

#[test]
fn a_fault_in_the_middle_keeps_nobody_from_going_on() {
    let dir = log_of(3, LARGEST);
    let path = dir.path().join(FILE);
    let text = fs::read_to_string(&path).expect("a log");
    fs::write(&path, text.replace("reason 2", "reason 4")).expect("a write");
    let audit = Audit::open(dir.path());
    write(&audit, "the fourth");
    let error = verified(&dir).expect_err("still found").to_string();
    assert!(error.contains("audit.jsonl:2: it was changed"), "{error}");
    assert_eq!(entries(&dir).last().expect("one").seq, 4);
}

#[test]
fn a_directory_that_is_not_there_refuses_deeds_until_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let below = dir.path().join("below");
    let audit = Audit::open(&below);
    let error = record(&audit, "refused").expect_err("refused").to_string();
    assert!(error.contains("below/audit.jsonl"), "{error}");
    fs::create_dir(&below).expect("a directory");
    write(&audit, "now");
}
