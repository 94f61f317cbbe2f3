//! Why a capture is not read, or not to its end.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// An error of a capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It cannot be read.
    #[error("cannot read the capture {}: {cause}", Name(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Nothing in it.
    #[error(
        "{} is empty, without even the header of a capture; did what should write it end in an error?",
        Name(path)
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Something else.
    #[error(
        "{} is no capture in the formats pcap or pcapng: it begins with {begins}{hint}",
        Name(path)
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        begins: String,
        /// What it seems to be, and what to do with it.
        hint: &'static str,
    },
    /// It ends before the first packet could begin.
    #[error(
        "{} is cut short within its header; capture or copy it again",
        Name(path)
    )]
    Header {
        /// The file.
        path: PathBuf,
    },
    /// The packets have another link header.
    #[error(
        "{}: its link type is {link}, and Ethernet (1) is needed; {CAPTURE_ONE}",
        Name(path)
    )]
    LinkType {
        /// The file.
        path: PathBuf,
        /// The link type.
        link: String,
    },
    /// A packet has another link header.
    #[error(
        "{}, {place}: the link type of {interface} is {link}, and Ethernet (1) is needed; {CAPTURE_ONE}",
        Name(path)
    )]
    InterfaceLinkType {
        /// The file.
        path: PathBuf,
        /// Where.
        place: Place,
        /// The packet's interface.
        interface: String,
        /// Its link type.
        link: String,
    },
    /// It ends within a packet.
    #[error(
        "{}, {place}: cut short, the file ends within the packet; capture or copy it again",
        Name(path)
    )]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Where.
        place: Place,
    },
    /// A length that no packet has.
    #[error(
        "{}, {place}: its length is given as more than 8,000,000 bytes; the file is damaged from there on",
        Name(path)
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Where.
        place: Place,
    },
    /// It makes no sense.
    #[error("{}, {place}: {why}; the file is damaged from there on", Name(path))]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where.
        place: Place,
        /// What does not fit.
        why: String,
    },
}

const CAPTURE_ONE: &str =
    "capture on the one interface where the hosts are, not on `any` (`tcpdump -i lan0 -w FILE`)";

impl CaptureError {
    /// The error for a file that begins like neither format.
    pub(super) fn foreign(path: &Path, magic: &[u8]) -> Self {
        let path = path.to_owned();
        if magic.is_empty() {
            return Self::Empty { path };
        }
        let begins: Vec<_> = magic.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::Foreign {
            path,
            begins: begins.join(" "),
            hint: hint(magic),
        }
    }

    /// The error for a packet that does not end in what was read.
    pub(super) fn unfinished(path: PathBuf, place: Place, ended: bool) -> Self {
        if ended {
            Self::CutShort { path, place }
        } else {
            Self::TooLong { path, place }
        }
    }
}

/// What else is given for a capture.
fn hint(magic: &[u8]) -> &'static str {
    match magic {
        [0x1f, 0x8b, ..] => {
            ", as what gzip compresses; pipe it in: `zcat FILE | enforcer trace --pcap - …`"
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            ", as what zstd compresses; pipe it in: `zstdcat FILE | enforcer trace --pcap - …`"
        }
        [0xfd, b'7', b'z', b'X'] => {
            ", as what xz compresses; pipe it in: `xzcat FILE | enforcer trace --pcap - …`"
        }
        [0xa1, 0xb2, 0xcd, 0x34] | [0x34, 0xcd, 0xb2, 0xa1] => {
            ", as an old variant of pcap; convert it: `editcap FILE NEW.pcap`"
        }
        [b's', b'n', b'o', b'o'] => ", as a capture of snoop; convert it: `editcap FILE NEW.pcap`",
        _ => "",
    }
}

/// Where in a capture something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The packet, counted from 1.
    pub packet: u64,
    /// The byte at which its record begins.
    pub byte: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet {} (byte {})", self.packet, self.byte)
    }
}

/// The name of a file as it is shown.
struct Name<'a>(&'a Path);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Path::new("-") {
            return f.write_str("standard input");
        }
        self.0.display().fmt(f)
    }
}
