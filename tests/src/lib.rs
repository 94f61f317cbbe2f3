//! What the integration tests share.

pub mod attack;
pub mod bpffs;
pub mod capture;
pub mod config;
pub mod conntrack;
pub mod cpu;
pub mod disk;
pub mod fixture;
pub mod fuzz;
pub mod gate;
pub mod gateway;
pub mod host;
pub mod lan;
pub mod namespace;
pub mod odd_management;
pub mod posture;
pub mod prometheus;
pub mod remote;
pub mod reply;
pub mod servers;
pub mod site;
pub mod table;
pub mod tally;
pub mod tap;
pub mod trace;
pub mod wait;
