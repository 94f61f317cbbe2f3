//! What is printed of a packet.

use std::{fmt, net::IpAddr};

use enforcer_common::{
    counter::Hook,
    decide::{Reason, Verdict},
    packet::{Frame, Packet as IpPacket, Refusal},
};
use serde::Serialize;

use super::{capture::Packet, contents::Contents, judge::Fate, judged::Judged};
use crate::{
    config::{Protocol, RoleNames},
    identity::Mac,
};

/// A packet and what became of it. As JSON these are the fields, which `docs/trace.md` explains.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    packet: u64,
    hook: &'static str,
    pub action: &'static str,
    pub reason: &'static str,
    role: Option<&'a str>,
    zone: &'a str,
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    /// What would happen if it were not only counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Who speaks to whom, for people.
    #[serde(skip)]
    flow: String,
}

/// The names of numbers.
pub(super) struct Words<'a> {
    pub hook: Hook,
    pub roles: &'a RoleNames,
    pub zones: &'a [String],
    /// The zone of the interface.
    pub zone: &'a str,
}

impl<'a> Words<'a> {
    /// The line for a packet.
    pub fn line(&self, packet: &Packet, contents: &Contents, fate: &Fate) -> Line<'a> {
        let ip = match &contents.frame {
            Ok(Frame::Ip(ip)) => Some(ip),
            _ => None,
        };
        let line = Line {
            packet: packet.number,
            hook: Hook::ALL[self.hook as usize].1,
            action: "unjudged",
            reason: "",
            role: None,
            zone: self.zone,
            source: ip.map(|ip| ip.source.into()),
            destination: ip.map(|ip| ip.destination.into()),
            would: None,
            note: None,
            flow: flow(packet, &contents.frame),
        };
        match fate {
            Fate::Judged { judged, note, .. } => Line {
                note: note.map(|note| note.to_string()),
                ..self.judged(judged, line)
            },
            Fate::Unjudged(why) => Line {
                reason: why.reason(),
                note: Some(why.to_string()),
                ..line
            },
        }
    }

    fn judged(&self, judged: &Judged, line: Line<'a>) -> Line<'a> {
        let zone = judged.zone.and_then(|zone| usize::try_from(zone).ok());
        let zone = zone.and_then(|number| self.zones.get(number));
        Line {
            action: action(if judged.monitored {
                Verdict::Pass
            } else {
                judged.done
            }),
            would: judged.monitored.then(|| action(judged.verdict)),
            reason: Reason::ALL[judged.reason as usize].1,
            role: Some(self.roles.name(judged.role)),
            zone: zone.map_or(self.zone, String::as_str),
            ..line
        }
    }
}

/// The word for what was done.
fn action(done: Verdict) -> &'static str {
    match done {
        Verdict::Pass => "pass",
        Verdict::Drop => "drop",
        Verdict::Reject => "reply",
        Verdict::Redirect => "redirect",
        Verdict::Close => "close",
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (packet, hook) = (self.packet, self.hook);
        let would = self.would.map(|action| format!("would {action}"));
        let action = would.as_deref().unwrap_or(self.action);
        let (reason, role) = (self.reason, self.role.unwrap_or("-"));
        let flow = &self.flow;
        write!(
            f,
            "{packet:>8}  {hook:<10}  {action:<14}  {reason:<13}  {role:<12}  {flow}"
        )?;
        match &self.note {
            Some(note) => write!(f, " ({note})"),
            None => Ok(()),
        }
    }
}

/// Who speaks to whom: addresses and ports, or what there is besides.
fn flow(packet: &Packet, frame: &Result<Frame, Refusal>) -> String {
    if let Ok(Frame::Ip(ip)) = frame {
        return ip_flow(ip);
    }
    let Some([d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, k0, k1]) = packet.bytes.first_chunk()
    else {
        return "-".to_owned();
    };
    let to = Mac([*d0, *d1, *d2, *d3, *d4, *d5]);
    let from = Mac([*s0, *s1, *s2, *s3, *s4, *s5]);
    format!("{from} > {to} type 0x{k0:02x}{k1:02x}")
}

fn ip_flow(ip: &IpPacket) -> String {
    let (from, to) = (IpAddr::from(ip.source), IpAddr::from(ip.destination));
    let protocol = Protocol::Number(ip.protocol);
    match ip.ports() {
        Some(ports) => {
            let from = std::net::SocketAddr::new(from, ports.source);
            let to = std::net::SocketAddr::new(to, ports.destination);
            format!("{from} > {to} {protocol}")
        }
        None => format!("{from} > {to} {protocol}"),
    }
}
