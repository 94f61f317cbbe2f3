//! How long the programs run, as the kernel counts it when it is told to.

use std::{fs, time::Duration};

use enforcer_common::counter::Hook;

use super::{
    Datapath,
    attach::Attached,
    choice::Place,
    steps::{TC_EGRESS, TC_INGRESS, XDP, XDP_FRAGS},
};

/// Where the kernel is told.
const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// The runs of a hook's programs, since they were put there. The first one's figures hold the steps behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    /// The interface.
    pub interface: String,
    /// The hook.
    pub hook: Hook,
    /// How many packets they ran for.
    pub count: u64,
    /// How long they took together.
    pub time: Duration,
}

impl Datapath {
    /// The runs at each hook; none while the kernel does not count them, since that costs time with each packet.
    pub fn runs(&self) -> Option<Vec<Runs>> {
        let switch = fs::read_to_string(SWITCH).unwrap_or_default();
        if switch.trim() != "1" {
            return None;
        }
        let hooks = |attached| [ingress(attached), (Hook::TcEgress, TC_EGRESS.first)];
        let runs = self.attached.iter().flat_map(|attached| {
            let each = hooks(attached).into_iter();
            each.filter_map(|(hook, program)| runs_of(attached, hook, program))
        });
        Some(runs.collect())
    }
}

fn ingress(attached: &Attached) -> (Hook, &'static str) {
    match attached.place {
        Place::Native | Place::Generic => (Hook::Xdp, XDP.first),
        Place::NativeFrags => (Hook::Xdp, XDP_FRAGS.first),
        Place::Tc => (Hook::TcIngress, TC_INGRESS.first),
    }
}

fn runs_of(attached: &Attached, hook: Hook, program: &str) -> Option<Runs> {
    let info = attached.object.program(program)?.info().ok()?;
    Some(Runs {
        interface: attached.attachment.interface.clone(),
        hook,
        count: info.run_count(),
        time: info.run_time(),
    })
}
