//! Running the real programs on given packets, without an interface: `BPF_PROG_TEST_RUN`.

use std::time::Duration;

use aya::{
    Ebpf,
    programs::{SchedClassifier, TestRun, TestRunOptions, Xdp},
};
use enforcer_common::counter::Hook;

use super::{
    Datapath, DatapathError, Plan,
    attach::{interface_row, program},
    object::{self, Constants},
    plain::Plain,
    policy::map,
};

const INGRESS: &str = "enforcer_xdp";
const EGRESS: &str = "enforcer_tc_egress";

/// Bytes of a BPF instruction.
const INSTRUCTION: u32 = 8;

/// The programs of one interface, loaded but not attached.
pub struct Bench {
    object: Ebpf,
}

/// What a program did with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The program's own code: an `XDP_…` or `TC_ACT_…` number.
    pub code: u32,
    /// The packet as the program left it.
    pub packet: Vec<u8>,
    /// The mean time of a run.
    pub duration: Duration,
}

/// How large a loaded program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its name.
    pub program: &'static str,
    /// Its instructions.
    pub instructions: u32,
    /// The instructions that the verifier walked through, each path counted; Linux 5.16 and later
    /// tell it.
    pub verified: Option<u32>,
    /// Bytes of native code.
    pub native_bytes: u32,
}

impl Datapath {
    /// Loads the programs as for the interface of `plan`, whose row in the maps is `row`, so that they
    /// judge by the live maps.
    pub fn bench(&mut self, plan: &Plan, row: u32) -> Result<Bench, DatapathError> {
        self.maps
            .interfaces
            .set(row, Plain(interface_row(plan)), 0)
            .map_err(map("INTERFACES"))?;
        let constants = Constants {
            interface: row,
            redirect_replies: false,
        };
        let mut object = object::load(&self.options, &self.pins, constants)?;
        let failed = |name| move |error| DatapathError::Program { name, error };
        let xdp: &mut Xdp = program(&mut object, INGRESS)?
            .try_into()
            .map_err(failed(INGRESS))?;
        xdp.load().map_err(failed(INGRESS))?;
        let tc: &mut SchedClassifier = program(&mut object, EGRESS)?
            .try_into()
            .map_err(failed(EGRESS))?;
        tc.load().map_err(failed(EGRESS))?;
        Ok(Bench { object })
    }
}

impl Bench {
    /// How large the programs are, as the kernel counts.
    pub fn sizes(&self) -> Result<Vec<Size>, DatapathError> {
        [INGRESS, EGRESS]
            .map(|name| self.size(name))
            .into_iter()
            .collect()
    }

    fn size(&self, name: &'static str) -> Result<Size, DatapathError> {
        let program = self
            .object
            .program(name)
            .ok_or(DatapathError::Missing(name))?;
        let info = program
            .info()
            .map_err(|error| DatapathError::Program { name, error })?;
        Ok(Size {
            program: name,
            instructions: info.size_translated().unwrap_or(0) / INSTRUCTION,
            verified: info.verified_instruction_count(),
            native_bytes: info.size_jitted(),
        })
    }

    /// Runs the program of a hook `repeat` times on a packet that starts with its Ethernet header.
    /// The packet that the program leaves is that of the last run.
    pub fn run(&self, hook: Hook, packet: &[u8], repeat: u32) -> Result<Ran, DatapathError> {
        let mut output = vec![0; packet.len() + 256];
        let options = TestRunOptions {
            data_in: Some(packet),
            data_out: Some(&mut output),
            repeat,
            ..TestRunOptions::default()
        };
        let name = name(hook);
        let failed = |error| DatapathError::Program { name, error };
        let program = self
            .object
            .program(name)
            .ok_or(DatapathError::Missing(name))?;
        let result = if hook == Hook::Xdp {
            let program: &Xdp = program.try_into().map_err(failed)?;
            program.test_run(options)
        } else {
            let program: &SchedClassifier = program.try_into().map_err(failed)?;
            program.test_run(options)
        };
        let result = result.map_err(failed)?;
        output.truncate(result.data_size_out as usize);
        Ok(Ran {
            code: result.return_value,
            packet: output,
            duration: result.duration,
        })
    }
}

fn name(hook: Hook) -> &'static str {
    if hook == Hook::Xdp { INGRESS } else { EGRESS }
}
