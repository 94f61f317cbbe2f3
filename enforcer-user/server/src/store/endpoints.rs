//! Endpoints: what each reported last, what was decided of it, and where it may be met.

use std::net::IpAddr;

use enforcer_protocol::{
    decision::{Decision, Subject},
    posture::Posture,
};
use futures_util::{Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{StoreError, restored, stored};

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The number of the token that owns its identifier.
    pub token: i64,
    /// When it last reported.
    pub reported_at: Timestamp,
    /// The end of its decision that gateways were told last.
    pub announced_until: Option<Timestamp>,
    /// What was decided of it; its identifier is the endpoint's.
    pub decision: Decision,
}

/// An endpoint with the posture that it reported last.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its posture.
    pub posture: Posture,
}

/// The endpoint with this identifier.
pub async fn get(
    connection: &mut SqliteConnection,
    id: &str,
) -> Result<Option<Endpoint>, StoreError> {
    let select = "SELECT * FROM endpoint WHERE id = ?";
    let row = sqlx::query(select)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Adds an endpoint or replaces what is known of it.
pub async fn put(connection: &mut SqliteConnection, endpoint: &Endpoint) -> Result<(), StoreError> {
    let upsert = "INSERT INTO endpoint \
                  (id, token, reported_at, valid_until, announced_until, decision) \
                  VALUES (?, ?, ?, ?, ?, ?) \
                  ON CONFLICT (id) DO UPDATE SET token = excluded.token, \
                  reported_at = excluded.reported_at, valid_until = excluded.valid_until, \
                  announced_until = excluded.announced_until, decision = excluded.decision";
    sqlx::query(upsert)
        .bind(&endpoint.decision.endpoint)
        .bind(endpoint.token)
        .bind(stored(endpoint.reported_at))
        .bind(endpoint.decision.valid_until.map(stored))
        .bind(endpoint.announced_until.map(stored))
        .bind(serde_json::to_string(&endpoint.decision)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps the posture of an endpoint that is there. One that repeats the last costs no writing.
pub async fn put_posture(
    connection: &mut SqliteConnection,
    id: &str,
    document: &str,
) -> Result<(), StoreError> {
    let upsert = "INSERT INTO posture (endpoint, document) VALUES (?, ?) ON CONFLICT (endpoint) \
                  DO UPDATE SET document = excluded.document WHERE document <> excluded.document";
    sqlx::query(upsert)
        .bind(id)
        .bind(document)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces the addresses at which the decision's endpoint may be met.
pub async fn put_addresses(
    connection: &mut SqliteConnection,
    decision: &Decision,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM address WHERE endpoint = ?")
        .bind(&decision.endpoint)
        .execute(&mut *connection)
        .await?;
    let observed = decision.observed.map(|observed| (observed.ip(), None));
    let claimed = decision
        .claims
        .iter()
        .map(|claim| (claim.address, Some(&claim.mac)));
    let hosts: Vec<(IpAddr, Option<&String>)> = observed.into_iter().chain(claimed).collect();
    let insert = "INSERT INTO address (endpoint, zone, address, mac) \
                  SELECT ?, ?, value ->> 0, value ->> 1 FROM json_each(?)";
    sqlx::query(insert)
        .bind(&decision.endpoint)
        .bind(&decision.zone)
        .bind(serde_json::to_string(&hosts)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets an endpoint.
pub async fn delete(connection: &mut SqliteConnection, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM endpoint WHERE id = ?")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// What is decided of the endpoints that may be met at this host: observed at its address, or
/// claiming it with the MAC address that it has.
pub async fn met_at(
    connection: &mut SqliteConnection,
    host: &Subject,
) -> Result<Vec<Decision>, StoreError> {
    let select = "SELECT DISTINCT decision FROM address JOIN endpoint ON id = endpoint \
                  WHERE zone = ? AND address = ? AND (mac IS NULL OR mac = ?)";
    sqlx::query_scalar(select)
        .bind(&host.zone)
        .bind(host.address.to_canonical().to_string())
        .bind(host.mac.as_ref().map(|mac| mac.to_ascii_lowercase()))
        .fetch(connection)
        .map(|text: Result<String, _>| Ok(serde_json::from_str(&text?)?))
        .try_collect()
        .await
}

/// How many endpoints there are.
pub async fn count(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM endpoint")
        .fetch_one(connection)
        .await?;
    Ok(count.unsigned_abs())
}

/// All endpoints, by identifier.
pub fn all(
    connection: &mut SqliteConnection,
) -> impl Stream<Item = Result<Endpoint, StoreError>> + '_ {
    let select = "SELECT * FROM endpoint ORDER BY id";
    sqlx::query(select).fetch(connection).map(|row| read(&row?))
}

/// Up to `limit` endpoints with their postures, by identifier, after `id`.
pub async fn reported_after(
    connection: &mut SqliteConnection,
    id: &str,
    limit: u32,
) -> Result<Vec<Reported>, StoreError> {
    let select = "SELECT endpoint.*, document FROM endpoint JOIN posture ON id = endpoint \
                  WHERE id > ? ORDER BY id LIMIT ?";
    sqlx::query(select)
        .bind(id)
        .bind(limit)
        .fetch(connection)
        .map(|row| {
            let row = row?;
            let posture = serde_json::from_str(row.try_get("document")?)?;
            Ok(Reported {
                endpoint: read(&row)?,
                posture,
            })
        })
        .try_collect()
        .await
}

/// Up to `limit` endpoints whose reports have run out by `now` without anyone having said so.
pub async fn run_out(
    connection: &mut SqliteConnection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Endpoint>, StoreError> {
    let select = "SELECT * FROM endpoint WHERE valid_until <= ? ORDER BY valid_until LIMIT ?";
    sqlx::query(select)
        .bind(stored(now))
        .bind(limit)
        .fetch(connection)
        .map(|row| read(&row?))
        .try_collect()
        .await
}

fn read(row: &SqliteRow) -> Result<Endpoint, StoreError> {
    Ok(Endpoint {
        token: row.try_get("token")?,
        reported_at: restored(row.try_get("reported_at")?),
        announced_until: row
            .try_get::<Option<i64>, _>("announced_until")?
            .map(restored),
        decision: serde_json::from_str(row.try_get("decision")?)?,
    })
}
