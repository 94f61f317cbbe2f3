//! Which VLANs an interface allows, and the zones of their hosts.

use enforcer_common::settings::{VlanPair, VlanZone};

use super::{Datapath, DatapathError, batch, plain::Plain, policy::map};
use std::os::fd::AsFd;

/// Numbers of VLANs.
const IDS: u32 = 4096;

/// A VLAN that an interface allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VlanPlan {
    /// Its number, 1 to 4094.
    pub outer: u16,
    /// The number of a VLAN inside it; 0 for none.
    pub inner: u16,
    /// The zone of its hosts.
    pub zone: u32,
}

/// The row of a VLAN of an interface in `VLANS`.
pub(super) fn row(interface: u32, vlan: u16) -> u32 {
    interface * IDS + u32::from(vlan)
}

impl Datapath {
    /// Allows these VLANs on the interface with this row, and no others.
    pub(super) fn set_vlans(
        &mut self,
        interface: u32,
        plans: &[VlanPlan],
    ) -> Result<(), DatapathError> {
        let mut zones = vec![VlanZone::REFUSED; IDS as usize];
        for plan in plans.iter().filter(|plan| plan.inner == 0) {
            if let Some(zone) = zones.get_mut(usize::from(plan.outer)) {
                *zone = VlanZone::of(plan.zone);
            }
        }
        let keys: Vec<u32> = (0..IDS).map(|vlan| interface * IDS + vlan).collect();
        batch::update(self.maps.vlans_rows.fd().as_fd(), &keys, &zones)
            .map_err(|refused| DatapathError::Vlans(refused.error))?;
        self.set_pairs(interface, plans)
    }

    fn set_pairs(&mut self, interface: u32, plans: &[VlanPlan]) -> Result<(), DatapathError> {
        let wanted: Vec<_> = plans
            .iter()
            .filter(|plan| plan.inner != 0)
            .map(|plan| {
                let (outer, inner) = (plan.outer, plan.inner);
                let pair = VlanPair {
                    interface,
                    outer,
                    inner,
                };
                (pair, VlanZone::of(plan.zone))
            })
            .collect();
        for (pair, zone) in &wanted {
            self.maps
                .vlan_pairs
                .insert(Plain(*pair), Plain(*zone), 0)
                .map_err(map("VLAN_PAIRS"))?;
        }
        let there: Vec<_> = self
            .maps
            .vlan_pairs
            .keys()
            .collect::<Result<_, _>>()
            .map_err(map("VLAN_PAIRS"))?;
        for Plain(pair) in there {
            let stays = pair.interface != interface || wanted.iter().any(|(one, _)| *one == pair);
            if !stays {
                self.maps
                    .vlan_pairs
                    .remove(&Plain(pair))
                    .map_err(map("VLAN_PAIRS"))?;
            }
        }
        Ok(())
    }
}
