//! Longest prefixes, as the kernel's tries find them.

use ipnet::IpNet;

use enforcer_common::host::Address;

/// Values by owner and prefix.
pub struct Prefixes<T>(Vec<Row<T>>);

struct Row<T> {
    owner: u32,
    network: u128,
    bits: u8,
    value: T,
}

impl<T> Prefixes<T> {
    /// Of two rows with the same prefix the later one counts.
    pub fn new(rows: impl Iterator<Item = (u32, IpNet, T)>) -> Self {
        Self(
            rows.map(|(owner, prefix, value)| row(owner, prefix, value))
                .collect(),
        )
    }

    /// The value of the longest prefix of this owner that the mapped address is in.
    pub fn longest(&self, owner: u32, address: [u8; 16]) -> Option<&T> {
        let address = u128::from_be_bytes(address);
        let covers = |row: &&Row<T>| {
            let other = 128 - u32::from(row.bits);
            row.owner == owner && (address ^ row.network).checked_shr(other).unwrap_or(0) == 0
        };
        self.0
            .iter()
            .filter(covers)
            .max_by_key(|row| row.bits)
            .map(|row| &row.value)
    }
}

/// The tables hold IPv4 mapped into IPv6.
fn row<T>(owner: u32, prefix: IpNet, value: T) -> Row<T> {
    let above = if prefix.addr().is_ipv4() { 96 } else { 0 };
    Row {
        owner,
        network: u128::from_be_bytes(Address::from(prefix.network()).mapped()),
        bits: above + prefix.prefix_len(),
        value,
    }
}
