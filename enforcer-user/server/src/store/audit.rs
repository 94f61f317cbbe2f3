//! Who changed what, when.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{StoreError, stored};

/// What an administrator can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A token was made.
    TokenCreate,
    /// A token was revoked.
    TokenRevoke,
    /// An endpoint was deleted.
    EndpointDelete,
    /// A policy was adopted.
    PolicyReload,
}

impl Action {
    /// Its name in the database and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenCreate => "token_create",
            Self::TokenRevoke => "token_revoke",
            Self::EndpointDelete => "endpoint_delete",
            Self::PolicyReload => "policy_reload",
        }
    }
}

/// Writes down that this process's user did something, in the database and in the log.
pub async fn record(
    connection: &mut SqliteConnection,
    action: Action,
    subject: &str,
    detail: &str,
) -> Result<(), StoreError> {
    let uid = nix::unistd::getuid().as_raw();
    let insert = "INSERT INTO audit (at, uid, action, subject, detail) VALUES (?, ?, ?, ?, ?)";
    sqlx::query(insert)
        .bind(stored(Timestamp::now()))
        .bind(uid)
        .bind(action.as_str())
        .bind(subject)
        .bind(detail)
        .execute(connection)
        .await?;
    tracing::info!(uid, action = action.as_str(), subject, detail, "audit");
    Ok(())
}
