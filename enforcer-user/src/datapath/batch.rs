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

/// Rows that the kernel did not take.
#[derive(Debug)]
pub struct Refused {
    /// Their places in what was handed over.
    pub rows: Vec<usize>,
    /// Why the first of them was refused.
    pub error: io::Error,
}

/// Writes `keys[i] → values[i]`, creating or replacing rows. A row that is refused does not keep the rows
/// behind it from being written: a full table takes no new host, and still every change of the others.
pub fn update<K: Pod, V: Pod>(
    map: BorrowedFd<'_>,
    keys: &[K],
    values: &[V],
) -> Result<(), Refused> {
    assert_eq!(keys.len(), values.len());
    let mut refused: Option<Refused> = None;
    let mut start = 0;
    while start < keys.len() {
        let end = keys.len().min(start + CHUNK);
        let (done, result) = call(
            bpf_cmd::BPF_MAP_UPDATE_BATCH,
            map,
            keys[start..end].as_ptr().cast(),
            values[start..end].as_ptr().cast(),
            end - start,
        );
        start += done;
        let Err(error) = result else { continue };
        let passing = is_passing(&error);
        let last = if passing { start + 1 } else { keys.len() };
        let refused = refused.get_or_insert_with(|| Refused {
            rows: Vec::new(),
            error,
        });
        refused.rows.extend(start..last);
        start = last;
    }
    refused.map_or(Ok(()), Err)
}

/// Whether an error is about one row and not about the call.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::E2BIG | libc::ENOMEM | libc::EBUSY | libc::EAGAIN)
    )
}

/// Removes rows; those that are not there are passed over.
pub fn remove<K: Pod>(map: BorrowedFd<'_>, keys: &[K]) -> Result<(), Refused> {
    let mut start = 0;
    while start < keys.len() {
        let end = keys.len().min(start + CHUNK);
        let (done, result) = call(
            bpf_cmd::BPF_MAP_DELETE_BATCH,
            map,
            keys[start..end].as_ptr().cast(),
            std::ptr::null(),
            end - start,
        );
        start += done;
        match result {
            Ok(()) => {}
            // The row behind the last one that was removed is not there: go on behind it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => start += 1,
            Err(error) => {
                let rows = (start..keys.len()).collect();
                return Err(Refused { rows, error });
            }
        }
    }
    Ok(())
}

/// Every row of a hash map. What comes and goes meanwhile may be in it or not.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "descriptors are not negative, and a chunk has at most `CHUNK` rows"
)]
pub fn read<K: Pod, V: Pod>(map: BorrowedFd<'_>) -> io::Result<Vec<(K, V)>> {
    let (mut keys, mut values) = (vec![K::zeroed(); CHUNK], vec![V::zeroed(); CHUNK]);
    let mut rows = Vec::new();
    // Where the kernel went on to: the number of a bucket.
    let mut place: Option<u32> = None;
    loop {
        let (from, mut to) = (place, 0_u32);
        // SAFETY: all zeros is a valid `bpf_attr`; the kernel demands zeros in what is not used.
        let mut attr: bpf_attr = unsafe { zeroed() };
        attr.batch.map_fd = map.as_fd().as_raw_fd() as u32;
        attr.batch.in_batch = from
            .as_ref()
            .map_or(0, |from| std::ptr::from_ref(from) as u64);
        attr.batch.out_batch = &raw mut to as u64;
        attr.batch.keys = keys.as_mut_ptr() as u64;
        attr.batch.values = values.as_mut_ptr() as u64;
        attr.batch.count = CHUNK as u32;
        // SAFETY: `attr` is valid and of the given size; keys and values have room for `CHUNK` rows, whose sizes are
        // those of the map (the typed callers see to it), and outlive the call, as `from` and `to` do.
        let result = unsafe {
            libc::syscall(
                libc::SYS_bpf,
                bpf_cmd::BPF_MAP_LOOKUP_BATCH as libc::c_long,
                &raw mut attr,
                size_of::<bpf_attr>(),
            )
        };
        let error = (result != 0).then(io::Error::last_os_error);
        let is_end = matches!(&error, Some(error) if error.kind() == io::ErrorKind::NotFound);
        if let Some(error) = error.filter(|_| !is_end) {
            return Err(error);
        }
        // SAFETY: the kernel wrote the field back; every bit pattern of it is valid.
        let found = (unsafe { attr.batch.count } as usize).min(CHUNK);
        let found = keys[..found].iter().zip(&values[..found]);
        rows.extend(found.map(|(key, value)| (*key, *value)));
        if is_end {
            return Ok(rows);
        }
        place = Some(to);
    }
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
