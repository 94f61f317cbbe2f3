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

/// A batch that is not in force as a whole.
#[derive(Debug)]
pub struct Partial {
    /// The places of the rows that are not in force.
    pub refused: Vec<usize>,
    /// Why the last of them is not.
    pub error: io::Error,
}

/// Writes `keys[i] → values[i]`, creating or replacing rows. A row that finds the table full keeps no
/// other from being written.
pub fn update<K: Pod, V: Pod>(
    map: BorrowedFd<'_>,
    keys: &[K],
    values: &[V],
) -> Result<(), Partial> {
    assert_eq!(keys.len(), values.len());
    let (mut next, mut refused, mut why) = (0, Vec::new(), None);
    while next < keys.len() {
        let end = keys.len().min(next + CHUNK);
        let (count, result) = call(
            bpf_cmd::BPF_MAP_UPDATE_BATCH,
            map,
            keys[next..end].as_ptr().cast(),
            values[next..end].as_ptr().cast(),
            end - next,
        );
        next += count;
        let Err(error) = result else { continue };
        // The row behind the last one that was written has no room: go on behind it.
        let behind = match error.raw_os_error() {
            Some(libc::E2BIG) => next + 1,
            _ => keys.len(),
        };
        refused.extend(next..behind);
        next = behind;
        why = Some(error);
    }
    why.map_or(Ok(()), |error| Err(Partial { refused, error }))
}

/// Removes rows; those that are not there are passed over.
pub fn remove<K: Pod>(map: BorrowedFd<'_>, keys: &[K]) -> Result<(), Partial> {
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
            Err(error) => {
                let refused = (done..keys.len()).collect();
                return Err(Partial { refused, error });
            }
        }
    }
    Ok(())
}

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
