//! The programs of a hook: the first look, and the steps behind it, which it reaches by tail calls.

use std::{fs, path::PathBuf};

use aya::{
    Ebpf,
    maps::{MapData, ProgramArray},
    programs::{Program, ProgramError, SchedClassifier, Xdp},
};
use enforcer_common::counter::Hook;

use super::{DatapathError, attach::program, pins::Pins, policy::map};

/// The programs of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    /// The program that is attached.
    pub first: &'static str,
    /// The map by which it reaches the others.
    pub map: &'static str,
    /// The others, with their places in the map.
    pub steps: &'static [(u32, &'static str)],
}

/// XDP.
pub(super) const XDP: Programs = Programs {
    first: "enforcer_xdp",
    map: "XDP_STEPS",
    steps: &[
        (0, "enforcer_xdp_decide"),
        (1, "enforcer_xdp_reset"),
        (2, "enforcer_xdp_redirect"),
        (3, "enforcer_xdp_close"),
        (4, "enforcer_xdp_claim"),
        (5, "enforcer_xdp_record"),
        (6, "enforcer_xdp_chain"),
        (7, "enforcer_xdp_prohibited"),
    ],
};

/// XDP for frames in several pieces.
pub(super) const XDP_FRAGS: Programs = Programs {
    first: "enforcer_xdp_frags",
    map: "XDP_STEPS",
    steps: &[
        (0, "enforcer_xdp_frags_decide"),
        (1, "enforcer_xdp_frags_reset"),
        (2, "enforcer_xdp_frags_redirect"),
        (3, "enforcer_xdp_frags_close"),
        (4, "enforcer_xdp_frags_claim"),
        (5, "enforcer_xdp_frags_record"),
        (6, "enforcer_xdp_frags_chain"),
        (7, "enforcer_xdp_frags_prohibited"),
    ],
};

/// TC on ingress.
pub(super) const TC_INGRESS: Programs = Programs {
    first: "enforcer_tc_ingress",
    map: "TC_INGRESS_STEPS",
    steps: &[
        (0, "enforcer_tc_ingress_decide"),
        (1, "enforcer_tc_ingress_reset"),
        (2, "enforcer_tc_ingress_redirect"),
        (3, "enforcer_tc_ingress_close"),
        (4, "enforcer_tc_ingress_claim"),
        (5, "enforcer_tc_ingress_record"),
        (6, "enforcer_tc_ingress_chain"),
        (7, "enforcer_tc_ingress_prohibited"),
    ],
};

/// TC on egress.
pub(super) const TC_EGRESS: Programs = Programs {
    first: "enforcer_tc_egress",
    map: "TC_EGRESS_STEPS",
    steps: &[
        (0, "enforcer_tc_egress_decide"),
        (1, "enforcer_tc_egress_reset"),
        (2, "enforcer_tc_egress_restore"),
        (5, "enforcer_tc_egress_record"),
        (6, "enforcer_tc_egress_chain"),
    ],
};

impl Programs {
    /// The programs of a hook, for frames in one piece.
    pub(super) const fn of(hook: Hook) -> Self {
        match hook {
            Hook::Xdp => XDP,
            Hook::TcIngress => TC_INGRESS,
            Hook::TcEgress => TC_EGRESS,
        }
    }

    /// The names of all.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let steps = self.steps.iter().map(|(_, name)| *name);
        std::iter::once(self.first).chain(steps)
    }

    /// Has all of them verified and loaded, and puts the steps in their places. The object keeps them there: a map of
    /// programs is emptied when nobody holds or pins it any more, and a pin goes with its file system.
    pub(super) fn load(&self, object: &mut Ebpf) -> Result<(), DatapathError> {
        for name in self.names() {
            load(program(object, name)?).map_err(|error| DatapathError::Program { name, error })?;
        }
        let mut loaded = Vec::with_capacity(self.steps.len());
        for &(place, name) in self.steps {
            let failed = |error| DatapathError::Program { name, error };
            let fd = program(object, name)?.fd().map_err(failed)?;
            let fd = fd.try_clone().map_err(|error| failed(error.into()))?;
            loaded.push((place, fd));
        }
        let mut steps = self.map(object)?;
        for (place, fd) in loaded {
            steps.set(place, &fd, 0).map_err(map(self.map))?;
        }
        Ok(())
    }

    fn map<'a>(
        &self,
        object: &'a mut Ebpf,
    ) -> Result<ProgramArray<&'a mut MapData>, DatapathError> {
        let found = object.map_mut(self.map);
        ProgramArray::try_from(found.ok_or(DatapathError::Missing(self.map))?)
            .map_err(map(self.map))
    }
}

/// The map of a hook's steps, pinned beside the one that is in use, so that both programs find their steps while the
/// link changes from one to the other.
pub(super) struct Staged {
    new: PathBuf,
    pin: PathBuf,
}

impl Staged {
    /// Loads the programs of a hook and pins the map of their steps.
    pub(super) fn prepare(
        programs: Programs,
        object: &mut Ebpf,
        pins: &Pins,
        interface: &str,
        hook: &str,
    ) -> Result<Self, DatapathError> {
        programs.load(object)?;
        let pin = pins.steps(interface, hook);
        let new = pins.steps(interface, &format!("{hook}-new"));
        // Of an earlier process that ended at this very place.
        let _ = fs::remove_file(&new);
        let pinned = programs.map(object)?.pin(&new);
        pinned.map_err(|error| DatapathError::LinkPin {
            interface: interface.to_owned(),
            error,
        })?;
        Ok(Self { new, pin })
    }

    /// The program with these steps is at work: the steps of the one before may go.
    pub(super) fn settle(self) -> Result<(), DatapathError> {
        fs::rename(&self.new, &self.pin).map_err(|error| DatapathError::Pin {
            path: self.pin.clone(),
            error,
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // There is none any more when it was settled.
        let _ = fs::remove_file(&self.new);
    }
}

fn load(program: &mut Program) -> Result<(), ProgramError> {
    match program {
        Program::Xdp(program) => Xdp::load(program),
        Program::SchedClassifier(program) => SchedClassifier::load(program),
        _ => Err(ProgramError::UnexpectedProgramType),
    }
}
