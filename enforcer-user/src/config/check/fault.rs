//! Everything that can be wrong with a configuration that can be read.

mod remedy;
mod words;

use std::{io, net::IpAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;

use super::{
    super::{Choice, CompileError, ManagementError, Mode, PortRange, Protocol, ScopeAction},
    alerts::AlertFault,
    nat::MappingFault,
};
use words::{consequence, word};

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing to attach to.
    #[error("no interface is named, so nothing would be enforced")]
    NoInterface,
    /// Not a name of an interface.
    #[error("`{name}` cannot be the name of an interface")]
    InterfaceName {
        /// The name.
        name: String,
    },
    /// Named twice.
    #[error("the interface `{name}` is named twice")]
    InterfaceTwice {
        /// The name.
        name: String,
    },
    /// Not on this machine.
    #[error("this machine has no interface `{name}`")]
    NoSuchInterface {
        /// The name.
        name: String,
        /// The one that may be meant.
        choice: Choice,
    },
    /// An uplink that is enforced.
    #[error("`{name}` is enforced, and an uplink")]
    UplinkEnforced {
        /// The name.
        name: String,
    },
    /// An uplink that is not on this machine.
    #[error("this machine has no interface `{name}` now")]
    NoSuchUplink {
        /// The name.
        name: String,
        /// The one that may be meant.
        choice: Choice,
    },
    /// Nothing is let in.
    #[error("neither frames with a VLAN nor frames without are let in")]
    NoVlan,
    /// No number of a VLAN.
    #[error("{id} is no VLAN")]
    VlanId {
        /// The number.
        id: u16,
    },
    /// Named twice.
    #[error("the VLAN {id} is named twice")]
    VlanTwice {
        /// Its number.
        id: u16,
    },
    /// A zone without a name.
    #[error("a zone needs a name")]
    ZoneName,
    /// Named twice.
    #[error("the zone `{zone}` is named twice")]
    ZoneTwice {
        /// Its name.
        zone: String,
    },
    /// Not among the zones.
    #[error("there is no zone `{zone}`")]
    UnknownZone {
        /// Its name.
        zone: String,
        /// The one that may be meant.
        choice: Choice,
    },
    /// No room, or more than memory holds.
    #[error("the hosts table cannot have {rows} rows")]
    HostCapacity {
        /// How many were asked for.
        rows: u32,
    },
    /// A path that depends on where the program was started.
    #[error("`{}` is a relative path", path.display())]
    RelativePath {
        /// The path.
        path: PathBuf,
    },
    /// Bits beyond the length are set.
    #[error("`{prefix}` has bits beyond its length")]
    HostBits {
        /// The prefix.
        prefix: IpNet,
    },
    /// IPv4 written as IPv6.
    #[error("`{prefix}` is IPv4 written as IPv6, which no host may send")]
    MappedPrefix {
        /// The prefix.
        prefix: IpNet,
    },
    /// The same prefix twice in a zone.
    #[error("the scope {prefix} is there twice in the same zone")]
    ScopeTwice {
        /// The prefix.
        prefix: IpNet,
        /// Line of the first.
        first: Option<usize>,
    },
    /// A scope that changes nothing.
    #[error("the scope {prefix} lies in {parent}, which is {} already", word(*action))]
    ScopeInScope {
        /// The prefix.
        prefix: IpNet,
        /// The prefix around it.
        parent: IpNet,
        /// What both say.
        action: ScopeAction,
    },
    /// A scope that takes from the operators what they were promised.
    #[error("the scope {prefix} ({}) lies in the operators' {operators}", word(*action))]
    ScopeInOperators {
        /// The prefix.
        prefix: IpNet,
        /// The operators' prefix.
        operators: IpNet,
        /// What the scope says.
        action: ScopeAction,
    },
    /// Everyone is an operator.
    #[error("the operators' {prefix} is every address, so that nobody would be checked")]
    EveryoneOperator {
        /// The prefix.
        prefix: IpNet,
    },
    /// A rule without destination.
    #[error("the list of destinations is empty, so the entry means nothing")]
    NoDestination,
    /// Ports where there are none.
    #[error("packets of the protocol `{protocol}` have no ports to compare")]
    PortsWithout {
        /// The protocol.
        protocol: Protocol,
    },
    /// An empty range.
    #[error("the range of ports {ports} ends before it begins")]
    PortOrder {
        /// The range.
        ports: PortRange,
    },
    /// A fixed rule of address translation.
    #[error(transparent)]
    Mapping(MappingFault),
    /// ICMP of the other family.
    #[error("`{protocol}` is never sent to {prefix}: it belongs to the other address family")]
    OtherFamily {
        /// The protocol.
        protocol: Protocol,
        /// The prefix.
        prefix: IpNet,
    },
    /// Not a name of a role.
    #[error("`{role}` cannot be the name of a role")]
    RoleName {
        /// The name.
        role: String,
    },
    /// A role that is neither built in nor complete: most likely misspelt.
    #[error("there is no role `{role}`, and as a new one it does not say its `default`")]
    NewRole {
        /// Its name.
        role: String,
        /// The one that may be meant.
        choice: Choice,
    },
    /// A role that is not there.
    #[error("there is no role `{role}`")]
    UnknownRole {
        /// Its name.
        role: String,
        /// The one that may be meant.
        choice: Choice,
    },
    /// Hosts that comply would be stopped.
    #[error("the role `{role}` is for hosts that may pass, and denies by default")]
    TrustedDenied {
        /// Its name.
        role: String,
    },
    /// No management server, or no clear one.
    #[error(transparent)]
    Management(ManagementError),
    /// No address to listen on.
    #[error("the embedded management server listens nowhere")]
    NoListener,
    /// A lease that a single lost heartbeat ends.
    #[error("a lease of {lease:?} ends between two heartbeats")]
    ShortLease {
        /// The lease.
        lease: Duration,
    },
    /// Port 0.
    #[error("the portal needs a port")]
    NoPort,
    /// Two listeners on one port.
    #[error("port {port} is taken by `{other}` already")]
    PortTaken {
        /// The port.
        port: u16,
        /// The key that has it.
        other: &'static str,
    },
    /// A file that cannot be used.
    #[error("cannot read {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// A secret that is none.
    #[error("the secret in {} can be read by every user of this machine", path.display())]
    OpenSecret {
        /// The file.
        path: PathBuf,
    },
    /// Not a name of a source.
    #[error("`{name}` cannot be the name of a source")]
    SourceName {
        /// The name.
        name: String,
    },
    /// Named twice.
    #[error("there is a source `{name}` already")]
    SourceTwice {
        /// The name.
        name: String,
    },
    /// More sources than the kernel has rows for.
    #[error("{count} sources are named, of which {most} have room")]
    TooManySources {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// A list that is not there now.
    #[error("the list of hosts {} cannot be read now: {cause}", path.display())]
    SourceFile {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Nobody to run the children as.
    #[error("this machine has no user `{name}`")]
    NoSuchUser {
        /// The name.
        name: String,
    },
    /// Nobody to be let in.
    #[error("this machine has no group `{name}`")]
    NoSuchGroup {
        /// The name.
        name: String,
    },
    /// The operator would lose the connection that he works through.
    #[error("{peer} is connected to this machine through `{interface}`, and {}", consequence(*mode))]
    LockOut {
        /// Where the operator is.
        peer: IpAddr,
        /// The interface that he comes through.
        interface: String,
        /// The mode of the configuration.
        mode: Mode,
    },
    /// Somebody to be told.
    #[error(transparent)]
    Alert(#[from] AlertFault),
    /// More than fits.
    #[error(transparent)]
    Compile(CompileError),
}
