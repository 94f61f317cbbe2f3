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

/// All of them.
pub const ALL: &[Regression] = &[Regression {
    what: "IPv4 of more than 64 KiB by segmentation offload was taken for a fragment that is too long",
    site: 0,
    frame: "0200000000010200000000100800450000000000400040063db90a0900010a090002\
            9c4001bb000000010000000050020000000000000",
    zeros: 131_072,
}];

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
