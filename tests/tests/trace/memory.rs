//! A capture of any size takes the same memory.

use std::{
    fs,
    io::{BufWriter, Read, Write},
    process::Stdio,
    thread,
};

use anyhow::{Context, Result};
use enforcer_tests::{
    capture::{ETHERNET, Order, Pcap},
    fixture::{self, v4},
    trace::Desk,
};

/// So much goes through the pipe.
const BYTES: usize = 512 << 20;

/// What a trace takes at most: program, tables, and the buffer of the reader.
const MOST_KIB: u64 = 96 << 10;

/// The most memory that a process has had so far, in KiB.
fn peak(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmHWM")?.parse()?)
}

/// Packets that no test run takes, so that reading them is all that costs time, and one that is judged behind
/// each of them.
#[test]
fn half_a_gigabyte_through_a_pipe() -> Result<()> {
    let desk = Desk::new()?;
    let mut child = desk
        .command(&["--pcap", "-"])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut input = BufWriter::new(child.stdin.take().context("an input")?);
    let mut output = child.stdout.take().context("an output")?;
    let read = thread::spawn(move || {
        let mut text = String::new();
        output
            .read_to_string(&mut text)
            .map(|_| text.lines().count())
    });
    input.write_all(&Pcap::new(Order::Little, false, ETHERNET).bytes())?;
    let packets = [vec![0; 1 << 20], fixture::ping(v4(10), v4(99))];
    let some = Pcap::of(&packets);
    let rounds = BYTES / some.len();
    for _ in 0..rounds {
        input.write_all(&some[24..])?;
    }
    input.flush()?;
    let peak = peak(child.id())?;
    drop(input);
    let done = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    let lines = read.join().ok().context("a reader")??;
    assert_eq!(lines, 2 * rounds, "{said}");
    assert!(
        said.contains(&format!("not judged: {rounds} of {lines} packets")),
        "{said}"
    );
    assert!(peak < MOST_KIB, "{peak} KiB");
    println!("{peak} KiB for {} MiB", BYTES >> 20);
    Ok(())
}
