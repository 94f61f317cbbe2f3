//! Bits of the TCP flags byte (RFC 9293 section 3.1).

/// FIN.
pub const FIN: u8 = 1;
/// SYN.
pub const SYN: u8 = 1 << 1;
/// RST.
pub const RST: u8 = 1 << 2;
/// ACK.
pub const ACK: u8 = 1 << 4;
