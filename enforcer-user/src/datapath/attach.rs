//! Programs on interfaces: attached, taken over from an earlier process, pinned, removed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aya::{
    Ebpf,
    programs::{ProgramError, links::FdLink},
};
use bytemuck::Zeroable;
use enforcer_common::settings::InterfaceRow;
use nix::net::if_::if_nametoindex;

use super::{
    Datapath, DatapathError,
    choice::{self, Candidates, Ground, IngressChoice, Place},
    ingress::{self, Ingress},
    object::{self, Constants},
    tags,
    tc::{self, Tc, Way},
    vlans::VlanPlan,
};
use crate::links::{self, Feature, Link};

/// Where the ingress program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngressHook {
    /// XDP in the driver.
    Native,
    /// XDP behind the driver: slower, and blind to cloned packets.
    Generic,
    /// Traffic control.
    Tc,
}

impl From<Place> for IngressHook {
    fn from(place: Place) -> Self {
        match place {
            Place::Native | Place::NativeFrags => Self::Native,
            Place::Generic => Self::Generic,
            Place::Tc => Self::Tc,
        }
    }
}

/// What is wanted on an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub interface: String,
    /// The zone of its hosts.
    pub zone: u32,
    /// Where the ingress program is wanted.
    pub ingress: IngressChoice,
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

impl From<&Tc> for EgressHook {
    fn from(tc: &Tc) -> Self {
        match tc {
            Tc::Pinned(_) => Self::Tcx,
            Tc::Filter(_) => Self::Clsact,
        }
    }
}

/// What is attached to an interface.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its name.
    pub interface: String,
    /// Its number in the kernel.
    pub index: u32,
    /// Its row in `INTERFACES`.
    pub row: u32,
    /// The zone of its hosts.
    pub zone: u32,
    /// Where the ingress program runs.
    pub ingress: IngressHook,
    /// Why there.
    pub reason: String,
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
    pub ingress: Ingress,
    pub egress: Tc,
    /// The NIC was told to leave VLAN tags where they are, and is to be told otherwise again.
    pub keeps_tags: bool,
    /// What was wanted, for when the interface is made anew.
    pub plan: Plan,
    /// Where the ingress program is.
    pub place: Place,
    /// Holds the programs; dropping it detaches what is not pinned.
    pub object: Ebpf,
}

impl Attached {
    /// Takes the programs off.
    pub fn remove(self) -> Result<(), DatapathError> {
        let failed = |error| DatapathError::Pin {
            path: self.attachment.interface.clone().into(),
            error,
        };
        if self.keeps_tags {
            tags::strip(&self.attachment.interface);
        }
        self.ingress.remove().map_err(failed)?;
        self.egress.remove().map_err(failed)
    }

    /// Leaves the programs on.
    pub fn keep(self) {
        self.ingress.keep();
        self.egress.keep();
    }
}

impl Datapath {
    /// Puts the programs on an interface, or swaps those that an earlier process left there.
    ///
    /// # Errors
    ///
    /// When the interface does not exist, none of the places that are wanted takes the ingress program, or another
    /// owner's program is there already.
    pub fn attach(&mut self, plan: &Plan) -> Result<&Attachment, DatapathError> {
        let is_free = |row: &u32| self.attachments().all(|one| one.row != *row);
        let mut rows = (0..).take(enforcer_common::limits::INTERFACES);
        let row = rows.find(is_free);
        let row = row.ok_or(DatapathError::TooManyInterfaces(self.attached.len() + 1))?;
        let attached = self.attach_at(row, plan)?;
        Ok(&self.attached.push_mut(attached).attachment)
    }

    pub(super) fn attach_at(&mut self, row: u32, plan: &Plan) -> Result<Attached, DatapathError> {
        let all = links::all().map_err(DatapathError::Interfaces)?;
        let link = all.iter().find(|link| link.name == plan.interface);
        let link = link.ok_or_else(|| DatapathError::NoInterface(plan.interface.clone()))?;
        if let Some(program) = ingress::stranger(&self.pins, link) {
            if plan.ingress != IngressChoice::Tc {
                return Err(DatapathError::Occupied {
                    interface: link.name.clone(),
                    program: Some(program),
                });
            }
            tracing::warn!(
                interface = link.name,
                "{program} is attached by XDP and sees packets first: what it redirects is not judged"
            );
        }
        self.set_interface(row, plan)?;
        let has_vlans = !plan.vlans.is_empty()
            || all
                .iter()
                .any(|one| one.kind == "vlan" && one.lower == Some(link.index));
        warn_of_offload(link);
        let tags = tags::keep(link, plan.ingress);
        let ground = Ground {
            is_virtual: link.is_virtual(),
            has_vlans,
            strips_tags: tags.now,
            mtu: link.mtu,
        };
        let candidates = choice::candidates(plan.ingress, ground)
            .map_err(|_| DatapathError::TagsAreLost(link.name.clone()))?;
        let placed = self.place(row, link, &candidates)?;
        let attachment = Attachment {
            interface: link.name.clone(),
            index: link.index,
            row,
            zone: plan.zone,
            ingress: placed.place.into(),
            reason: placed.reason,
            egress: EgressHook::from(&placed.egress),
            adopted: placed.was_there,
        };
        Ok(Attached {
            attachment,
            ingress: placed.ingress,
            egress: placed.egress,
            keeps_tags: tags.changed,
            plan: plan.clone(),
            place: placed.place,
            object: placed.object,
        })
    }

