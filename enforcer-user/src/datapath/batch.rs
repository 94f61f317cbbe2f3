//! Writing and reading many rows with one system call: the batch operations of bpf(2), which aya does
//! not offer.

use std::{
    io,
    mem::{size_of, zeroed},
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use aya_obj::generated::{bpf_attr, bpf_cmd};
use bytemuck::Pod;

/// Rows in one call: large enough that the call costs nothing beside the rows, small enough that the
/// kernel's copy of it is.
const CHUNK: usize = 4096;

/// How far a batch came.
#[derive(Debug)]
pub struct Stopped {
    /// Rows that are in force.
    pub done: usize,
    /// Why it stopped.
    pub error: io::Error,
}

/// Writes `keys[i] → values[i]`, creating or replacing rows.
pub fn update<K: Pod, V: Pod>(
    map: BorrowedFd<'_>,
    keys: &[K],
    values: &[V],
) -> Result<(), Stopped> {
    assert_eq!(keys.len(), values.len());
    let mut done = 0;
    for (keys, values) in keys.chunks(CHUNK).zip(values.chunks(CHUNK)) {
        let (count, result) = call(
            bpf_cmd::BPF_MAP_UPDATE_BATCH,
            map,
            keys.as_ptr().cast(),
            values.as_ptr().cast(),
            keys.len(),
        );
        done += count;
        result.map_err(|error| Stopped { done, error })?;
    }
    Ok(())
}

/// Removes rows; those that are not there are passed over.
pub fn remove<K: Pod>(map: BorrowedFd<'_>, keys: &[K]) -> Result<(), Stopped> {
    let mut done = 0;
    while done < keys.len() {
        let chunk = &keys[done..keys.len().min(done + CHUNK)];
        let (count, result) = call(
            bpf_cmd::BPF_MAP_DELETE_BATCH,
            map,
            chunk.as_ptr().cast(),
            std::ptr::null(),
            chunk.len(),
        );
        done += count;
        match result {
            Ok(()) => {}
            // The row behind the last one that was removed is not there: go on behind it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => done += 1,
            Err(error) => return Err(Stopped { done, error }),
        }
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "descriptors are not negative, and a chunk has at most `CHUNK` rows"
)]
fn call(
    command: bpf_cmd,
    map: BorrowedFd<'_>,
    keys: *const u8,
    values: *const u8,
    count: usize,
) -> (usize, io::Result<()>) {
    // SAFETY: all zeros is a valid `bpf_attr`; the kernel demands zeros in what is not used.
    let mut attr: bpf_attr = unsafe { zeroed() };
    attr.batch.map_fd = map.as_fd().as_raw_fd() as u32;
    attr.batch.keys = keys as u64;
    attr.batch.values = values as u64;
    attr.batch.count = count as u32;
    // SAFETY: `attr` is valid and of the given size; keys and values point to `count` rows, whose
    // sizes are those of the map (the typed callers in `hosts` see to it), and outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command as libc::c_long,
            &raw mut attr,
            size_of::<bpf_attr>(),
        )
    };
    // SAFETY: the kernel wrote the field back; every bit pattern of it is valid.
    let done = unsafe { attr.batch.count } as usize;
    if result == 0 {
        return (done, Ok(()));
    }
    let error = io::Error::last_os_error();
    // After EFAULT the count is whatever was passed in (kernel/bpf/syscall.c).
    let done = if error.raw_os_error() == Some(libc::EFAULT) {
        0
    } else {
        done.min(count)
    };
    (done, Err(error))
}
