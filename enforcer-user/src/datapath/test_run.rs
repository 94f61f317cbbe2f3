//! Running the real programs on given packets, without an interface: `BPF_PROG_TEST_RUN`.

use std::time::Duration;

use aya::{
    Ebpf,
    maps::{MapData, PerCpuArray},
    programs::{SchedClassifier, TestRun, TestRunOptions, Xdp},
};
use enforcer_common::{
    counter::Hook,
    seen::{JudgedRow, Seen},
};

use super::{
    Datapath, DatapathError, Plan,
    attach::interface_row,
    object::{self, Constants},
    plain::Plain,
    policy::map,
    steps::{Programs, TC_EGRESS, TC_INGRESS, XDP, XDP_FRAGS},
};

/// Bytes of a BPF instruction.
const INSTRUCTION: u32 = 8;

/// What lies in front of the verdict's row in `SEEN`, and behind it.
const SEEN: usize = size_of::<Seen>();

/// The programs of one interface, loaded but not attached.
pub struct Bench {
    object: Ebpf,
    xdp: Programs,
    seen: PerCpuArray<MapData, [u8; SEEN]>,
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

/// What the programs on a bench do beside judging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effects {
    /// All that they do on an interface: they count, report and remember.
    Real,
    /// Nothing: only the verdict is wanted.
    None,
}

impl Datapath {
    /// Loads the programs as for the interface of `plan`, whose row in the maps is `row`, so that they
    /// judge by the live maps.
    pub fn bench(&mut self, plan: &Plan, row: u32) -> Result<Bench, DatapathError> {
        self.set_interface(row, plan)?;
        self.bench_on(row, Effects::Real)
    }

    /// Loads the programs as for the interface that has this row in the maps already.
    pub fn bench_on(&self, row: u32, effects: Effects) -> Result<Bench, DatapathError> {
        self.bench_with(row, effects, XDP)
    }

    /// The same with the XDP programs for frames in several pieces, as those are that do not fit into a page.
    pub fn bench_in_pieces(&self, row: u32) -> Result<Bench, DatapathError> {
        self.bench_with(row, Effects::Real, XDP_FRAGS)
    }

    fn bench_with(
        &self,
        row: u32,
        effects: Effects,
        xdp: Programs,
    ) -> Result<Bench, DatapathError> {
        let constants = Constants {
            interface: row,
            redirect_replies: false,
            dry: effects == Effects::None,
            reply_mark: 0,
            tells_far_ends: true,
        };
        let mut object = object::load(&self.options, &self.pins, constants)?;
        for programs in [xdp, TC_INGRESS, TC_EGRESS] {
            programs.load(&mut object)?;
        }
        let seen = object
            .take_map("SEEN")
            .ok_or(DatapathError::Missing("SEEN"))?;
        Ok(Bench {
            seen: PerCpuArray::try_from(seen).map_err(map("SEEN"))?,
            object,
            xdp,
        })
    }

    /// Writes what the datapath needs to know of an interface; programs that are loaded for this row go by it at once.
    pub fn set_interface(&mut self, row: u32, plan: &Plan) -> Result<(), DatapathError> {
        self.set_vlans(row, &plan.vlans)?;
        self.maps
            .interfaces
            .set(row, Plain(interface_row(plan)), 0)
            .map_err(map("INTERFACES"))
    }
}

/// Binds the calling thread to the CPU that it is on.
fn stay_on_this_cpu() -> nix::Result<usize> {
    let cpu = nix::sched::sched_getcpu()?;
    let mut one = nix::sched::CpuSet::new();
    one.set(cpu)?;
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &one)?;
    Ok(cpu)
}

impl Bench {
    /// How large the programs are, as the kernel counts.
    pub fn sizes(&self) -> Result<Vec<Size>, DatapathError> {
        [self.xdp, TC_INGRESS, TC_EGRESS]
            .iter()
            .flat_map(Programs::names)
            .map(|name| self.size(name))
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
        let name = match hook {
            Hook::Xdp => self.xdp.first,
            hook => Programs::of(hook).first,
        };
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

    /// Runs the program of a hook once, and says what it judged.
    pub fn judge(&self, hook: Hook, packet: &[u8]) -> Result<(Ran, JudgedRow), DatapathError> {
        // The program leaves its judgement with the CPU that it ran on: a thread that stays on one can tell which.
        std::thread::scope(|scope| {
            let judging = scope.spawn(|| {
                let cpu = stay_on_this_cpu().map_err(DatapathError::Cpu)?;
                let ran = self.run(hook, packet, 1)?;
                Ok((ran, self.judged(cpu)?))
            });
            judging
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// What was judged of the last packet that was run on this CPU; the calling thread must have been bound to it.
    pub fn judged(&self, cpu: usize) -> Result<JudgedRow, DatapathError> {
        let rows = self.seen.get(&0, 0).map_err(map("SEEN"))?;
        let row = rows.get(cpu).ok_or(DatapathError::Missing("SEEN"))?;
        let (judged, _) = row.split_at(size_of::<JudgedRow>());
        Ok(bytemuck::pod_read_unaligned(judged))
    }
}
