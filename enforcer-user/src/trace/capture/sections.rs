//! pcapng: blocks, in sections with a byte order and interfaces of their own.

use std::{io::ErrorKind, path::PathBuf, time::Duration};

use pcap_file::{
    DataLink,
    pcapng::{
        Block, PcapNgReadError, PcapNgReader, PcapNgState,
        blocks::{
            ENHANCED_PACKET_BLOCK, PACKET_BLOCK, SIMPLE_PACKET_BLOCK,
            interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption},
        },
    },
};

use super::{
    super::causes::causes,
    CaptureError, Packet, Place, link_name,
    source::{End, Source},
};

/// How a section begins, and so the file.
pub(super) const MAGIC: &[u8] = &[0x0a, 0x0d, 0x0d, 0x0a];

/// pcapng, as far as it has been read.
pub(super) struct Sections {
    path: PathBuf,
    reader: PcapNgReader<Source>,
    end: End,
}

impl Sections {
    pub fn new(source: Source) -> Result<Self, CaptureError> {
        let (path, end) = (source.name().to_owned(), source.end());
        let place = Place { packet: 1, byte: 0 };
        let reader = match PcapNgReader::new(source) {
            Ok(reader) => reader,
            Err(PcapNgReadError::Io(cause)) if cause.kind() == ErrorKind::UnexpectedEof => {
                return Err(CaptureError::Header { path });
            }
            Err(error) => return Err(read_error(path, place, &end, error)),
        };
        Ok(Self { path, reader, end })
    }

    /// Blocks that hold no packet are passed over, whatever is in them.
    pub fn next(&mut self, packet: &mut Packet) -> Result<bool, CaptureError> {
        loop {
            let place = Place {
                packet: packet.number + 1,
                byte: self.reader.bytes_parsed(),
            };
            let (raw, state) = match self.reader.next_raw_block() {
                None => return Ok(false),
                Some(Ok(found)) => found,
                Some(Err(error)) => {
                    return Err(read_error(self.path.clone(), place, &self.end, error));
                }
            };
            if !matches!(
                raw.type_,
                ENHANCED_PACKET_BLOCK | SIMPLE_PACKET_BLOCK | PACKET_BLOCK
            ) {
                continue;
            }
            let path = || self.path.clone();
            let block = raw
                .try_into_block(state)
                .map_err(|error| CaptureError::Broken {
                    path: path(),
                    place,
                    why: causes(&error),
                })?;
            if let Some(other) = take(&block, state, packet) {
                return Err(CaptureError::InterfaceLinkType {
                    path: path(),
                    place,
                    interface: name(other),
                    link: link_name(other.linktype),
                });
            }
            return Ok(true);
        }
    }
}

/// Takes the packet of a block, or hands out its interface when that is of another link type.
fn take<'a>(
    block: &Block<'_>,
    state: &'a PcapNgState,
    packet: &mut Packet,
) -> Option<&'a InterfaceDescriptionBlock<'static>> {
    let (interface, time, length, bytes) = match block {
        Block::EnhancedPacket(one) => {
            (one.interface_id, one.timestamp, one.original_len, &one.data)
        }
        Block::Packet(one) => (
            one.interface_id.into(),
            one.timestamp,
            one.original_len,
            &one.data,
        ),
        // It is of the first interface, and has no time stamp.
        Block::SimplePacket(one) => (0, Duration::ZERO, one.original_len, &one.data),
        _ => return None,
    };
    let interface = state.interfaces().get(interface as usize);
    let other = interface.filter(|interface| interface.linktype != DataLink::ETHERNET);
    if other.is_none() {
        packet.take(time, length, bytes);
    }
    other
}

fn name(interface: &InterfaceDescriptionBlock<'_>) -> String {
    let name = interface.options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfName(name) => Some(name.escape_debug().to_string()),
        _ => None,
    });
    name.unwrap_or_else(|| "an interface without a name".to_owned())
}

fn read_error(path: PathBuf, place: Place, end: &End, error: PcapNgReadError) -> CaptureError {
    match error {
        PcapNgReadError::Io(cause) if cause.kind() == ErrorKind::UnexpectedEof => {
            CaptureError::unfinished(path, place, end.is_reached())
        }
        PcapNgReadError::Io(cause) => CaptureError::Read { path, cause },
        error => {
            let why = causes(&error);
            CaptureError::Broken { path, place, why }
        }
    }
}
