//! Tokens: who may speak to the server. Only the hash of a secret is kept.

use std::fmt;

use enforcer_protocol::pin::Pin;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use subtle::ConstantTimeEq;

use super::{StoreError, restored, stored};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// To report.
    Agent,
    /// To hear decisions.
    Gateway,
}

impl Kind {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Its name; no two that hold share one.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The zone of what is reported with it; absent for gateways.
    pub zone: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The zone of what is reported with it; absent for gateways.
    pub zone: Option<String>,
}

/// The secret of a token: shown once, never logged.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// 256 random bits, with a prefix that tells what they are to whoever finds them.
    pub fn random(kind: Kind) -> Self {
        let (high, low): (u128, u128) = rand::random();
        Self(format!("enf_{kind}_{high:032x}{low:032x}"))
    }

    /// What stands for this certificate, which is shown in its place.
    pub fn certificate(pin: Pin) -> Self {
        Self(of_certificate(pin))
    }

    /// The secret itself, for the one who is to have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What no secret begins with.
const CERTIFICATE: &str = "certificate ";

/// What stands for a certificate in the place of a secret.
pub fn of_certificate(pin: Pin) -> String {
    format!("{CERTIFICATE}{pin}")
}

/// Whether this stands for a certificate.
pub fn is_of_certificate(secret: &str) -> bool {
    secret.starts_with(CERTIFICATE)
}

/// Adds a token.
pub async fn insert(
    connection: &mut SqliteConnection,
    token: &NewToken,
    secret: &Secret,
) -> Result<Token, StoreError> {
    let insert = "INSERT INTO token (name, kind, zone, hash, created_at) \
                  VALUES (?, ?, ?, ?, ?) RETURNING *";
    let token = sqlx::query(insert)
        .bind(&token.name)
        .bind(token.kind.as_str())
        .bind(&token.zone)
        .bind(hash(secret.reveal()).as_slice())
        .bind(stored(Timestamp::now()))
        .try_map(|row| read(&row))
        .fetch_one(connection)
        .await?;
    Ok(token)
}

/// The token that holds and has this secret.
pub async fn by_secret(
    connection: &mut SqliteConnection,
    secret: &str,
) -> Result<Option<Token>, StoreError> {
    let hash = hash(secret);
    let select = "SELECT * FROM token WHERE hash = ? AND revoked_at IS NULL";
    let row = sqlx::query(select)
        .bind(hash.as_slice())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    // The index has compared hashes, from which no secret follows; this compares them whole.
    let same = row.try_get::<Vec<u8>, _>("hash")?.ct_eq(&hash);
    if !bool::from(same) {
        return Ok(None);
    }
    Ok(Some(read(&row)?))
}

/// The token of this name that holds.
pub async fn by_name(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Token>, StoreError> {
    let select = "SELECT * FROM token WHERE name = ? AND revoked_at IS NULL";
    Ok(sqlx::query(select)
        .bind(name)
        .try_map(|row| read(&row))
        .fetch_optional(connection)
        .await?)
}

/// The token of this number, if it still holds.
pub async fn holding(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Option<Token>, StoreError> {
    let select = "SELECT * FROM token WHERE id = ? AND revoked_at IS NULL";
    Ok(sqlx::query(select)
        .bind(id)
        .try_map(|row| read(&row))
        .fetch_optional(connection)
        .await?)
}

/// All tokens, also revoked ones, oldest first.
pub async fn all(connection: &mut SqliteConnection) -> Result<Vec<Token>, StoreError> {
    let select = "SELECT * FROM token ORDER BY id";
    Ok(sqlx::query(select)
        .try_map(|row| read(&row))
        .fetch_all(connection)
        .await?)
}

/// Notes that a token was used.
pub async fn touch(connection: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    set_time(connection, "UPDATE token SET used_at = ? WHERE id = ?", id).await
}

/// Revokes a token.
pub async fn revoke(connection: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    set_time(
        connection,
        "UPDATE token SET revoked_at = ? WHERE id = ?",
        id,
    )
    .await
}

async fn set_time(
    connection: &mut SqliteConnection,
    update: &'static str,
    id: i64,
) -> Result<(), StoreError> {
    sqlx::query(update)
        .bind(stored(Timestamp::now()))
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn read(row: &SqliteRow) -> Result<Token, sqlx::Error> {
    let kind = match row.try_get("kind")? {
        "agent" => Kind::Agent,
        _ => Kind::Gateway,
    };
    Ok(Token {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        kind,
        zone: row.try_get("zone")?,
        created_at: restored(row.try_get("created_at")?),
        used_at: row.try_get::<Option<i64>, _>("used_at")?.map(restored),
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(restored),
    })
}
