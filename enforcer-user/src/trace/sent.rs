//! The packets that the datapath would send, as a capture.

use std::{
    error::Error,
    fs::{self, File},
    io::BufWriter,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use pcap_file::{
    DataLink, Endianness,
    pcap::{PcapHeader, PcapPacket, PcapTsResolution, PcapWriter},
};

use super::{capture::Packet, causes::causes, judge::Sent};

/// No packet is longer than a test run takes.
const SNAP_LENGTH: u32 = 1 << 18;

/// Why they are not written.
#[derive(Debug, thiserror::Error)]
pub enum SentError {
    /// The capture would be lost.
    #[error("{} is the capture that is read; name another file for `--pcap-out`", .0.display())]
    Same(PathBuf),
    /// Not written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
}

/// A capture of its own: pcap, with nanoseconds.
pub(super) struct SentPackets {
    path: PathBuf,
    writer: PcapWriter<BufWriter<File>>,
    count: u64,
}

impl SentPackets {
    /// Makes the file, unless it is the one that is read.
    pub fn create(path: &Path, read: &Path) -> Result<Self, SentError> {
        let identity = |path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
        if identity(path).is_some_and(|one| Some(one) == identity(read)) {
            return Err(SentError::Same(path.to_owned()));
        }
        let file = File::create(path).map_err(|error| failed(path, &error))?;
        let header = PcapHeader {
            snaplen: SNAP_LENGTH,
            datalink: DataLink::ETHERNET,
            ts_resolution: PcapTsResolution::NanoSecond,
            endianness: Endianness::native(),
            ..PcapHeader::default()
        };
        let writer = PcapWriter::with_header(BufWriter::new(file), header);
        Ok(Self {
            writer: writer.map_err(|error| failed(path, &error))?,
            path: path.to_owned(),
            count: 0,
        })
    }

    /// Writes a packet with the time stamp of the one that caused it.
    pub fn write(&mut self, cause: &Packet, sent: Sent) -> Result<(), SentError> {
        let length = u32::try_from(sent.length).unwrap_or(u32::MAX);
        let packet = PcapPacket::new(cause.time, length, sent.bytes);
        let packet = packet.map_err(|error| failed(&self.path, &error))?;
        self.writer
            .write_packet(&packet)
            .map_err(|error| failed(&self.path, &error))?;
        self.count += 1;
        Ok(())
    }

    /// Ends the file, and says its name and how many packets are in it.
    pub fn finish(mut self) -> Result<(String, u64), SentError> {
        self.writer
            .flush()
            .map_err(|error| failed(&self.path, &error))?;
        Ok((self.path.display().to_string(), self.count))
    }
}

fn failed(path: &Path, cause: &dyn Error) -> SentError {
    SentError::Write {
        path: path.to_owned(),
        cause: causes(cause),
    }
}
