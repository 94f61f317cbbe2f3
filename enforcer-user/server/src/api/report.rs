//! `POST` a posture.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json,
    extract::{ConnectInfo, State},
};
use enforcer_protocol::{
    judgement::Receipt,
    posture::{Posture, VERSION},
};

use super::{Api, auth::Agent, body::JsonBody, problem::ApiError};
use crate::{ledger::Intake, listen::Admitted};

/// The longest identifier of an endpoint.
const ID_BYTES: usize = 128;
/// The longest name, owner or version.
const TEXT_BYTES: usize = 256;
/// The most items in a list that is judged: ten times what a full workstation has.
const ITEMS: usize = 50_000;
/// The most interfaces, and the most addresses on all of them: room for a busy container host.
const INTERFACES: usize = 1_024;

/// Why a well-formed posture is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidPosture {
    /// It is of another version.
    #[error("`version` is {0}, and this server reads version {VERSION}")]
    Version(u32),
    /// The device has no usable identifier.
    #[error("`device.id` must have 1 to {ID_BYTES} letters, digits, `-`, `_`, `.`, `:` or `@`")]
    Id,
    /// A text that people are shown is too long, or no plain text.
    #[error("`{field}` must have at most {TEXT_BYTES} bytes and no control characters")]
    Text {
        /// Where.
        field: &'static str,
    },
    /// A list is too long.
    #[error("`{field}` has {length} items, at most {limit} are taken")]
    TooMany {
        /// Which.
        field: &'static str,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
}

/// Takes a report.
pub async fn report(
    State(api): State<Api>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(admitted): Extension<Arc<Admitted>>,
    Agent(token): Agent,
    JsonBody(posture): JsonBody<Posture>,
) -> Result<Json<Receipt>, ApiError> {
    validate(&posture)?;
    let observed = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    Ok(Json(
        api.ledger
            .report(Intake {
                posture,
                token,
                observed,
                observed_by: admitted.local(),
            })
            .await?,
    ))
}

fn validate(posture: &Posture) -> Result<(), InvalidPosture> {
    if posture.version != VERSION {
        return Err(InvalidPosture::Version(posture.version));
    }
    if !is_id(&posture.device.id) {
        return Err(InvalidPosture::Id);
    }
    let texts = [
        ("device.name", Some(&posture.device.name)),
        ("device.owner", posture.device.owner.as_ref()),
        ("os.name", Some(&posture.os.name)),
        ("os.version", Some(&posture.os.version)),
        ("os.kernel", posture.os.kernel.as_ref()),
    ];
    for (field, text) in texts {
        if !text.is_none_or(|text| is_text(text)) {
            return Err(InvalidPosture::Text { field });
        }
    }
    let addresses = posture
        .interfaces
        .iter()
        .map(|interface| interface.addresses.len())
        .sum();
    let lists = [
        (
            "missing_updates",
            posture.missing_updates.as_ref().map_or(0, Vec::len),
            ITEMS,
        ),
        (
            "software",
            posture.software.as_ref().map_or(0, Vec::len),
            ITEMS,
        ),
        (
            "services",
            posture.services.as_ref().map_or(0, Vec::len),
            ITEMS,
        ),
        ("attributes", posture.attributes.len(), ITEMS),
        ("interfaces", posture.interfaces.len(), INTERFACES),
        ("interfaces.addresses", addresses, INTERFACES),
    ];
    match lists.into_iter().find(|(_, length, limit)| length > limit) {
        Some((field, length, limit)) => Err(InvalidPosture::TooMany {
            field,
            length,
            limit,
        }),
        None => Ok(()),
    }
}

fn is_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte);
    !id.is_empty() && id.len() <= ID_BYTES && id.bytes().all(is_plain)
}

fn is_text(text: &str) -> bool {
    text.len() <= TEXT_BYTES && !text.chars().any(char::is_control)
}
