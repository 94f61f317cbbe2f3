//! What a controller is made of.

use std::collections::HashSet;

use enforcer_common::host::Host;
use tokio::sync::{mpsc, watch};

use crate::{
    alerts::Alerts,
    config::{Compiled, Config},
    conntrack::Forgetter,
    datapath::Datapath,
    gateway::reload::Reloads,
    identity::{
        kept::{Keeper, Kept},
        neighbours::{InterfaceZones, Question},
        tracer::Tracer,
    },
    metrics::Metrics,
    registry::Registry,
    simulation::Simulation,
    sources::{Profile, operator::Exceptions, queries::Queries},
};

/// What a controller is made of.
pub struct Parts {
    /// The configuration, for what the views name.
    pub config: Config,
    /// The same, compiled.
    pub compiled: Compiled,
    /// The gateway's own addresses: nothing is decided of them.
    pub own: HashSet<Host>,
    /// The datapath, its tables filled and its programs attached.
    pub datapath: Datapath,
    /// What the kernel holds, and the operator's exceptions.
    pub registry: Registry,
    /// The hosts that an earlier process left closing.
    pub closing: Vec<Host>,
    /// What decides, apart from the operator.
    pub sources: Vec<Profile>,
    /// The operator's exceptions, stored.
    pub exceptions: Exceptions,
    /// Where unknown hosts are asked about.
    pub queries: Queries,
    /// Where the kernel is told to ask neighbours.
    pub questions: mpsc::Sender<Question>,
    /// Who finds out whose address was translated.
    pub tracer: Tracer,
    /// Where it is kept what that found, and what an earlier process found.
    pub found_before: (Keeper, Vec<Kept>),
    /// Where it is told what is tracked.
    pub alerts: Alerts,
    /// The metrics.
    pub metrics: Metrics,
    /// Where the connections of hosts that were cut are forgotten.
    pub forgetter: Forgetter,
    /// Where it is said whose neighbours are watched.
    pub interfaces: watch::Sender<InterfaceZones>,
    /// Whether decisions that were saved before the machine was started are in force.
    pub is_restored: bool,
    /// Faults that tests switch on.
    pub simulation: Simulation,
    /// What the configuration is read anew with.
    pub(crate) reloads: Reloads,
}
