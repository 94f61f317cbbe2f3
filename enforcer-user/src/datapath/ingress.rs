//! The ingress program on an interface: in the driver, behind it, or in traffic control.

use std::{io, path::Path};

use aya::{
    Ebpf,
    programs::{
        ProgramError, Xdp, XdpMode,
        links::{FdLink, PinnedLink},
        xdp::{XdpError, XdpLink},
    },
};

use super::{
    DatapathError,
    attach::{program, remove_pin, take_over},
    choice::Place,
    foreign::Stranger,
    pins::Pins,
    steps::{self, Programs, Staged},
    tc::{self, Tc, Way},
};
use crate::links::{self, Link};

/// What the pins of XDP are called.
pub(super) const PIN: &str = "ingress";

/// The ingress program at its place.
pub(super) enum Ingress {
    Xdp(PinnedLink),
    Tc(Tc),
}

impl Ingress {
    /// Takes the program off.
    pub(super) fn remove(self) -> io::Result<()> {
        match self {
            Self::Xdp(link) => link.unpin().map(drop),
            Self::Tc(tc) => tc.remove(),
        }
    }

    /// Leaves the program on.
    pub(super) fn keep(self) {
        if let Self::Tc(tc) = self {
            tc.keep();
        }
    }
}

/// The XDP program that an earlier process left on an interface; none when it is somebody else's.
pub(super) fn left_behind(pins: &Pins, link: &Link) -> Option<links::XdpMode> {
    let pinned = PinnedLink::from_pin(pins.link(&link.name, PIN)).ok()?;
    let info = FdLink::from(pinned).info().ok()?;
    let xdp = link.xdp.filter(|xdp| xdp.program == info.program_id())?;
    Some(xdp.mode)
}

/// The XDP program of somebody else on an interface.
pub(super) fn stranger(pins: &Pins, link: &Link) -> Option<Stranger> {
    let xdp = link.xdp?;
    left_behind(pins, link)
        .is_none()
        .then(|| Stranger::numbered(xdp.program))
}

/// Puts the ingress program at a place, and then takes it off from where it was before: both judge for a moment, so
/// that there is none at which nothing does. The program, and whether there was one.
pub(super) fn attach(
    object: &mut Ebpf,
    pins: &Pins,
    link: &Link,
    place: Place,
) -> Result<(Ingress, bool), DatapathError> {
    let before = left_behind(pins, link);
    let Some((programs, mode)) = xdp(place) else {
        let (tc, was_there) = tc::attach(object, pins, link, Way::Ingress)?;
        clear(pins, &link.name)?;
        return Ok((Ingress::Tc(tc), was_there || before.is_some()));
    };
    let wanted = match place {
        Place::Generic => links::XdpMode::Generic,
        _ => links::XdpMode::Native,
    };
    if before.is_some_and(|mode| mode != wanted) {
        // The kernel has no XDP program in two modes at once: traffic control judges meanwhile.
        tc::attach(object, pins, link, Way::Ingress)?.0.keep();
        clear(pins, &link.name)?;
    }
    let xdp = attach_xdp(object, pins, link, programs, mode)?;
    let was_in_tc = tc::clear(pins, &link.name, Way::Ingress)?;
    Ok((Ingress::Xdp(xdp), was_in_tc || before.is_some()))
}

fn attach_xdp(
    object: &mut Ebpf,
    pins: &Pins,
    link: &Link,
    programs: Programs,
    mode: XdpMode,
) -> Result<PinnedLink, DatapathError> {
    let name = programs.first;
    let failed = |error| DatapathError::Program { name, error };
    let staged = Staged::prepare(programs, object, pins, &link.name, PIN)?;
    let program: &mut Xdp = program(object, name)?.try_into().map_err(failed)?;
    let pin = pins.link(&link.name, PIN);
    if left_behind(pins, link).is_some() {
        let old = pinned(&pin, link)?;
        take_over(FdLink::from(old), |old: XdpLink| {
            program.attach_to_link(old).map(drop)
        })
        .map_err(|error| refused(link, name, error))?;
        staged.settle()?;
        return pinned(&pin, link);
    }
    let fresh = fresh(program, &pin, link, (name, mode))?;
    staged.settle()?;
    Ok(fresh)
}