    /// Puts both programs at their places: the first one that takes the ingress program.
    fn place(
        &self,
        row: u32,
        link: &Link,
        candidates: &Candidates,
    ) -> Result<Placed, DatapathError> {
        let mut reason = candidates.reason.to_owned();
        let mut places = candidates.places.iter().peekable();
        while let Some(&place) = places.next() {
            match self.place_at(row, link, place) {
                Ok(done) => return Ok(Placed { reason, ..done }),
                Err(DatapathError::NoNativeXdp { error, .. }) if places.peek().is_some() => {
                    reason = format!(
                        "its driver takes no XDP program for an MTU of {} ({error}){}",
                        link.mtu,
                        remedy(link)
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Err(DatapathError::NoInterface(link.name.clone()))
    }

    fn place_at(&self, row: u32, link: &Link, place: Place) -> Result<Placed, DatapathError> {
        let is_tc = place == Place::Tc;
        let constants = Constants {
            interface: row,
            redirect_replies: link.is_virtual(),
            reply_mark: if is_tc { rand::random::<u32>() | 1 } else { 0 },
            tells_far_ends: place != Place::Generic,
            ..Constants::default()
        };
        let mut object = object::load(&self.options, &self.pins, constants)?;
        #[cfg(feature = "kernel-log")]
        super::kernel_log::follow(&mut object);
        let (ingress, was_there) = ingress::attach(&mut object, &self.pins, link, place)?;
        let egress = tc::attach(&mut object, &self.pins, link, Way::Egress);
        let egress = match egress {
            Ok((egress, _)) => egress,
            // Half of a gateway must not stay: nobody would judge what is sent to hosts.
            Err(error) => {
                if was_there {
                    ingress.keep();
                } else if let Err(error) = ingress.remove() {
                    tracing::error!(interface = link.name, "cannot take off: {error}");
                }
                return Err(error);
            }
        };
        Ok(Placed {
            object,
            ingress,
            egress,
            place,
            reason: String::new(),
            was_there,
        })
    }
}

/// Programs at their places.
struct Placed {
    object: Ebpf,
    ingress: Ingress,
    egress: Tc,
    place: Place,
    reason: String,
    was_there: bool,
}

/// Flows that a NIC forwards by itself cross no program. That it may is no proof that it does.
fn warn_of_offload(link: &Link) {
    let features = links::Features::read(&link.name).unwrap_or_default();
    if features.state(Feature::OffloadsFlows) == links::State::Off {
        return;
    }
    let (name, feature) = (&link.name, Feature::OffloadsFlows.name());
    tracing::warn!(
        interface = name,
        "its NIC may forward flows by itself, past every program: switch it off (`ethtool -K {name} {feature} off`), \
         and set no `flags offload` in flowtables of nftables"
    );
}

/// What often keeps a driver from taking XDP, and how to mend it; nothing when it is not so here.
fn remedy(link: &Link) -> String {
    let features = links::Features::read(&link.name).unwrap_or_default();
    if features.state(Feature::JoinsSegments) == links::State::Off {
        return String::new();
    }
    let (name, feature) = (&link.name, Feature::JoinsSegments.name());
    format!("; `ethtool -K {name} {feature} off` may mend that")
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

/// Swaps the program behind a link in one step, so that no packet goes unjudged.
pub(super) fn take_over<L>(
    link: FdLink,
    swap: impl FnOnce(L) -> Result<(), ProgramError>,
) -> Result<(), ProgramError>
where
    L: TryFrom<FdLink>,
{
    match L::try_from(link) {
        Ok(link) => swap(link),
        Err(_) => Err(ProgramError::UnexpectedProgramType),
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
