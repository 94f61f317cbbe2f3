//! A posture, and what a server makes of it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use enforcer_protocol::{
    judgement::{Judgement, Level, Receipt},
    posture::{Device, Os, OsFamily, Posture, Settings, VERSION},
};

/// The posture of a laptop with nothing to mend.
pub fn posture() -> Posture {
    let os = Os {
        family: OsFamily::Linux,
        name: "debian".into(),
        version: "12.11".into(),
        kernel: None,
    };
    Posture {
        version: VERSION,
        device: Device {
            id: "laptop-1".into(),
            name: "laptop".into(),
            owner: None,
        },
        os,
        missing_updates: Some(Vec::new()),
        software: Some(Vec::new()),
        services: None,
        settings: Settings {
            firewall: Some(true),
            disk_encrypted: Some(true),
        },
        interfaces: Vec::new(),
        attributes: BTreeMap::new(),
    }
}

/// The receipt for it.
pub fn receipt() -> Receipt {
    let judgement = Judgement {
        level: Level::Safe,
        role: "authorized".into(),
        reasons: Vec::new(),
    };
    let observed = SocketAddr::from((Ipv4Addr::LOCALHOST, 4711));
    Receipt {
        endpoint: "laptop-1".into(),
        observed,
        judgement,
        revision: 7,
    }
}

/// The receipt as a server sends it.
pub fn accept() -> Response {
    Json(receipt()).into_response()
}
