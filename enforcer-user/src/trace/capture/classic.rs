//! pcap: a header, and then one packet after the other, all of one link type.

use std::{io::ErrorKind, path::PathBuf, time::Duration};

use pcap_file::{
    DataLink,
    pcap::{PcapReadError, PcapReader, PcapTsResolution},
};

use super::{
    CaptureError, Packet, Place, link_name,
    source::{End, Source},
};

/// The header of the file, and the one before each packet.
const FILE_HEADER: u64 = 24;
const PACKET_HEADER: u64 = 16;

/// Link type numbers have 16 bits; above them stands whether frames end with their checksum.
const LINK_BITS: u32 = 0xffff;

/// pcap, as far as it has been read.
pub(super) struct Classic {
    path: PathBuf,
    reader: PcapReader<Source>,
    end: End,
    nanoseconds: bool,
    place: Place,
}

/// Whether a file that begins like this is of this format: of either byte order and resolution.
pub(super) fn is_magic(magic: &[u8]) -> bool {
    matches!(
        magic,
        [0xa1, 0xb2, 0xc3, 0xd4]
            | [0xd4, 0xc3, 0xb2, 0xa1]
            | [0xa1, 0xb2, 0x3c, 0x4d]
            | [0x4d, 0x3c, 0xb2, 0xa1]
    )
}

impl Classic {
    pub fn new(source: Source) -> Result<Self, CaptureError> {
        let (path, end) = (source.name().to_owned(), source.end());
        let place = Place {
            packet: 1,
            byte: FILE_HEADER,
        };
        let reader = match PcapReader::new(source) {
            Ok(reader) => reader,
            Err(PcapReadError::Io(cause)) if cause.kind() == ErrorKind::UnexpectedEof => {
                return Err(CaptureError::Header { path });
            }
            Err(error) => return Err(read_error(path, place, &end, error)),
        };
        let header = reader.header();
        let link = DataLink::from(u32::from(header.datalink) & LINK_BITS);
        if link != DataLink::ETHERNET {
            let link = link_name(link);
            return Err(CaptureError::LinkType { path, link });
        }
        Ok(Self {
            path,
            reader,
            end,
            nanoseconds: header.ts_resolution == PcapTsResolution::NanoSecond,
            place,
        })
    }

    pub fn next(&mut self, packet: &mut Packet) -> Result<bool, CaptureError> {
        let raw = match self.reader.next_raw_packet() {
            None => return Ok(false),
            Some(Ok(raw)) => raw,
            Some(Err(error)) => {
                return Err(read_error(self.path.clone(), self.place, &self.end, error));
            }
        };
        let fraction = if self.nanoseconds {
            Duration::from_nanos(raw.ts_frac.into())
        } else {
            Duration::from_micros(raw.ts_frac.into())
        };
        let time = Duration::from_secs(raw.ts_sec.into()) + fraction;
        packet.take(time, raw.orig_len, &raw.data);
        self.place.packet += 1;
        self.place.byte += PACKET_HEADER + u64::from(raw.incl_len);
        Ok(true)
    }
}

fn read_error(path: PathBuf, place: Place, end: &End, error: PcapReadError) -> CaptureError {
    match error {
        PcapReadError::Io(cause) if cause.kind() == ErrorKind::UnexpectedEof => {
            CaptureError::unfinished(path, place, end.is_reached())
        }
        PcapReadError::Io(cause) => CaptureError::Read { path, cause },
        PcapReadError::Validation(error) => {
            let why = error.to_string();
            CaptureError::Broken { path, place, why }
        }
    }
}
