//! Capabilities, of which each thread has its own.

use caps::{CapSet, Capability, CapsHashSet, errors::CapsError};

/// What a gateway keeps when it has started. Of a user other than root it has these at most.
const KEPT: [Capability; 6] = [
    // Reads and writes the maps; loads the programs when an interface is made anew or a reload adds one.
    Capability::CAP_BPF,
    // Attaches them, asks neighbours, and takes connections out of connection tracking.
    Capability::CAP_NET_ADMIN,
    // Lets the verifier take programs that compute with pointers into packets.
    Capability::CAP_PERFMON,
    // Start a child again as another user, in that one's groups alone.
    Capability::CAP_SETUID,
    Capability::CAP_SETGID,
    // Ends a child, which belongs to another user.
    Capability::CAP_KILL,
];

/// Lets no program that is executed from now on have a capability, whoever runs it and whatever its file says.
pub(super) fn bound() -> Result<(), CapsError> {
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    // Whoever may not has little, and is no root whom executing gives more.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        caps::clear(None, CapSet::Bounding)?;
    }
    Ok(())
}

/// Keeps what a gateway needs after its start.
pub(super) fn keep() -> Result<(), CapsError> {
    let mut kept = caps::read(None, CapSet::Permitted)?;
    let wanted = CapsHashSet::from(KEPT);
    kept.retain(|one| wanted.contains(one));
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)
}

/// Gives up all that a thread has.
pub(super) fn drop_all() -> Result<(), CapsError> {
    caps::clear(None, CapSet::Effective)?;
    caps::clear(None, CapSet::Permitted)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_keeps_what_is_needed_and_gets_nothing_back() {
        let inside = thread::spawn(|| {
            bound()?;
            keep()?;
            let left = caps::read(None, CapSet::Permitted)?;
            let again = caps::raise(None, CapSet::Permitted, Capability::CAP_SYS_ADMIN);
            Ok::<_, CapsError>((left, caps::read(None, CapSet::Bounding)?, again.is_err()))
        });
        let result = inside.join().expect("a thread that ends");
        let (left, bounding, refused) = result.expect("capabilities can be given up");
        assert!(left.is_subset(&CapsHashSet::from(KEPT)), "{left:?}");
        assert!(bounding.is_empty(), "{bounding:?}");
        assert!(refused);
    }
}
