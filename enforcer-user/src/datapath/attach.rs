//! Programs on interfaces: attached, taken over from an earlier process, pinned, removed.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use aya::{
    Ebpf,
    programs::{
        ProgramError, Xdp, XdpMode,
        links::{FdLink, PinnedLink},
        xdp::XdpLink,
    },
};
use bytemuck::Zeroable;
use enforcer_common::settings::InterfaceRow;
use nix::net::if_::if_nametoindex;

use super::{
    Datapath, DatapathError,
    egress::{Egress, attach_egress},
    object::{self, Constants},
    pins::Pins,
    steps::{self, Staged},
    vlans::VlanPlan,
};

const INGRESS: &str = steps::XDP.first;

/// Where the ingress program is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngressHook {
    /// XDP in the driver.
    Native,
    /// XDP behind the driver: slower, and blind to cloned packets.
    Generic,
}

/// What is wanted on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub interface: String,
    /// The zone of its hosts.
    pub zone: u32,
    /// Where the ingress program is wanted.
    pub ingress: IngressHook,
    /// The port of the portal on the gateway's own addresses; `None` without a portal.
    pub portal_port: Option<u16>,
    /// The gateway's own addresses on this interface.
    pub addresses: Vec<IpAddr>,
    /// The VLANs that are allowed; frames of others are dropped.
    pub vlans: Vec<VlanPlan>,
    /// Whether frames without a VLAN are dropped.
    pub tagged_only: bool,
    /// Whether routers on the side of the hosts may advertise themselves.
    pub routers: bool,
    /// Whether DHCP servers on the side of the hosts may answer.
    pub dhcp_servers: bool,
}

/// How the egress program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EgressHook {
    /// A TCX link (Linux 6.6).
    Tcx,
    /// A filter on the `clsact` queueing discipline.
    Clsact,
}

/// What is attached to an interface.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its name.
    pub interface: String,
    /// Its number in the kernel.
    pub index: u32,
    /// The zone of its hosts.
    pub zone: u32,
    /// Where the ingress program runs.
    pub ingress: IngressHook,
    /// How the egress program is attached.
    pub egress: EgressHook,
    /// Whether the links of an earlier process were taken over, without a gap.
    pub adopted: bool,
}

impl Attachment {
    /// Whether the interface is still the one that the programs were attached to.
    pub fn is_in_place(&self) -> bool {
        if_nametoindex(self.interface.as_str()) == Ok(self.index)
    }
}

/// An interface under enforcement.
pub(super) struct Attached {
    pub attachment: Attachment,
    ingress: PinnedLink,
    egress: Egress,
    /// Holds the programs; dropping it detaches what is not pinned.
    _object: Ebpf,
}

impl Attached {
    /// Takes the programs off.
    pub fn remove(self) -> Result<(), DatapathError> {
        let failed = |error| DatapathError::Pin {
            path: self.attachment.interface.clone().into(),
            error,
        };
        self.ingress.unpin().map_err(failed)?;
        self.egress.remove().map_err(failed)
    }

    /// Leaves the programs on.
    pub fn keep(self) {
        self.egress.keep();
    }
}

impl Datapath {
    /// Puts the programs on an interface, or swaps those that an earlier process left there.
    ///
    /// # Errors
    ///
    /// When the interface does not exist, its driver takes no native XDP, or another owner's program
    /// is there already.
    pub fn attach(&mut self, plan: &Plan) -> Result<&Attachment, DatapathError> {
        let index = if_nametoindex(plan.interface.as_str())
            .map_err(|_| DatapathError::NoInterface(plan.interface.clone()))?;
        let row = u32::try_from(self.attached.len()).unwrap_or(u32::MAX);
        if row as usize >= enforcer_common::limits::INTERFACES {
            return Err(DatapathError::TooManyInterfaces(row as usize + 1));
        }
        self.set_interface(row, plan)?;
        let constants = Constants {
            interface: row,
            redirect_replies: is_virtual(&plan.interface),
            tells_far_ends: plan.ingress == IngressHook::Native,
            ..Constants::default()
        };
        let mut object = object::load(&self.options, &self.pins, constants)?;
        #[cfg(feature = "kernel-log")]
        super::kernel_log::follow(&mut object);
        let (egress, was_there) = attach_egress(&mut object, &self.pins, &plan.interface)?;
        let ingress = attach_ingress(&mut object, &self.pins, plan, index);
        let (ingress, adopted) = match ingress {
            Ok(ingress) => ingress,
            // Half of a gateway must not stay: it would stop what nobody lets pass.
            Err(error) => {
                if was_there {
                    egress.keep();
                } else if let Err(error) = egress.remove() {
                    tracing::error!(interface = plan.interface, "cannot take off: {error}");
                }
                return Err(error);
            }
        };
        let hook = match egress {
            Egress::Pinned(_) => EgressHook::Tcx,
            Egress::Filter(_) => EgressHook::Clsact,
        };
        let attachment = Attachment {
            interface: plan.interface.clone(),
            index,
            zone: plan.zone,
            ingress: plan.ingress,
            egress: hook,
            adopted,
        };
        self.attached.push(Attached {
            attachment,
            ingress,
            egress,
            _object: object,
        });
        Ok(&self.attached[row as usize].attachment)
    }
}

