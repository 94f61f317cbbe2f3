//! A capture through the real programs, offline: `BPF_PROG_TEST_RUN` packet by packet, with the tables that
//! a configuration and a list of hosts make. Nothing is attached, and nothing stays behind.

mod bpffs;
mod capture;
mod causes;
mod contents;
mod error;
mod interrupt;
mod judge;
mod judged;
mod line;
mod offline;
mod sent;
mod summary;

use std::{
    io::{self, ErrorKind, Write},
    net::IpAddr,
    path::PathBuf,
};

use enforcer_common::counter::Hook;

pub use bpffs::BpfFsError;
pub use capture::{CaptureError, Place};
pub use error::{SetUpError, TraceError};
pub use judged::JudgeError;
pub use sent::SentError;
pub use summary::Summary;

use crate::{config::Mode, datapath};
use capture::{Capture, Packet};
use interrupt::Interrupt;
use judge::{Fate, Judge};
use line::Words;
use offline::Offline;
use sent::SentPackets;

/// What is traced, and by what.
#[derive(Clone, Debug)]
pub struct TraceOptions {
    /// The configuration of the gateway.
    pub config: PathBuf,
    /// The list of hosts; without it nothing is decided of anyone.
    pub hosts: Option<PathBuf>,
    /// The interface where the packets are met; without it the first one.
    pub interface: Option<String>,
    /// The gateway's own addresses on it.
    pub addresses: Vec<IpAddr>,
    /// Instead of the mode in the configuration.
    pub mode: Option<Mode>,
    /// Where the packets are judged.
    pub hook: Hook,
    /// The capture.
    pub pcap: PathBuf,
    /// Where packets go that the datapath would send.
    pub pcap_out: Option<PathBuf>,
    /// Whether each line is a JSON object.
    pub json: bool,
}

/// A trace that is ready to run.
pub struct Trace {
    capture: Capture,
    judge: Judge,
    offline: Offline,
    hook: Hook,
    json: bool,
    sent: Option<SentPackets>,
    interrupt: Interrupt,
}

impl Trace {
    /// Reads everything, and makes tables and programs for this thread to run. The thread has mounts of its
    /// own from then on.
    pub fn set_up(options: &TraceOptions) -> Result<Self, SetUpError> {
        let offline = Offline::read(options)?;
        let capture = Capture::open(&options.pcap)?;
        datapath::check_capabilities()?;
        let interrupt = Interrupt::watch().map_err(SetUpError::Signals)?;
        let (datapath, bench) = offline.load()?;
        let judge = Judge::new(datapath, bench, options.hook)?;
        let sent = options.pcap_out.as_deref();
        let sent = sent.map(|path| SentPackets::create(path, &options.pcap));
        Ok(Self {
            capture,
            judge,
            hook: options.hook,
            json: options.json,
            sent: sent.transpose()?,
            interrupt,
            offline,
        })
    }

    /// Prints a line for each packet. The summary is of all packets that were printed, whatever ended it.
    pub fn run(mut self, out: &mut impl Write) -> (Summary, Result<(), TraceError>) {
        let mut summary = Summary::begin(self.what(), std::mem::take(&mut self.offline.notes));
        let ended = self.packets(out, &mut summary);
        let ended = ended.and(out.flush().map_err(TraceError::Print));
        let sent = self.sent.take().map(SentPackets::finish).transpose();
        let (sent, ended) = match sent {
            Ok(sent) => (sent, ended),
            Err(error) => (None, ended.and(Err(error.into()))),
        };
        summary.end(sent);
        let ended = match ended {
            // Whoever reads has seen enough, as `head` has.
            Err(TraceError::Print(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            ended => ended,
        };
        (summary, ended)
    }

    fn packets(&mut self, out: &mut impl Write, summary: &mut Summary) -> Result<(), TraceError> {
        let words = Words {
            hook: self.hook,
            roles: &self.offline.compiled.roles,
            zones: &self.offline.compiled.zones,
            zone: &self.offline.compiled.zones[self.offline.interface.zone as usize],
        };
        let mut packet = Packet::default();
        let mut unjudged = None;
        while self.capture.next(&mut packet)? {
            if self.interrupt.is_asked() {
                return Err(TraceError::Interrupted(packet.number - 1));
            }
            let contents = self.judge.contents(&packet)?;
            let fate = self.judge.judge(&packet, &contents)?;
            let line = words.line(&packet, &contents, &fate);
            if self.json {
                serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)
            } else {
                write!(out, "{line}")
            }
            .and_then(|()| writeln!(out))
            .map_err(TraceError::Print)?;
            summary.count(&line);
            match (fate, &mut self.sent) {
                (
                    Fate::Judged {
                        sent: Some(sent), ..
                    },
                    Some(file),
                ) => file.write(&packet, sent)?,
                (Fate::Judged { .. }, _) => {}
                (Fate::Unjudged(why), _) => {
                    let (count, ..) = unjudged.get_or_insert_with(|| {
                        (0, packet.number, format!("{why}; {}", why.remedy()))
                    });
                    *count += 1;
                }
            }
        }
        match unjudged {
            None => Ok(()),
            Some((count, first, why)) => Err(TraceError::Unjudged {
                count,
                packets: packet.number,
                first,
                why,
            }),
        }
    }

    /// By what packets are judged.
    fn what(&self) -> String {
        let Offline {
            compiled,
            interface,
            ..
        } = &self.offline;
        let hook = Hook::ALL[self.hook as usize].1;
        let zone = &compiled.zones[interface.zone as usize];
        let mode = format!("{:?}", compiled.mode).to_lowercase();
        format!(
            "judged as by {hook} on {}, zone {zone}, mode {mode}",
            interface.name
        )
    }
}
