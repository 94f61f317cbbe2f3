//! The gateway: from events of the datapath to decisions in its maps.

pub mod alerts;
pub mod audit;
pub mod cli;
pub mod config;
pub mod confine;
pub mod conntrack;
pub mod control;
pub mod controller;
#[expect(unsafe_code, reason = "map rows and the raw batch call")]
pub mod datapath;
pub mod doctor;
pub mod gateway;
mod hex;
pub mod identity;
pub mod links;
pub mod logs;
pub mod metrics;
pub mod netlink;
pub mod portal;
pub mod registry;
pub mod saved;
pub mod simulation;
pub mod sources;
pub mod trace;
