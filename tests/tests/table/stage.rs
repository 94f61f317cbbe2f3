//! Before a packet comes: who its host is, and how the gateway is set up.

use std::time::Duration;

use anyhow::Result;
use enforcer::datapath::{HostChange, Plan, Rulings};
use enforcer_common::{
    decide::HTTP,
    host::{FOREVER, Host, HostRow, Origin, SourceId},
    role::RoleId,
};
use enforcer_tests::{
    fixture::{HOST_MAC, OTHER_MAC, Tcp},
    gate::{Gate, PORTAL, host, plan, rulings},
    table::{Known, Place, Row, Setting},
};

/// A source that has never said how long it is to be believed.
const SILENT: SourceId = SourceId(9);

/// A decision of the management server without end, of a host that is not bound.
fn row(role: RoleId) -> HostRow {
    HostRow {
        deadline: FOREVER,
        mac: [0; 6],
        role,
        origin: Origin::of(SourceId::MANAGEMENT),
    }
}

/// As usual, and whoever is asked may take longer to answer than a busy machine to run all rows.
fn patient() -> Rulings {
    Rulings {
        unknown_timeout: Duration::from_hours(1),
        ..rulings()
    }
}

/// Makes the host what the row says, in a gate that is set up as usual.
pub fn introduce(gate: &mut Gate, known: Known, at: &Place) -> Result<()> {
    gate.set_plan(plan())?;
    gate.datapath.set_rulings(&patient())?;
    let good = row(RoleId::AUTHORIZED);
    let (here, there) = (
        host(at.host),
        Host {
            zone: 1,
            ..host(at.host)
        },
    );
    let rows = match known {
        Known::As(role) => vec![(here, row(role))],
        Known::Bound(role) => vec![
            (
                here,
                HostRow {
                    mac: HOST_MAC,
                    ..row(role)
                },
            ),
            (
                host(at.other),
                HostRow {
                    mac: OTHER_MAC,
                    ..good
                },
            ),
        ],
        Known::BoundSilent => vec![(
            here,
            HostRow {
                mac: HOST_MAC,
                origin: Origin::of(SILENT),
                ..good
            },
        )],
        Known::Closing(role) | Known::Told(role) => {
            let origin = row(role).origin.closing();
            vec![(
                here,
                HostRow {
                    origin,
                    ..row(role)
                },
            )]
        }
        Known::OnPortal | Known::AskingPortal | Known::OnPortalDirectly => {
            vec![(here, row(RoleId::QUARANTINE))]
        }
        Known::Silent => vec![(
            here,
            HostRow {
                origin: Origin::of(SILENT),
                ..good
            },
        )],
        Known::Ended => vec![(
            here,
            HostRow {
                deadline: 1,
                ..good
            },
        )],
        Known::InZone1(role) => vec![(there, row(role))],
        Known::Twice => vec![(here, row(RoleId::DENIED)), (there, good)],
        Known::Nobody | Known::Asked | Known::Unanswered | Known::Outside | Known::Bypassed => {
            vec![]
        }
    };
    let changes: Vec<_> = rows
        .into_iter()
        .map(|(host, row)| HostChange::Set(host, row))
        .collect();
    gate.datapath.apply(&changes)?;
    for packet in sent_before(known, at) {
        gate.from_host(&packet)?;
    }
    Ok(())
}

/// What the host has sent before.
fn sent_before(known: Known, at: &Place) -> Vec<Vec<u8>> {
    let opened = || at.tcp(HTTP, Tcp::Syn);
    match known {
        Known::Asked | Known::Unanswered => vec![at.tcp(443, Tcp::Syn)],
        Known::Told(_) => vec![at.tcp(443, Tcp::Data)],
        Known::OnPortal => vec![opened()],
        Known::AskingPortal => vec![opened(), at.first_fragment(HTTP)],
        Known::OnPortalDirectly => vec![opened(), at.tcp_to(at.gateway, PORTAL, Tcp::Syn)],
        _ => vec![],
    }
}

/// Sets the gateway up as a row wants it.
pub fn set_up(gate: &mut Gate, row: &Row, enforce: bool) -> Result<()> {
    let mut rulings = Rulings {
        enforce,
        ..patient()
    };
    if row.known == Known::Unanswered {
        rulings.unknown_timeout = Duration::ZERO;
    }
    match row.setting {
        Setting::FirstDatagram => rulings.first_datagram = true,
        Setting::NoQuestions => rulings.questions_per_second = 0,
        Setting::NoReplies => rulings.replies_per_second = 0,
        Setting::Usual | Setting::NoPortal | Setting::TaggedOnly | Setting::Trusting => {}
    }
    gate.datapath.set_rulings(&rulings)?;
    let usual = plan();
    gate.set_plan(match row.setting {
        Setting::NoPortal => Plan {
            portal_port: None,
            ..usual
        },
        Setting::TaggedOnly => Plan {
            tagged_only: true,
            ..usual
        },
        Setting::Trusting => Plan {
            routers: true,
            dhcp_servers: true,
            ..usual
        },
        _ => usual,
    })
}

/// Gives back what a row took. What may be answered and asked is saved up again from the next tick on.
pub fn tear_down(gate: &mut Gate, row: &Row) -> Result<()> {
    if !matches!(row.setting, Setting::NoQuestions | Setting::NoReplies) {
        return Ok(());
    }
    gate.datapath.set_rulings(&patient())?;
    let clock = gate.datapath.clock();
    let before = clock.now()?;
    while clock.now()? == before {}
    Ok(())
}
