//! What was found once, kept: each frame is read by both parsers and runs through the programs in many worlds.

/// A frame that showed something.
#[derive(Clone, Copy, Debug)]
pub struct Regression {
    /// What it showed.
    pub what: &'static str,
    /// The site whose addresses it names.
    pub site: u8,
    /// The frame, in hexadecimal digits.
    pub frame: &'static str,
    /// How many zeros follow.
    pub zeros: usize,
}

/// All of them, in the order in which they run.
pub const ALL: &[Regression] = &[
    Regression {
        what: "IPv4 of more than 64 KiB, by segmentation offload, was taken for a fragment that is too long",
        site: 0,
        frame: "02000000000102000000001008004500000000004000400600000a0900010a0900029c4001bb0000000100000000\
            5002fa0000000000",
        zeros: 131_072,
    },
    Regression {
        what: "EAPOL in a VLAN that is not allowed passed in the kernel, and not by the shared code",
        site: 0,
        frame: "0180c200000302000000001081000f00888e01010000",
        zeros: 0,
    },
    Regression {
        what: "a chain of headers cut short in a VLAN that is not allowed: dropped for the one reason, and for the other",
        site: 0,
        frame: "000000000000000000000000910000078100001486dd600000000000000000000000000000000000000000000000\
            00000000000000000000000000000000",
        zeros: 0,
    },
    Regression {
        what: "what says to come from nobody was answered in the name of a host whose flows are being closed",
        site: 0,
        frame: "0200000000100200000000010800450000280000000040060000000000000a09000201bb9c400000000100000001\
            5018fa0000000000",
        zeros: 0,
    },
    Regression {
        what: "a segment, for what follows to be taken for",
        site: 0,
        frame: "02000000000102000000001008004500002800000000400600000a0900010a0900029c4001bb0000000100000000\
            5002fa0000000000",
        zeros: 0,
    },
    Regression {
        what: "ARP of a host from elsewhere was reported with the ports and the remote end of the packet before",
        site: 0,
        frame: "ffffffffffff020000000020080600010800060400010200000000200a0900010000000000000a090002",
        zeros: 0,
    },
];

impl Regression {
    /// The frame.
    pub fn bytes(&self) -> Vec<u8> {
        let digits: Vec<u8> = self.frame.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| {
            let pair = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("two digits")
        };
        let mut bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
        bytes.resize(bytes.len() + self.zeros, 0);
        bytes
    }
}
