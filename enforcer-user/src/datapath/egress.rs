//! The egress program on an interface: a TCX link, or a filter where the kernel has none.

use std::io;

use aya::{
    Ebpf,
    programs::{
        LinkOrder, SchedClassifier, TcAttachType,
        links::{FdLink, PinnedLink},
        tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcHandle},
    },
};

use super::{
    DatapathError,
    attach::{program, remove_pin, take_over},
    pins::Pins,
    steps::{self, Staged},
};

const EGRESS: &str = steps::TC_EGRESS.first;

/// Our place among the classic TC filters of an interface, before the usual ones of others.
const PRIORITY: u16 = 1;
const HANDLE: u32 = 0xef;

/// The egress program at its place.
pub(super) enum Egress {
    Pinned(PinnedLink),
    Filter(SchedClassifierLink),
}

impl Egress {
    /// Takes the program off.
    pub(super) fn remove(self) -> io::Result<()> {
        match self {
            Self::Pinned(link) => link.unpin().map(drop),
            Self::Filter(link) => {
                drop(link);
                Ok(())
            }
        }
    }

    /// Leaves the program on. A pinned link stays by itself; a filter stays when nobody takes it off.
    pub(super) fn keep(self) {
        if let Self::Filter(link) = self {
            std::mem::forget(link);
        }
    }
}

/// The link, and whether an earlier process had left it.
pub(super) fn attach_egress(
    object: &mut Ebpf,
    pins: &Pins,
    interface: &str,
) -> Result<(Egress, bool), DatapathError> {
    let failed = |error| DatapathError::Program {
        name: EGRESS,
        error,
    };
    let staged = Staged::prepare(steps::TC_EGRESS, object, pins, interface, "egress")?;
    let program: &mut SchedClassifier = program(object, EGRESS)?.try_into().map_err(failed)?;
    let pin = pins.link(interface, "egress");
    if let Ok(link) = PinnedLink::from_pin(&pin) {
        let link = FdLink::from(link);
        if take_over(link, |link: SchedClassifierLink| {
            program.attach_to_link(link).map(drop)
        }) {
            staged.settle()?;
            let link = PinnedLink::from_pin(&pin);
            return link
                .map(|link| (Egress::Pinned(link), true))
                .map_err(|error| DatapathError::Link {
                    interface: interface.to_owned(),
                    error,
                });
        }
        remove_pin(&pin)?;
    }
    let order = TcAttachOptions::TcxOrder(LinkOrder::first());
    let attached = match program.attach_with_options(interface, TcAttachType::Egress, order) {
        Ok(id) => {
            let link = program.take_link(id).map_err(failed)?;
            let link = FdLink::try_from(link).map_err(|error| DatapathError::Link {
                interface: interface.to_owned(),
                error,
            })?;
            let link = link.pin(&pin).map_err(|error| DatapathError::LinkPin {
                interface: interface.to_owned(),
                error,
            })?;
            (Egress::Pinned(link), false)
        }
        // Before Linux 6.6 there is no TCX.
        Err(_) => filter(program, interface).map(|(link, old)| (Egress::Filter(link), old))?,
    };
    staged.settle()?;
    Ok(attached)
}

/// A classic filter at a place of our own: adding it again replaces it.
fn filter(
    program: &mut SchedClassifier,
    interface: &str,
) -> Result<(SchedClassifierLink, bool), DatapathError> {
    let failed = |error| DatapathError::Program {
        name: EGRESS,
        error,
    };
    match tc::qdisc_add_clsact(interface) {
        Ok(()) => {}
        // It is there already: of an earlier process, or of somebody else.
        Err(tc::TcError::NetlinkError(error)) if error.raw_os_error() == Some(libc::EEXIST) => {}
        Err(error) => return Err(failed(error.into())),
    }
    let handle = TcHandle::from(HANDLE);
    let options = NlOptions {
        priority: PRIORITY,
        handle,
        classid: None,
    };
    let attached =
        SchedClassifierLink::attached(interface, TcAttachType::Egress, PRIORITY, handle, None)
            .map_err(|error| failed(tc::TcError::IoError(error).into()))?;
    let replaced = program.attach_to_link(attached);
    let was_there = replaced.is_ok();
    let id = replaced.or_else(|_| {
        let options = TcAttachOptions::Netlink(options);
        program.attach_with_options(interface, TcAttachType::Egress, options)
    });
    let link = program.take_link(id.map_err(failed)?).map_err(failed)?;
    Ok((link, was_there))
}
