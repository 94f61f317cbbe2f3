//! Whether this machine can do what a configuration asks of it, and what keeps it from that.
//!
//! Each check is one function from the [`Subject`] to findings, and a row of [`CHECKS`]. Nothing is changed.

mod clock;
mod interfaces;
mod machine;
mod running;
mod ways;

use std::path::Path;

use serde::Serialize;

use crate::{
    config::Config,
    control::status::StatusView,
    links::{Forwarding, Link},
    netlink::AnswerError,
};

/// How it stands with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Something is worse than it could be.
    Warn,
    /// The gateway does not run like this, or lets packets pass unjudged.
    Fail,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check.
    pub check: &'static str,
    /// What was looked at: an interface, a file; empty for the machine.
    pub object: String,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, unless all is well.
    pub remedy: Option<String>,
}

/// What is looked at.
#[derive(Debug, Default)]
pub struct Subject {
    /// The configuration.
    pub config: Config,
    /// The interfaces.
    pub links: Vec<Forwarding>,
    /// How the running gateway is, if one runs.
    pub running: Option<StatusView>,
}

impl Subject {
    /// This machine with this configuration.
    pub fn read(config: Config, running: Option<StatusView>) -> Result<Self, AnswerError> {
        Ok(Self {
            config,
            links: Forwarding::read()?,
            running,
        })
    }

    /// The interfaces of the configuration that are there.
    fn enforced(&self) -> impl Iterator<Item = &Link> {
        let names = self.config.interfaces.iter().map(|one| &one.name);
        names.filter_map(|name| self.link(name))
    }

    fn link(&self, name: &str) -> Option<&Link> {
        let mut links = self.links.iter().map(|one| &one.link);
        links.find(|link| link.name == name)
    }
}

type Check = fn(&Subject) -> Vec<Answer>;

/// What a check says of one object.
struct Answer {
    object: String,
    state: State,
    found: String,
    remedy: Option<String>,
}

impl Answer {
    fn ok(object: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            object: object.into(),
            state: State::Ok,
            found: found.into(),
            remedy: None,
        }
    }

    fn warn(
        object: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Warn,
            remedy: Some(remedy.into()),
            ..Self::ok(object, found)
        }
    }

    fn fail(
        object: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Fail,
            ..Self::warn(object, found, remedy)
        }
    }
}

/// Every check, in the order of the report.
const CHECKS: &[(&str, Check)] = &[
    ("capabilities", machine::capabilities),
    ("kernel", machine::kernel),
    ("tcx", machine::tcx),
    ("btf", machine::btf),
    ("jit", machine::jit),
    ("bpffs", machine::bpffs),
    ("conntrack", machine::conntrack),
    ("clock", clock::clock),
    ("certificate", clock::certificate),
    ("interface", interfaces::are_there),
    ("xdp", interfaces::xdp),
    ("mtu", interfaces::mtu),
    ("vlan tags", interfaces::tags),
    ("lro", interfaces::joined_segments),
    ("offload", interfaces::offload),
    ("forwarding", ways::forwarding),
    ("rp_filter", ways::reverse_path),
    ("inventory", ways::inventory),
    ("gateway", running::gateway),
];

/// Has every check look at the subject.
pub fn examine(subject: &Subject) -> Vec<Finding> {
    let checks = CHECKS.iter();
    let findings = checks.flat_map(|(check, look)| {
        look(subject).into_iter().map(|answer| Finding {
            check,
            object: answer.object,
            state: answer.state,
            found: answer.found,
            remedy: answer.remedy,
        })
    });
    findings.collect()
}

/// What is wrong with the configuration itself, as one more check.
pub fn configuration(path: &Path, config: &Config) -> Vec<Finding> {
    let finding = |state, found, remedy| Finding {
        check: "configuration",
        object: path.display().to_string(),
        state,
        found,
        remedy,
    };
    let machine = match crate::config::machine::Machine::read() {
        Ok(machine) => machine,
        Err(error) => return vec![finding(State::Fail, error.to_string(), None)],
    };
    let faults = crate::config::check::check(config, Some(&machine));
    if faults.is_empty() {
        return vec![finding(State::Ok, "can be used".to_owned(), None)];
    }
    let faults = faults.into_iter().map(|one| {
        let state = if one.is_error() {
            State::Fail
        } else {
            State::Warn
        };
        let remedy = one.fault.remedy().into_owned();
        let found = format!("{}: {}", one.key, one.fault);
        finding(state, found, Some(remedy))
    });
    faults.collect()
}
