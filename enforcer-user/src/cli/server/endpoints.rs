//! `enforcer server endpoints …`.

use clap::Subcommand;
use enforcer_protocol::decision::Decision;
use enforcer_server::admin::Admin;
use jiff::Timestamp;
use serde::Serialize;

use super::{State, table::table};
use crate::cli::output::{self, Format};

/// What can be done with endpoints.
#[derive(Debug, Subcommand)]
pub enum EndpointsCommand {
    /// List the endpoints and what is decided of them.
    List(State),
    /// Forget an endpoint; gateways are told within a second.
    Delete {
        #[command(flatten)]
        state: State,
        /// Its identifier.
        id: String,
    },
}

/// An endpoint as it is printed.
#[derive(Serialize)]
struct Row {
    reported_at: Timestamp,
    #[serde(flatten)]
    decision: Decision,
}

impl EndpointsCommand {
    /// Runs the command.
    pub async fn run(self, format: Format) -> anyhow::Result<()> {
        match self {
            Self::List(state) => {
                let endpoints = Admin::open(&state.state_dir).await?.endpoints().await?;
                let row = |endpoint: enforcer_server::store::endpoints::Endpoint| Row {
                    reported_at: endpoint.reported_at,
                    decision: endpoint.decision,
                };
                let rows: Vec<_> = endpoints.into_iter().map(row).collect();
                output::print(format, &rows, |rows| listed(rows))
            }
            Self::Delete { state, id } => {
                let endpoint = Admin::open(&state.state_dir)
                    .await?
                    .delete_endpoint(&id)
                    .await?;
                output::print(format, &endpoint.decision, |decision| {
                    format!(
                        "endpoint `{}` ({}) is deleted",
                        decision.endpoint, decision.name
                    )
                })
            }
        }
    }
}

fn listed(rows: &[Row]) -> String {
    let rows = rows.iter().map(
        |Row {
             reported_at,
             decision,
         }| {
            let rules: Vec<_> = decision
                .reasons
                .iter()
                .map(|reason| reason.rule.as_str())
                .collect();
            [
                decision.endpoint.clone(),
                decision.name.clone(),
                decision.zone.clone(),
                decision
                    .observed
                    .map_or_else(String::new, |observed| observed.ip().to_string()),
                format!("{:?}", decision.level).to_lowercase(),
                decision.role.clone(),
                rules.join(", "),
                format!("{reported_at:.0}"),
            ]
        },
    );
    table(
        [
            "ID", "NAME", "ZONE", "ADDRESS", "LEVEL", "ROLE", "FAILS", "REPORTED",
        ],
        rows,
    )
}
