//! The configuration file: what the operator writes, and what the rest of the gateway makes of it.
//!
//! The way of a file: [`Config::load`] reads it, [`check`](check::check) finds everything that is wrong with
//! it, and [`Config::compile`] turns it into rows for the datapath.

mod alert;
mod change;
pub mod check;
mod choice;
mod compile;
mod control;
mod fail;
mod load;
pub mod machine;
mod management;
mod nat;
mod places;
mod rule;
mod schema;
mod sessions;
mod shown;
mod sources;
mod track;
mod value;

pub use alert::{AlertEntry, AlertKind, Command, Mail, MailTls, Way as AlertWay, Webhook};
pub use change::need_restart;
pub use choice::Choice;
pub use compile::{CompileError, Compiled, InterfacePlan, RoleNames, VlanPlan};
pub use control::Control;
pub use fail::{Fail, Way};
pub use load::{ConfigError, Position};
pub use management::{Embedded, Management, ManagementError, Remote, Servers};
pub use nat::{Nat, SharedAddresses, StaticMapping};
pub use places::Places;
pub use rule::{Action, Role, Rule, Service};
pub use schema::{
    Config, HookChoice, Interface, Lease, Limits, Metrics, Mode, OnStop, Portal, ScopeAction,
    ScopeEntry, Startup, Unknown, User, Vlan,
};
pub use shown::{changed, shown};
pub use sources::{FileSource, Share, Sources};
pub use track::Track;
pub use value::{PortRange, Protocol, ValueError};

/// A complete configuration with a comment for every key.
pub const EXAMPLE: &str = include_str!("../../enforcer.example.toml");
