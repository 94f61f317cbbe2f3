//! The kernel side, seen from user space: the only module that names aya.
//!
//! [`Datapath::open`] creates the maps, or adopts those that an earlier process left pinned;
//! [`Datapath::attach`] puts programs on an interface; the rest writes and reads tables.

mod amend;
mod attach;
mod batch;
mod choice;
mod clock;
mod counters;
mod error;
mod events;
mod follow;
mod foreign;
mod hosts;
mod ingress;
#[cfg(feature = "kernel-log")]
mod kernel_log;
mod live;
mod maps;
mod object;
mod pins;
mod plain;
mod policy;
mod runs;
mod steps;
mod tags;
mod tc;
mod test_run;
mod vlans;

pub use attach::{Attachment, EgressHook, IngressHook, Plan};
pub use choice::IngressChoice;
pub use clock::Clock;
pub use counters::Sample;
pub use error::DatapathError;
pub use events::Events;
pub use follow::Followed;
pub use foreign::Stranger;
pub use hosts::HostChange;
pub use live::LiveTables;
pub use object::check_capabilities;
pub use pins::check_mount;
pub use policy::Rulings;
pub use runs::Runs;
pub use test_run::{Bench, Effects, Ran, Size};
pub use vlans::VlanPlan;

use std::{fs, path::PathBuf};

use enforcer_common::limits;

use crate::simulation::Simulation;
use maps::Maps;
use object::Constants;
use pins::Pins;

/// Where and how large the maps are.
#[derive(Clone, Debug)]
pub struct Options {
    /// A directory on a BPF file system, which need not exist yet. What is pinned there stays when
    /// this process ends.
    pub pin_dir: PathBuf,
    /// Rows of each hosts table.
    pub host_capacity: u32,
}

/// The maps and programs of one gateway.
pub struct Datapath {
    options: Options,
    pins: Pins,
    maps: Maps,
    clock: Clock,
    /// What `GENERATIONS` holds. This process is its only writer.
    generations: Vec<u64>,
    attached: Vec<attach::Attached>,
    adopted: bool,
    simulation: Simulation,
}

impl Datapath {
    /// Creates the maps, or adopts those that are pinned already.
    ///
    /// # Errors
    ///
    /// When capabilities are missing, the pin directory is on no BPF file system, or the pinned maps
    /// have another shape.
    pub fn open(options: Options) -> Result<Self, DatapathError> {
        check_capabilities()?;
        let pins = Pins::prepare(&options.pin_dir)?;
        let adopted = pins.check_shapes(&options)?;
        let mut object = object::load(&options, &pins, Constants::default())?;
        let maps = Maps::take(&mut object, &pins)?;
        let generations = if adopted {
            maps.generations()?
        } else {
            vec![0; limits::GENERATIONS as usize]
        };
        let clock = Clock::new(object)?;
        Ok(Self {
            options,
            pins,
            maps,
            clock,
            generations,
            attached: Vec::new(),
            adopted,
            simulation: Simulation::default(),
        })
    }

    /// Lets faults be simulated from now on.
    pub fn simulate(&mut self, simulation: Simulation) {
        self.simulation = simulation;
    }

    /// Whether the maps were there already, with what an earlier process had decided.
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    /// Whether what the datapath holds would outlive this process.
    pub fn is_pinned(&self) -> bool {
        self.pins.map("SETTINGS").exists()
    }

    /// The clock that deadlines are compared with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What the programs are attached to.
    pub fn attachments(&self) -> impl Iterator<Item = &Attachment> {
        self.attached.iter().map(|attached| &attached.attachment)
    }

    /// Takes the ring of events; there is one reader.
    pub fn take_events(&mut self) -> Result<Events, DatapathError> {
        self.maps.take_events()
    }

    /// Takes the programs from every interface and removes all that is pinned.
    pub fn detach(mut self) -> Result<(), DatapathError> {
        for attached in self.attached.drain(..) {
            attached.remove()?;
        }
        let root = self.pins.root().to_owned();
        fs::remove_dir_all(&root).map_err(|error| DatapathError::Pin { path: root, error })
    }

    /// Takes off what this process put on, and leaves what it found.
    pub fn undo(mut self) -> Result<(), DatapathError> {
        if !self.adopted {
            return self.detach();
        }
        for attached in self.attached.drain(..) {
            if attached.attachment.adopted {
                attached.keep();
            } else {
                attached.remove()?;
            }
        }
        Ok(())
    }

    /// Ends this process's part and leaves programs and maps at work.
    pub fn keep(mut self) {
        for attached in self.attached.drain(..) {
            attached.keep();
        }
    }
}
