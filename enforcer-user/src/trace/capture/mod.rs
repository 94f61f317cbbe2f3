//! Captures: pcap and pcapng, read packet by packet, so that a file of any size takes the same memory.

mod classic;
mod error;
mod sections;
mod source;
#[cfg(test)]
mod tests;

use std::{path::Path, time::Duration};

use pcap_file::DataLink;

pub use error::{CaptureError, Place};

use classic::Classic;
use sections::Sections;
use source::Source;

/// A packet of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Its number, counted from 1 as other tools do.
    pub number: u64,
    /// When it was captured, since 1970; zero where the file does not say.
    pub time: Duration,
    /// How long it was on the wire.
    pub length: usize,
    /// What was captured of it, from its Ethernet header on.
    pub bytes: Vec<u8>,
}

impl Packet {
    /// Whether bytes at the end were not captured.
    pub fn is_cut(&self) -> bool {
        self.bytes.len() < self.length
    }

    /// Takes the next packet of the file. The room of the one before is used again.
    fn take(&mut self, time: Duration, length: u32, bytes: &[u8]) {
        self.number += 1;
        self.time = time;
        // Some writers leave the length on the wire at zero.
        self.length = (length as usize).max(bytes.len());
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }
}

/// A capture that is being read.
pub struct Capture(Format);

enum Format {
    Classic(Classic),
    Sections(Sections),
}

impl Capture {
    /// Opens a file, or standard input when the name is `-`.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let source = Source::open(path)?;
        let format = match source.magic() {
            magic if classic::is_magic(magic) => Format::Classic(Classic::new(source)?),
            sections::MAGIC => Format::Sections(Sections::new(source)?),
            other => return Err(CaptureError::foreign(source.name(), other)),
        };
        Ok(Self(format))
    }

    /// Reads the next packet into `packet`; false at the end of the file.
    pub fn next(&mut self, packet: &mut Packet) -> Result<bool, CaptureError> {
        match &mut self.0 {
            Format::Classic(capture) => capture.next(packet),
            Format::Sections(capture) => capture.next(packet),
        }
    }
}

/// The name of a link type in the list of the format, and its number.
fn link_name(link: DataLink) -> String {
    let number = u32::from(link);
    match link {
        DataLink::Unknown(_) => format!("{number}, which has no name"),
        link => format!("{link:?} ({number})"),
    }
}
