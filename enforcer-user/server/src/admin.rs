//! What the operator does with the state, on the database itself: also while the server runs, which
//! notices within a second.

use std::path::Path;

use enforcer_protocol::{decision::Message, pin::Pin};
use futures_util::TryStreamExt;
use sqlx::SqliteConnection;

use crate::{
    config::ZONE,
    state_dir::{StateDir, StateDirError},
    store::{
        self, StoreError,
        audit::{self, Action},
        changes,
        endpoints::{self, Endpoint},
        tokens::{self, Kind, NewToken, Secret, Token},
        write,
    },
};

/// The longest name of a token or a zone.
const NAME_BYTES: usize = 64;

/// Why an operator's command was not carried out. Then nothing is changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The state directory cannot be used.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The name cannot be a token's or a zone's.
    #[error("`{name}` is no name; use up to {NAME_BYTES} letters, digits, `-`, `_` and `.`")]
    Name {
        /// The name.
        name: String,
    },
    /// A token has that name.
    #[error("there is a token named `{name}`; take another name, or revoke that one first")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A gateway is told of every zone.
    #[error("a gateway's token has no zone: it is told of all; leave --zone out")]
    GatewayZone,
    /// No token has that name.
    #[error("no token named `{name}` holds; `enforcer server token list` shows all")]
    NoToken {
        /// The name.
        name: String,
    },
    /// No endpoint has that identifier.
    #[error("there is no endpoint `{id}`; `enforcer server endpoints list` shows all")]
    NoEndpoint {
        /// The identifier.
        id: String,
    },
}

/// The state of a server, as its operator handles it.
#[derive(Debug)]
pub struct Admin(SqliteConnection);

impl Admin {
    /// Opens the state in this directory.
    pub async fn open(state_dir: &Path) -> Result<Self, AdminError> {
        Ok(Self(store::open(&StateDir::existing(state_dir)?).await?))
    }

    /// Opens the state in this directory; begins one if there is none, for the server to come.
    pub async fn open_or_make(state_dir: &Path) -> Result<Self, AdminError> {
        Ok(Self(store::open(&StateDir::make(state_dir)?).await?))
    }

    /// Makes a token. Its secret is in the answer and nowhere else.
    pub async fn create_token(
        &mut self,
        kind: Kind,
        name: &str,
        zone: Option<&str>,
    ) -> Result<(Token, Secret), AdminError> {
        let secret = Secret::random(kind);
        let token = self.add_token(kind, name, zone, &secret).await?;
        Ok((token, secret))
    }

    /// Makes a token for a gateway that shows the certificate with this pin in its place.
    pub async fn admit_gateway(&mut self, name: &str, pin: Pin) -> Result<Token, AdminError> {
        let secret = Secret::certificate(pin);
        self.add_token(Kind::Gateway, name, None, &secret).await
    }

    async fn add_token(
        &mut self,
        kind: Kind,
        name: &str,
        zone: Option<&str>,
        secret: &Secret,
    ) -> Result<Token, AdminError> {
        let new = new_token(kind, name, zone)?;
        write(&mut self.0, async |connection| {
            if tokens::by_name(connection, name).await?.is_some() {
                return Err(AdminError::NameTaken {
                    name: name.to_owned(),
                });
            }
            let token = tokens::insert(connection, &new, secret).await?;
            let detail = format!("{kind} {}", token.zone.as_deref().unwrap_or_default());
            audit::record(connection, Action::TokenCreate, name, detail.trim_end()).await?;
            Ok(token)
        })
        .await
    }

    /// All tokens, also revoked ones.
    pub async fn tokens(&mut self) -> Result<Vec<Token>, AdminError> {
        Ok(tokens::all(&mut self.0).await?)
    }

    /// Revokes the token of this name: from now on nothing is done for whoever shows it.
    pub async fn revoke_token(&mut self, name: &str) -> Result<Token, AdminError> {
        write(&mut self.0, async |connection| {
            let Some(token) = tokens::by_name(connection, name).await? else {
                return Err(AdminError::NoToken {
                    name: name.to_owned(),
                });
            };
            tokens::revoke(connection, token.id).await?;
            audit::record(connection, Action::TokenRevoke, name, token.kind.as_str()).await?;
            Ok(token)
        })
        .await
    }

    /// All endpoints.
    pub async fn endpoints(&mut self) -> Result<Vec<Endpoint>, AdminError> {
        Ok(endpoints::all(&mut self.0).try_collect().await?)
    }

    /// Forgets an endpoint and tells the gateways. If it reports again, it is a new one.
    pub async fn delete_endpoint(&mut self, id: &str) -> Result<Endpoint, AdminError> {
        write(&mut self.0, async |connection| {
            let Some(endpoint) = endpoints::get(connection, id).await? else {
                return Err(AdminError::NoEndpoint { id: id.to_owned() });
            };
            endpoints::delete(connection, id).await?;
            let withdraw = |revision| Message::Withdraw {
                revision,
                endpoint: id.to_owned(),
            };
            changes::append(connection, withdraw).await?;
            let name = &endpoint.decision.name;
            audit::record(connection, Action::EndpointDelete, id, name).await?;
            Ok(endpoint)
        })
        .await
    }
}

fn new_token(kind: Kind, name: &str, zone: Option<&str>) -> Result<NewToken, AdminError> {
    let zone = match (kind, zone) {
        (Kind::Gateway, Some(_)) => return Err(AdminError::GatewayZone),
        (Kind::Gateway, None) => None,
        (Kind::Agent, zone) => Some(zone.unwrap_or(ZONE)),
    };
    for name in [Some(name), zone].into_iter().flatten() {
        if !is_name(name) {
            return Err(AdminError::Name {
                name: name.to_owned(),
            });
        }
    }
    Ok(NewToken {
        name: name.to_owned(),
        kind,
        zone: zone.map(ToOwned::to_owned),
    })
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.len() <= NAME_BYTES && text.bytes().all(is_plain)
}
