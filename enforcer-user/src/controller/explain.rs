//! What would happen to a packet now, and why: the datapath's own code on its own tables.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytemuck::Zeroable;
use enforcer_common::{
    counter::Hook,
    decide::{self, Basis, Direction, Judgement, Reason, Standing, Tables, Verdict},
    host::{FOREVER, Host},
    mac::Mac,
    packet::{Vlans, protocol},
    role::{RoleId, RoleRow},
    seen::JudgedRow,
    settings::{InterfaceRow, Scope, Undecided},
};

use super::{Controller, frame::frame};
use crate::{
    control::{
        Refusal,
        explanation::{Explanation, Step},
        refusal::Kind,
        remote::Remote,
    },
    datapath::{DatapathError, Effects, LiveTables},
};

impl Controller {
    pub(super) fn explain(
        &mut self,
        address: IpAddr,
        zone: Option<&str>,
        to: Option<Remote>,
    ) -> Result<Explanation, Refusal> {
        let host = self.host_in(address, zone)?;
        let to = to.unwrap_or_else(|| elsewhere(address));
        if to.address.is_ipv4() != address.is_ipv4() {
            return Err(Refusal::new(
                Kind::Invalid,
                format!("{address} and {} are of two families", to.address),
                "name a destination of the same family",
            ));
        }
        let place = self.place_of(host.zone);
        self.load_bench(place.row).map_err(|error| failed(&error))?;
        let now = self
            .datapath
            .clock()
            .now()
            .map_err(|error| failed(&error))?;
        let tables = self.datapath.live(place.row);
        let interface = tables.interface().unwrap_or_else(InterfaceRow::zeroed);
        let mac = tables.host(&host).map_or([0; 6], |row| row.mac);
        let frame = frame(address, to, mac, place.vlans);
        let judged = decide::judge_frame(&frame[..], Direction::FromHost, &interface, &tables, now);
        let Some((_, standing)) = judged.host else {
            return Err(Refusal::new(
                Kind::Invalid,
                format!("no packet goes to {to}"),
                "name another",
            ));
        };
        let program = self
            .program(place.row, &frame)
            .map_err(|error| failed(&error))?;
        let walk = Walk {
            controller: self,
            tables: &tables,
            host,
            standing,
            judgement: judged.judgement,
            now,
        };
        let mut steps = vec![self.entry(&place)];
        steps.extend(walk.steps(to));
        steps.push(by_program(&judged.judgement, program));
        Ok(Explanation {
            address,
            zone: self.zones.name(host.zone).unwrap_or_default().to_owned(),
            steps,
            verdict: Verdict::ALL[judged.judgement.verdict as usize].1.to_owned(),
            reason: Reason::ALL[judged.judgement.reason as usize].1.to_owned(),
            role: self.compiled.roles.name(judged.judgement.role).to_owned(),
            monitored: judged.judgement.monitored,
        })
    }

    /// Where packets of a zone come in: the first interface that has it.
    fn place_of(&self, zone: u32) -> Place {
        let row = |name: &str| {
            let mut attached = self.datapath.attachments();
            attached
                .find(|one| one.interface == name)
                .map(|one| one.row)
        };
        let interfaces = self.compiled.interfaces.iter();
        let interfaces = interfaces.filter_map(|one| Some((row(&one.name)?, one)));
        let mut places = interfaces.flat_map(|(row, interface)| {
            interface.zones().map(move |(of, outer, inner)| {
                (
                    of,
                    Place {
                        row,
                        vlans: Vlans { outer, inner },
                    },
                )
            })
        });
        let place = places.find(|(of, _)| *of == zone);
        place.map_or(
            Place {
                row: 0,
                vlans: Vlans::NONE,
            },
            |(_, place)| place,
        )
    }

    fn entry(&self, place: &Place) -> Step {
        let mut attached = self.datapath.attachments();
        let name = attached.find(|one| one.row == place.row);
        let name = name.map_or_else(String::new, |one| one.interface.clone());
        let vlans = [place.vlans.outer, place.vlans.inner];
        let vlans = vlans.into_iter().filter(|vlan| *vlan != 0);
        let found: Vec<_> = [name]
            .into_iter()
            .chain(vlans.map(|vlan| format!("VLAN {vlan}")))
            .collect();
        step(
            "interface",
            &found.join(", "),
            "where packets of this zone come in",
        )
    }

    /// Loads the programs that only judge, for the first question about an interface.
    fn load_bench(&mut self, row: u32) -> Result<(), DatapathError> {
        if !self.benches.contains_key(&row) {
            let bench = self.datapath.bench_on(row, Effects::None)?;
            self.benches.insert(row, bench);
        }
        Ok(())
    }

    /// What the real program says of a frame, by the live maps and without leaving anything in them.
    fn program(&self, row: u32, frame: &[u8]) -> Result<JudgedRow, DatapathError> {
        let bench = self
            .benches
            .get(&row)
            .ok_or(DatapathError::Missing("SEEN"))?;
        Ok(bench.judge(Hook::Xdp, frame)?.1)
    }
}

/// Where a packet comes in.
struct Place {
    row: u32,
    vlans: Vlans,
}

/// Compares what the kernel's program says with what the shared code said.
fn by_program(judgement: &Judgement, program: JudgedRow) -> Step {
    let reason = program.reason().unwrap_or(Reason::Malformed);
    let found = format!(
        "{} ({})",
        Verdict::ALL[program.verdict() as usize].1,
        Reason::ALL[reason as usize].1
    );
    let same = (program.verdict(), reason) == (judgement.verdict, judgement.reason);
    let meaning = if same {
        "the kernel's own program says the same"
    } else {
        "THE KERNEL'S PROGRAM SAYS OTHERWISE: what it says is what happens; please report this"
    };
    step("program", &found, meaning)
}

