//! Programs of traffic control on an interface: TCX links, or filters where the kernel has none.

use std::{io, path::Path};

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
    foreign::Stranger,
    pins::Pins,
    steps::{self, Programs, Staged},
};
use crate::links::{self, Link};

/// Our place among the classic TC filters of an interface, before the usual ones of others.
const PRIORITY: u16 = 1;
const HANDLE: u32 = 0xef;

/// Which way the packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Into this machine.
    Ingress,
    /// Out of it.
    Egress,
}

impl Way {
    const fn programs(self) -> Programs {
        match self {
            Self::Ingress => steps::TC_INGRESS,
            Self::Egress => steps::TC_EGRESS,
        }
    }

    const fn attach_type(self) -> TcAttachType {
        match self {
            Self::Ingress => TcAttachType::Ingress,
            Self::Egress => TcAttachType::Egress,
        }
    }

    /// What its pins are called.
    pub(super) const fn pin(self) -> &'static str {
        match self {
            Self::Ingress => "tc-ingress",
            Self::Egress => "egress",
        }
    }
}

/// A program at its place.
pub(super) enum Tc {
    Pinned(PinnedLink),
    Filter(SchedClassifierLink),
}

impl Tc {
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

/// Puts a program at its place; the link, and whether an earlier process had left it.
pub(super) fn attach(
    object: &mut Ebpf,
    pins: &Pins,
    link: &Link,
    way: Way,
) -> Result<(Tc, bool), DatapathError> {
    let (name, interface) = (way.programs().first, &link.name);
    let failed = |error| DatapathError::Program { name, error };
    let pin = pins.link(interface, way.pin());
    is_alone(&pin, link, way)?;
    let staged = Staged::prepare(way.programs(), object, pins, interface, way.pin())?;
    let program: &mut SchedClassifier = program(object, name)?.try_into().map_err(failed)?;
    let old = PinnedLink::from_pin(&pin).ok().map(FdLink::from);
    let swap = |old: SchedClassifierLink| program.attach_to_link(old).map(drop);
    let attached = if old.is_some_and(|old| take_over(old, swap).is_ok()) {
        let link = PinnedLink::from_pin(&pin).map_err(|error| DatapathError::Link {
            interface: interface.clone(),
            error,
        })?;
        (Tc::Pinned(link), true)
    } else {
        if pin.exists() {
            // The link is of an interface that is gone: one of the same name was made since.
            remove_pin(&pin)?;
        }
        fresh(program, &pin, interface, way)?
    };
    staged.settle()?;
    Ok(attached)
}

/// Puts a program that is loaded already on an interface that is new.
pub(super) fn again(
    object: &mut Ebpf,
    pins: &Pins,
    link: &Link,
    way: Way,
) -> Result<Tc, DatapathError> {
    let name = way.programs().first;
    let failed = |error| DatapathError::Program { name, error };
    let program: &mut SchedClassifier = program(object, name)?.try_into().map_err(failed)?;
    let pin = pins.link(&link.name, way.pin());
    is_alone(&pin, link, way)?;
    if pin.exists() {
        remove_pin(&pin)?;
    }
    fresh(program, &pin, &link.name, way).map(|(tc, _)| tc)
}

/// Programs of others could let packets pass before ours judges them, and would not see those that ours lets pass.
fn is_alone(pin: &Path, link: &Link, way: Way) -> Result<(), DatapathError> {
    let shared = |program| DatapathError::Shared {
        interface: link.name.clone(),
        program,
    };
    let ours = PinnedLink::from_pin(pin).map(FdLink::from);
    let ours = ours
        .and_then(|link| link.info())
        .map(|info| info.program_id())
        .ok();
    // An error means a kernel without TCX.
    let all = SchedClassifier::query_tcx(&link.name, way.attach_type());
    let all = all.map(|(_, all)| all).unwrap_or_default();
    if let Some(other) = all.iter().find(|one| Some(one.id()) != ours) {
        return Err(shared(Stranger::of(other)));
    }
    let filters =
        links::filters(link.index, way == Way::Ingress).map_err(DatapathError::Interfaces)?;
    let is_other = |filter: &&links::Filter| filter.name != way.programs().first;
    match filters.iter().find(is_other) {
        Some(filter) => Err(shared(Stranger::filter(filter))),
        None => Ok(()),
    }
}

fn fresh(
    program: &mut SchedClassifier,
    pin: &Path,
    interface: &str,
    way: Way,
) -> Result<(Tc, bool), DatapathError> {
    let name = way.programs().first;
    let failed = |error| DatapathError::Program { name, error };
    let order = TcAttachOptions::TcxOrder(LinkOrder::first());
    let Ok(id) = program.attach_with_options(interface, way.attach_type(), order) else {
        // Before Linux 6.6 there is no TCX.
        return filter(program, interface, way).map(|(link, old)| (Tc::Filter(link), old));
    };
    let link = program.take_link(id).map_err(failed)?;
    let link = FdLink::try_from(link).map_err(|error| DatapathError::Link {
        interface: interface.to_owned(),
        error,
    })?;
    let link = link.pin(pin).map_err(|error| DatapathError::LinkPin {
        interface: interface.to_owned(),
        error,
    })?;
    Ok((Tc::Pinned(link), false))
}

/// A classic filter at a place of our own: adding it again replaces it.
fn filter(
    program: &mut SchedClassifier,
    interface: &str,
    way: Way,
) -> Result<(SchedClassifierLink, bool), DatapathError> {
    let name = way.programs().first;
    let failed = |error| DatapathError::Program { name, error };
    match tc::qdisc_add_clsact(interface) {
        Ok(()) => {}
        // It is there already: of an earlier process, or of somebody else.
        Err(tc::TcError::NetlinkError(error)) if error.raw_os_error() == Some(libc::EEXIST) => {}
        Err(error) => return Err(failed(error.into())),
    }
    let options = TcAttachOptions::Netlink(NlOptions {
        priority: PRIORITY,
        handle: TcHandle::from(HANDLE),
        classid: None,
    });
    let replaced = program.attach_to_link(
        left_behind(interface, way).map_err(|error| failed(tc::TcError::IoError(error).into()))?,
    );
    let was_there = replaced.is_ok();
    let id =
        replaced.or_else(|_| program.attach_with_options(interface, way.attach_type(), options));
    let link = program.take_link(id.map_err(failed)?).map_err(failed)?;
    Ok((link, was_there))
}

/// The filter at our place, if there is one.
fn left_behind(interface: &str, way: Way) -> io::Result<SchedClassifierLink> {
    let handle = TcHandle::from(HANDLE);
    SchedClassifierLink::attached(interface, way.attach_type(), PRIORITY, handle, None)
}

/// Takes off what an earlier process left at this place, where another program of ours judges by now. Whether there
/// was anything.
pub(super) fn clear(pins: &Pins, interface: &str, way: Way) -> Result<bool, DatapathError> {
    let name = way.programs().first;
    // An error means that there is none, or no queueing discipline that could have one.
    let mut was_there = tc::qdisc_detach_program(interface, way.attach_type(), name).is_ok();
    for pin in [
        pins.link(interface, way.pin()),
        pins.steps(interface, way.pin()),
    ] {
        if pin.exists() {
            remove_pin(&pin)?;
            was_there = true;
        }
    }
    Ok(was_there)
}
