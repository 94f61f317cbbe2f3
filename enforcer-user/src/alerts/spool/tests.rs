use super::{super::alert::tests::alert, *};

const ROOM: Bounds = Bounds {
    count: 100,
    bytes: 1 << 20,
};

/// The roles of those that wait, in their order.
fn roles(spool: &Spool) -> Vec<String> {
    let entries = spool.entries.iter();
    let alerts = entries.map(|entry| spool.read(entry.number).expect("an alert"));
    alerts.filter_map(|alert| alert.role).collect()
}

fn open(directory: &Path, bounds: Bounds) -> Spool {
    let (spool, trouble) = Spool::open(directory.to_owned(), bounds);
    assert!(trouble.is_none(), "{trouble:?}");
    spool
}

#[test]
fn what_waits_outlives_the_process_in_its_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = folder.path().join("deep/a");
    let mut spool = open(&directory, ROOM);
    for role in ["a", "b", "c"] {
        assert_eq!(spool.put(&alert(role), None).given_up, 0);
    }
    let first = spool.first().expect("one that waits");
    assert!(spool.remove(first));
    assert!(!spool.remove(first), "once");
    // What was left by a process that ended within a file.
    fs::write(directory.join(UNFINISHED), "{\"vers").expect("a file");
    let mut again = open(&directory, ROOM);
    assert_eq!(roles(&again), ["b", "c"]);
    let expected = spool.read(2).expect("an alert");
    assert_eq!(again.read(2).expect("an alert").id, expected.id);
    again.put(&alert("d"), None);
    assert_eq!(roles(&open(&directory, ROOM)), ["b", "c", "d"]);
    assert_eq!(count(&directory), 3);
}

#[test]
fn of_too_many_the_oldest_goes_unless_it_is_being_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let bounds = Bounds { count: 2, ..ROOM };
    let mut spool = open(folder.path(), bounds);
    let given_up = ["a", "b", "c"].map(|role| spool.put(&alert(role), None).given_up);
    assert_eq!(given_up, [0, 0, 1]);
    assert_eq!(roles(&spool), ["b", "c"]);
    assert_eq!(spool.put(&alert("d"), spool.first()).given_up, 1);
    assert_eq!(roles(&spool), ["b", "d"]);
    assert_eq!(count(folder.path()), 2);
}

#[test]
fn of_too_much_the_oldest_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let size = serde_json::to_vec(&alert("a")).expect("JSON").len() as u64;
    let bytes = size * 2 + size / 2;
    let mut spool = open(folder.path(), Bounds { bytes, ..ROOM });
    let given_up = ["a", "b", "c"].map(|role| spool.put(&alert(role), None).given_up);
    assert_eq!(given_up, [0, 0, 1]);
    assert_eq!(roles(&spool), ["b", "c"]);
}

#[test]
fn what_the_disk_does_not_take_waits_in_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = folder.path().join("a");
    // A file is where the directory should be.
    fs::write(&directory, "").expect("a file");
    let (mut spool, trouble) = Spool::open(directory.clone(), ROOM);
    assert!(trouble.is_some());
    for role in ["a", "b"] {
        assert!(spool.put(&alert(role), None).trouble.is_some());
    }
    assert_eq!(roles(&spool), ["a", "b"]);
    fs::remove_file(&directory).expect("it goes");
    assert!(spool.put(&alert("c"), None).trouble.is_none());
    assert_eq!(roles(&open(&directory, ROOM)), ["a", "b", "c"]);
}

#[test]
fn a_damaged_file_is_no_alert() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(path(folder.path(), 7), "{}").expect("a file");
    let spool = open(folder.path(), ROOM);
    assert_eq!(spool.first(), Some(7));
    assert!(matches!(spool.read(7), Err(SpoolError::Damaged(_))));
}