/// Whether no hardware is behind an interface, as with veth.
fn is_virtual(interface: &str) -> bool {
    !std::path::Path::new("/sys/class/net")
        .join(interface)
        .join("device")
        .exists()
}

pub(super) fn interface_row(plan: &Plan) -> InterfaceRow {
    let v4 = plan.addresses.iter().find_map(|address| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    });
    let v6 = plan.addresses.iter().find_map(|address| match address {
        IpAddr::V6(address) if !address.is_unicast_link_local() => Some(*address),
        _ => None,
    });
    let mut row = InterfaceRow::zeroed();
    row.zone = plan.zone;
    row.portal_port = plan.portal_port.unwrap_or(0);
    row.has_v4 = u8::from(v4.is_some());
    row.has_v6 = u8::from(v6.is_some());
    row.own_v4 = v4.unwrap_or(Ipv4Addr::UNSPECIFIED).octets();
    row.own_v6 = v6.unwrap_or(Ipv6Addr::UNSPECIFIED).octets();
    let flags = [
        (plan.routers, InterfaceRow::ROUTERS),
        (plan.dhcp_servers, InterfaceRow::DHCP_SERVERS),
        (plan.tagged_only, InterfaceRow::TAGGED_ONLY),
    ];
    let set = flags.iter().filter(|(set, _)| *set);
    row.with(set.fold(0, |flags, (_, flag)| flags | flag))
}

fn attach_ingress(
    object: &mut Ebpf,
    pins: &Pins,
    plan: &Plan,
    index: u32,
) -> Result<(PinnedLink, bool), DatapathError> {
    let failed = |error| DatapathError::Program {
        name: INGRESS,
        error,
    };
    let staged = Staged::prepare(steps::XDP, object, pins, &plan.interface, "ingress")?;
    let program: &mut Xdp = program(object, INGRESS)?.try_into().map_err(failed)?;
    let pin = pins.link(&plan.interface, "ingress");
    if let Ok(link) = PinnedLink::from_pin(&pin) {
        if take_over(FdLink::from(link), |link: XdpLink| {
            program.attach_to_link(link).map(drop)
        }) {
            staged.settle()?;
            return Ok((pinned(&pin, plan)?, true));
        }
        // The link is of an interface that is gone: one of the same name was made since.
        remove_pin(&pin)?;
    }
    let mode = match plan.ingress {
        IngressHook::Native => XdpMode::Driver,
        IngressHook::Generic => XdpMode::Skb,
    };
    let id = program
        .attach_to_if_index(index, mode)
        .map_err(|error| refused(plan, error))?;
    let link = program.take_link(id).map_err(failed)?;
    let link = FdLink::try_from(link).map_err(|error| link_error(plan, error))?;
    let link = link.pin(&pin).map_err(|error| DatapathError::LinkPin {
        interface: plan.interface.clone(),
        error,
    })?;
    staged.settle()?;
    Ok((link, false))
}

/// The kernel's refusal in words that say what to do.
fn refused(plan: &Plan, error: ProgramError) -> DatapathError {
    let interface = plan.interface.clone();
    let ProgramError::SyscallError(call) = &error else {
        return DatapathError::Program {
            name: INGRESS,
            error,
        };
    };
    match call.io_error.raw_os_error() {
        Some(libc::EBUSY | libc::EEXIST) => DatapathError::Occupied { interface },
        Some(number @ (libc::EOPNOTSUPP | libc::ERANGE)) => DatapathError::NoNativeXdp {
            interface,
            error: io::Error::from_raw_os_error(number),
        },
        _ => DatapathError::Program {
            name: INGRESS,
            error,
        },
    }
}

/// Swaps the program behind a link in one step, so that no packet goes unjudged.
pub(super) fn take_over<L>(link: FdLink, swap: impl FnOnce(L) -> Result<(), ProgramError>) -> bool
where
    L: TryFrom<FdLink>,
{
    L::try_from(link).is_ok_and(|link| swap(link).is_ok())
}

fn pinned(pin: &std::path::Path, plan: &Plan) -> Result<PinnedLink, DatapathError> {
    PinnedLink::from_pin(pin).map_err(|error| link_error(plan, error))
}

fn link_error(plan: &Plan, error: aya::programs::links::LinkError) -> DatapathError {
    DatapathError::Link {
        interface: plan.interface.clone(),
        error,
    }
}

pub(super) fn remove_pin(pin: &std::path::Path) -> Result<(), DatapathError> {
    std::fs::remove_file(pin).map_err(|error| DatapathError::Pin {
        path: pin.to_owned(),
        error,
    })
}

pub(super) fn program<'a>(
    object: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut aya::programs::Program, DatapathError> {
    object.program_mut(name).ok_or(DatapathError::Missing(name))
}
