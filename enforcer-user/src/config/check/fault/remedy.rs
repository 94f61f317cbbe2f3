//! How much each fault matters, and what to do about it.

use std::borrow::Cow;

use ipnet::IpNet;

use super::{
    super::{MIN_LEASE, Severity},
    Fault,
    words::{capacity, management},
};
use crate::config::{Choice, Mode};

impl Fault {
    /// Whether it keeps the configuration from being used.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Alert(fault) => fault.severity(),
            Self::EveryoneOperator { .. }
            | Self::NoSuchUplink { .. }
            | Self::OtherFamily { .. }
            | Self::TrustedDenied { .. }
            | Self::SourceFile { .. }
            | Self::LockOut {
                mode: Mode::Monitor,
                ..
            } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> Cow<'static, str> {
        match self {
            Self::NoInterface => {
                "add `[[interface]]` with the `name` of an interface on the side of the hosts"
                    .into()
            }
            Self::InterfaceName { .. } => {
                "write the name that `ip link` shows: 1 to 15 letters, without spaces and slashes"
                    .into()
            }
            Self::InterfaceTwice { .. }
            | Self::VlanTwice { .. }
            | Self::ZoneTwice { .. }
            | Self::ScopeTwice { first: None, .. } => "remove one of the two".into(),
            Self::NoVlan => "name the VLANs in `[[interface.vlan]]`, or remove `untagged`".into(),
            Self::VlanId { .. } => "write a number from 1 to 4094".into(),
            Self::ZoneName => "write a name, or remove the entry".into(),
            Self::RelativePath { .. } => "write the whole path, from `/` on".into(),
            Self::MappedPrefix { .. } => "write it as an IPv4 prefix".into(),
            Self::ScopeInScope { .. } => {
                "remove it, limit it to another `zone`, or give it another `action`".into()
            }
            Self::ScopeInOperators { .. } => {
                "remove the scope, or make the operators' prefix smaller".into()
            }
            Self::EveryoneOperator { .. } => "name only the prefixes of administrators".into(),
            Self::NoDestination => {
                "name prefixes in `to`, such as [\"192.0.2.10/32\"], or remove the entry".into()
            }
            Self::PortsWithout { .. } => {
                "set `protocol` to tcp, udp or sctp, or remove `ports`".into()
            }
            Self::OtherFamily { .. } => "use icmp for IPv4 and icmpv6 for IPv6".into(),
            Self::RoleName { .. } => {
                "use small letters, digits, `-` and `_`, and not the word `everyone`".into()
            }
            Self::TrustedDenied { .. } => {
                "remove `default`, unless its rules name all that such hosts may reach".into()
            }
            Self::Management(error) => management(*error).into(),
            Self::NoListener => {
                "name an address in `listen`, such as \"0.0.0.0:8443\", or remove the key".into()
            }
            Self::NoPort => "write a port, such as 8480".into(),
            Self::PortTaken { .. } => "give one of them another port".into(),
            Self::File { .. } => "create the file, or correct the path".into(),
            Self::SourceName { .. } => {
                "use 1 to 32 letters, digits, `-`, `_` and `.`, without spaces".into()
            }
            Self::SourceTwice { .. } => "give one of them another name".into(),
            Self::TooManySources { .. } => "join lists into one file".into(),
            Self::SourceFile { .. } => {
                "create it, or correct the path: nothing is decided by it until then".into()
            }
            Self::NoSuchUser { .. } => {
                "name an unprivileged user that exists; without `[user]` it is `nobody`".into()
            }
            Self::NoSuchGroup { name } => {
                format!("make it with `groupadd --system {name}`, or name another; without it root alone is let in").into()
            }
            Self::Compile(_) => "use fewer: join neighbouring prefixes and ranges of ports".into(),
            Self::UplinkEnforced { .. } => {
                "remove it from `uplinks` where hosts are behind it, else remove its [[interface]]"
                    .into()
            }
            Self::NoSuchInterface { choice, .. }
            | Self::NoSuchUplink { choice, .. }
            | Self::UnknownZone { choice, .. }
            | Self::UnknownRole { choice, .. } => choice.to_string().into(),
            Self::NewRole {
                choice: choice @ Choice::Nearest(_),
                ..
            } => format!("{choice} For a new role add `default = \"deny\"` or \"allow\"").into(),
            Self::NewRole { .. } => "add `default = \"deny\"` or `default = \"allow\"`".into(),
            Self::HostCapacity { .. } => capacity().into(),
            Self::HostBits { prefix } => {
                let network = prefix.trunc();
                format!("write \"{network}\", or the address alone if one host is meant").into()
            }
            Self::ScopeTwice {
                first: Some(line), ..
            } => format!("remove it, or the one in line {line}").into(),
            Self::Mapping(fault) => fault.remedy(),
            Self::Alert(fault) => fault.remedy(),
            Self::PortOrder { ports } => format!("write \"{}-{}\"", ports.last, ports.first).into(),
            Self::ShortLease { .. } => {
                let least = MIN_LEASE.as_secs();
                format!("write at least \"{least}s\"; \"180s\" is usual").into()
            }
            Self::OpenSecret { path } => format!(
                "chmod 600 {}; since others may have read it, have a new one made",
                path.display()
            )
            .into(),
            Self::LockOut { peer, .. } => {
                format!("add \"{}\" to `operators`", IpNet::from(*peer)).into()
            }
        }
    }
}