fn fresh(
    program: &mut Xdp,
    pin: &Path,
    link: &Link,
    (name, mode): (&'static str, XdpMode),
) -> Result<PinnedLink, DatapathError> {
    if pin.exists() {
        // The link is of an interface that is gone: one of the same name was made since.
        remove_pin(pin)?;
    }
    let id = program
        .attach_to_if_index(link.index, mode)
        .map_err(|error| refused(link, name, error))?;
    let taken = program.take_link(id);
    let taken = taken.map_err(|error| DatapathError::Program { name, error })?;
    let taken = FdLink::try_from(taken).map_err(|error| link_error(link, error))?;
    taken.pin(pin).map_err(|error| DatapathError::LinkPin {
        interface: link.name.clone(),
        error,
    })
}

/// Puts the program that is loaded already on an interface that is new.
pub(super) fn again(
    object: &mut Ebpf,
    pins: &Pins,
    link: &Link,
    place: Place,
) -> Result<Ingress, DatapathError> {
    let Some((programs, mode)) = xdp(place) else {
        return tc::again(object, pins, link, Way::Ingress).map(Ingress::Tc);
    };
    let name = programs.first;
    let failed = |error| DatapathError::Program { name, error };
    let program: &mut Xdp = program(object, name)?.try_into().map_err(failed)?;
    let pin = pins.link(&link.name, PIN);
    fresh(program, &pin, link, (name, mode)).map(Ingress::Xdp)
}

/// The programs for a place in XDP, and the mode in which they run there.
const fn xdp(place: Place) -> Option<(Programs, XdpMode)> {
    match place {
        Place::Native => Some((steps::XDP, XdpMode::Driver)),
        Place::NativeFrags => Some((steps::XDP_FRAGS, XdpMode::Driver)),
        Place::Generic => Some((steps::XDP, XdpMode::Skb)),
        Place::Tc => None,
    }
}

/// Takes off the XDP program that an earlier process left.
fn clear(pins: &Pins, interface: &str) -> Result<(), DatapathError> {
    for pin in [pins.link(interface, PIN), pins.steps(interface, PIN)] {
        if pin.exists() {
            remove_pin(&pin)?;
        }
    }
    Ok(())
}

/// The kernel's refusal in words that say what to do.
fn refused(link: &Link, name: &'static str, error: ProgramError) -> DatapathError {
    let interface = link.name.clone();
    let number = match &error {
        ProgramError::SyscallError(call) => call.io_error.raw_os_error(),
        ProgramError::XdpError(XdpError::NetlinkError(error)) => error.raw_os_error(),
        _ => None,
    };
    match number {
        Some(libc::EBUSY | libc::EEXIST) => DatapathError::Occupied {
            interface,
            // Somebody was quicker, or attached in another mode.
            program: links::named(&link.name)
                .ok()
                .flatten()
                .and_then(|link| link.xdp)
                .map(|xdp| Stranger::numbered(xdp.program)),
        },
        Some(number @ (libc::EOPNOTSUPP | libc::ERANGE | libc::EINVAL)) => {
            DatapathError::NoNativeXdp {
                interface,
                error: io::Error::from_raw_os_error(number),
            }
        }
        _ => DatapathError::Program { name, error },
    }
}

fn pinned(pin: &Path, link: &Link) -> Result<PinnedLink, DatapathError> {
    PinnedLink::from_pin(pin).map_err(|error| link_error(link, error))
}

fn link_error(link: &Link, error: aya::programs::links::LinkError) -> DatapathError {
    DatapathError::Link {
        interface: link.name.clone(),
        error,
    }
}
