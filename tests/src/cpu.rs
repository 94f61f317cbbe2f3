//! Choosing the CPU that a program runs on: `BPF_PROG_TEST_RUN` takes the one of the calling thread.

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// The CPUs that this process may run on.
pub fn all_of_this_process() -> anyhow::Result<Vec<usize>> {
    // The main thread, which is never pinned.
    let set = sched_getaffinity(Pid::this())?;
    Ok((0..CpuSet::count())
        .filter(|cpu| set.is_set(*cpu).unwrap_or(false))
        .collect())
}

/// Lets this thread run on this CPU alone.
pub fn pin(cpu: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}
