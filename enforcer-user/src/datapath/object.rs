//! The kernel object, which this program carries inside.

use aya::{Ebpf, EbpfLoader, include_bytes_aligned};
use caps::{CapSet, Capability};

use super::{DatapathError, Options, pins::Pins};

/// The object, as built from `enforcer-ebpf`.
pub(super) static BYTES: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/enforcer"));

/// Capabilities that suffice to load, attach and run (see capabilities(7)).
const NEEDED: [Capability; 3] = [
    Capability::CAP_BPF,
    Capability::CAP_NET_ADMIN,
    Capability::CAP_PERFMON,
];

/// Says which capabilities are missing, before the kernel says only "permission denied".
pub fn check_capabilities() -> Result<(), DatapathError> {
    let held = |capability| {
        [capability, Capability::CAP_SYS_ADMIN]
            .into_iter()
            .any(|one| caps::has_cap(None, CapSet::Effective, one).unwrap_or(false))
    };
    let missing: Vec<String> = NEEDED
        .into_iter()
        .filter(|capability| !held(*capability))
        .map(|capability| capability.to_string())
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(DatapathError::Capabilities(missing.join(", ")))
    }
}

/// What the programs of an interface are specialised for: to the verifier these are constants.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Constants {
    /// The row of `INTERFACES`.
    pub interface: u32,
    /// Whether replies leave by a redirect instead of `XDP_TX`.
    pub redirect_replies: bool,
    /// Whether nothing but the verdict is wanted: nothing is counted, reported or remembered.
    pub dry: bool,
    /// What replies are marked with so that the TC program at the other hook lets them pass; 0: nothing.
    pub reply_mark: u32,
    /// Whether the far ends of flows can be told that they are over.
    pub tells_far_ends: bool,
}

/// Loads the object with the pinned maps. Nothing is attached, and no program has seen the verifier yet.
pub(super) fn load(
    options: &Options,
    pins: &Pins,
    constants: Constants,
) -> Result<Ebpf, DatapathError> {
    let redirect_replies = u32::from(constants.redirect_replies);
    let dry = u32::from(constants.dry);
    let tells_far_ends = u32::from(constants.tells_far_ends);
    let mut loader = EbpfLoader::new();
    loader
        .btf(None)
        .override_global("INTERFACE", &constants.interface, true)
        .override_global("REDIRECT_REPLIES", &redirect_replies, true)
        .override_global("DRY", &dry, true)
        .override_global("REPLY_MARK", &constants.reply_mark, true)
        .override_global("TELLS_FAR_ENDS", &tells_far_ends, true)
        .map_max_entries("HOSTS_V4", options.host_capacity)
        .map_max_entries("HOSTS_V6", options.host_capacity);
    for name in super::maps::NAMES {
        loader.map_pin_path(name, pins.map(name));
    }
    Ok(loader.load(BYTES)?)
}
