//! What the kernel programs and user space agree on: layouts of map rows, and the pure functions
//! that parse a packet and decide its verdict.
//!
//! Knows no std, no aya, no clock and no I/O, so that the same code runs inside the kernel, in the
//! controller's explanations and in the tests. Addresses, ports and lengths are in host byte order
//! unless a field is an array of bytes, which is in network order. Time is in jiffies.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod address;
pub mod bucket;
pub mod checksum;
pub mod counter;
pub mod decide;
pub mod event;
pub mod host;
pub mod limits;
pub mod mac;
pub mod packet;
pub mod reply;
pub mod role;
pub mod seen;
pub mod settings;
