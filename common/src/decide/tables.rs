//! What a decision reads.

use crate::{
    host::{Asked, FlowKey, Host, HostRow, SourceId},
    packet::Vlans,
    role::{RoleId, RoleRow, RuleSet},
    settings::{Scope, Settings},
};

/// What the tables hold. The kernel reads its maps, user space the same maps or a model of them.
pub trait Tables {
    /// What is decided of a host.
    fn host(&self, host: &Host) -> Option<HostRow>;
    /// When the lease of a source ends, in jiffies.
    fn lease(&self, source: SourceId) -> u64;
    /// The scope that a host's address is in.
    fn scope(&self, host: &Host) -> Scope;
    /// What a role means.
    fn role(&self, role: RoleId) -> RoleRow;
    /// The rules of a role for a remote address.
    fn rules(&self, role: RoleId, remote: &[u8; 16]) -> Option<&RuleSet>;
    /// Whether and when an unknown host was asked about.
    fn asked(&self, host: &Host) -> Option<Asked>;
    /// Whether the controller may be asked once more, which is limited.
    fn may_ask(&self, now: u64) -> bool;
    /// Whether the far end of a flow was told already that it is over.
    fn told(&self, flow: &FlowKey) -> bool;
    /// The zone of hosts in these VLANs, of which the outer is not 0; `None` where the interface does not allow them.
    fn vlan_zone(&self, vlans: Vlans) -> Option<u32>;
    /// The settings.
    fn settings(&self) -> Settings;
}
