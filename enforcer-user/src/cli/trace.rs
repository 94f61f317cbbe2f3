//! `enforcer trace`.

use std::{
    io::{self, BufWriter, IsTerminal, LineWriter, Write},
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::{Args, ValueEnum};
use enforcer_common::counter::Hook;

use super::output::Format;
use crate::{
    config,
    control::request::Mode,
    trace::{Trace, TraceOptions},
};

/// Which packets are traced, and by what.
#[derive(Debug, Args)]
pub struct TraceCommand {
    /// The configuration of the gateway, which need not be on this machine.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The hosts and their roles, as CSV (address,zone,role,mac) or TOML ([[host]]); without it nobody is known.
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
    /// Where the packets are judged.
    #[arg(long, value_enum, default_value_t)]
    hook: HookName,
    /// The interface of the configuration where they are met; the first one by default.
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// An address of the gateway on that interface; may be given several times.
    #[arg(long = "address", value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,
    /// Instead of the mode in the configuration.
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// The capture, pcap or pcapng; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pcap: PathBuf,
    /// Where the packets go that the datapath would send: resets, ICMP errors, and those on their way to the portal.
    #[arg(long, value_name = "FILE")]
    pcap_out: Option<PathBuf>,
    /// Print a JSON object a line, as `--output json` does too.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum HookName {
    /// What hosts send, at XDP.
    #[default]
    Xdp,
    /// What hosts send, at TC.
    #[value(alias = "tc_ingress")]
    TcIngress,
    /// What is sent to hosts, at TC.
    #[value(alias = "tc_egress")]
    TcEgress,
}

impl TraceCommand {
    /// Prints what the datapath makes of each packet.
    pub fn run(self, format: Format) -> Result<()> {
        let json = self.json || format == Format::Json;
        let live = self.pcap == Path::new("-") || io::stdout().is_terminal();
        let trace = Trace::set_up(&self.options(json))?;
        // Whoever watches wants each line at once; a file wants them quickly.
        let (summary, ended) = if live {
            trace.run(&mut LineWriter::new(io::stdout().lock()))
        } else {
            trace.run(&mut BufWriter::new(io::stdout().lock()))
        };
        let _ = write!(io::stderr(), "{summary}");
        Ok(ended?)
    }

    fn options(self, json: bool) -> TraceOptions {
        TraceOptions {
            config: self.config,
            hosts: self.hosts,
            interface: self.interface,
            addresses: self.addresses,
            mode: self.mode.map(|mode| match mode {
                Mode::Monitor => config::Mode::Monitor,
                Mode::Enforce => config::Mode::Enforce,
            }),
            hook: match self.hook {
                HookName::Xdp => Hook::Xdp,
                HookName::TcIngress => Hook::TcIngress,
                HookName::TcEgress => Hook::TcEgress,
            },
            pcap: self.pcap,
            pcap_out: self.pcap_out,
            json,
        }
    }
}