pub(super) fn failed(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        Kind::Failed,
        error.to_string(),
        "the gateway's log may say more",
    )
}

/// A web server of the documentation ranges (RFC 5737, RFC 3849), which no rule names.
fn elsewhere(host: IpAddr) -> Remote {
    let address = match host {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 255).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xffff).into(),
    };
    Remote {
        address,
        port: Some(443),
        protocol: protocol::TCP,
    }
}

/// One explanation in the making.
struct Walk<'a> {
    controller: &'a Controller,
    tables: &'a LiveTables<'a>,
    host: Host,
    standing: Standing,
    judgement: Judgement,
    now: u64,
}

impl Walk<'_> {
    fn steps(&self, to: Remote) -> Vec<Step> {
        let mut steps = vec![self.row()];
        steps.extend(self.binding());
        steps.extend(self.lease());
        steps.extend(self.scope());
        steps.extend(self.asked());
        steps.push(self.role());
        steps.push(self.verdict(to));
        steps.push(self.mode());
        steps
    }

    fn row(&self) -> Step {
        let Some(row) = self.tables.host(&self.host) else {
            return step("hosts table", "no row", "nothing is decided of this host");
        };
        let role = self.role_name(row.role);
        let source = self.controller.source_name(row.origin.source());
        let end = if row.deadline == FOREVER {
            "no end of its own".to_owned()
        } else {
            let left = self
                .controller
                .datapath
                .clock()
                .duration(row.deadline.saturating_sub(self.now));
            format!("for another {} s", left.as_secs())
        };
        let found = format!("{role}, by {source}, {end}");
        step(
            "hosts table",
            &found,
            &format!("{source} gave it the role {role}"),
        )
    }

    fn binding(&self) -> Option<Step> {
        let mac = Mac::new(self.tables.host(&self.host)?.mac);
        (!mac.is_none()).then(|| {
            let meaning = "packets of this address from any other MAC address are dropped";
            step("binding", &mac.to_string(), meaning)
        })
    }

    fn lease(&self) -> Option<Step> {
        let row = self.tables.host(&self.host)?;
        let lease = self.tables.lease(row.origin.source());
        if lease == FOREVER {
            return None;
        }
        let left = self
            .controller
            .datapath
            .clock()
            .duration(lease.saturating_sub(self.now));
        Some(if self.standing.basis == Basis::LeaseExpired {
            let role = self.role_name(self.standing.role);
            step(
                "lease",
                "over",
                &format!(
                    "the source is silent: the role is {role} until it is back, as `lease` and `fail` say"
                ),
            )
        } else {
            let found = format!("{:.1} s left", left.as_secs_f64());
            step("lease", &found, "the decision holds")
        })
    }

    fn scope(&self) -> Option<Step> {
        if matches!(self.standing.basis, Basis::Decided | Basis::LeaseExpired) {
            return None;
        }
        Some(match self.tables.scope(&self.host) {
            Scope::Checked => step("scope", "checked", "it must be decided by a source"),
            Scope::Bypassed => step("scope", "bypassed", "it passes unchecked"),
            Scope::Own => step("scope", "own", "it is this gateway's own address"),
            Scope::Outside => step("scope", "outside", "it is none of this gateway's hosts"),
        })
    }

    fn asked(&self) -> Option<Step> {
        if self.standing.basis != Basis::Undecided {
            return None;
        }
        let clock = self.controller.datapath.clock();
        let later = match Undecided::from_number(self.tables.settings().undecided) {
            Undecided::Stopped => "without an answer in time it has the role unknown",
            Undecided::PassLater => "without an answer in time it passes, as `fail` says",
            Undecided::Pass => "it passes without an answer, as `fail` says",
        };
        Some(match self.tables.asked(&self.host) {
            None => step("asked", "never", "its first packet makes the gateway ask"),
            Some(asked) => {
                let ago = clock
                    .duration(self.now.saturating_sub(asked.since))
                    .as_secs_f64();
                let found = format!("first {ago:.1} s ago");
                step("asked", &found, later)
            }
        })
    }

    fn role(&self) -> Step {
        let row = self.tables.role(self.standing.role);
        let mut found = vec![if row.has(RoleRow::ALLOW) {
            "allows"
        } else {
            "stops"
        }];
        for (flag, word) in [
            (RoleRow::RULES, "rules"),
            (RoleRow::PORTAL, "portal"),
            (RoleRow::REJECT, "reject"),
            (RoleRow::MONITOR, "monitor"),
        ] {
            if row.has(flag) {
                found.push(word);
            }
        }
        let name = self.role_name(self.standing.role);
        step(
            "role",
            &found.join(", "),
            &format!("what {name} means when no rule matches"),
        )
    }

    fn verdict(&self, to: Remote) -> Step {
        let word = Verdict::ALL[self.judgement.verdict as usize].1;
        let reason = Reason::ALL[self.judgement.reason as usize].1;
        step(
            "verdict",
            &format!("{word} ({reason})"),
            &format!("for a packet to {to}"),
        )
    }

    fn mode(&self) -> Step {
        let meaning = match (self.judgement.monitored, self.judgement.verdict) {
            (true, _) => "the stop is counted only: the packet passes",
            (false, Verdict::Pass) => "the packet passes",
            (false, _) => "the packet is stopped",
        };
        step(
            "mode",
            &format!("{:?}", self.controller.mode).to_lowercase(),
            meaning,
        )
    }

    fn role_name(&self, role: RoleId) -> &str {
        self.controller.compiled.roles.name(role)
    }
}

fn step(step: &str, found: &str, meaning: &str) -> Step {
    Step {
        step: step.to_owned(),
        found: found.to_owned(),
        meaning: meaning.to_owned(),
    }
}
