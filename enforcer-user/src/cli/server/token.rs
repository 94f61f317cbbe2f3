//! `enforcer server token …`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::{Subcommand, ValueEnum};
use enforcer_protocol::pin::Pin;
use enforcer_server::{
    admin::Admin,
    store::tokens::{Kind, Token},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Serialize;

use super::{State, table::table};
use crate::cli::output::{self, Format};

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token. Its secret is printed, this once only.
    Create {
        #[command(flatten)]
        state: State,
        /// What it is for.
        #[arg(long, value_enum)]
        kind: TokenKind,
        /// A name to know it by.
        #[arg(long)]
        name: String,
        /// The zone of what is reported with it (agents only) [default: lan]
        #[arg(long)]
        zone: Option<String>,
        /// The certificate (PEM) that it is known by instead of a secret (gateways only).
        #[arg(long, value_name = "FILE", conflicts_with = "zone")]
        certificate: Option<PathBuf>,
    },
    /// List all tokens, also revoked ones.
    List(State),
    /// Revoke a token, at once.
    Revoke {
        #[command(flatten)]
        state: State,
        /// Its name.
        name: String,
    },
}

/// What a token is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TokenKind {
    /// To report postures.
    Agent,
    /// To hear decisions.
    Gateway,
}

impl From<TokenKind> for Kind {
    fn from(kind: TokenKind) -> Self {
        match kind {
            TokenKind::Agent => Self::Agent,
            TokenKind::Gateway => Self::Gateway,
        }
    }
}

/// A token just made, as it is printed.
#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    token: Token,
    secret: String,
}

impl TokenCommand {
    /// Runs the command.
    pub async fn run(self, format: Format) -> anyhow::Result<()> {
        match self {
            Self::Create {
                state,
                kind,
                name,
                zone,
                certificate,
            } => {
                let mut admin = Admin::open_or_make(&state.state_dir).await?;
                if let Some(path) = certificate {
                    ensure!(
                        matches!(kind, TokenKind::Gateway),
                        "only gateways are known by certificates; leave `--certificate` out"
                    );
                    let token = admin.admit_gateway(&name, pin(&path)?).await?;
                    return output::print(format, &token, |token| {
                        format!("the gateway `{}` is known by its certificate", token.name)
                    });
                }
                let (token, secret) = admin
                    .create_token(kind.into(), &name, zone.as_deref())
                    .await?;
                let created = Created {
                    token,
                    secret: secret.reveal().to_owned(),
                };
                // The secret alone, so that a script can take it.
                output::print(format, &created, |created| created.secret.clone())
            }
            Self::List(state) => {
                let tokens = Admin::open(&state.state_dir).await?.tokens().await?;
                output::print(format, &tokens, |tokens| listed(tokens))
            }
            Self::Revoke { state, name } => {
                let token = Admin::open(&state.state_dir)
                    .await?
                    .revoke_token(&name)
                    .await?;
                output::print(format, &token, |token| {
                    format!("token `{}` is revoked", token.name)
                })
            }
        }
    }
}

/// The pin of a certificate.
fn pin(path: &Path) -> anyhow::Result<Pin> {
    let pem = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let certificate = CertificateDer::from_pem_slice(&pem)
        .with_context(|| format!("{} holds no certificate in PEM", path.display()))?;
    Ok(Pin::of(&certificate))
}

fn listed(tokens: &[Token]) -> String {
    let time = |time: Option<jiff::Timestamp>| {
        time.map_or_else(|| "never".to_owned(), |time| format!("{time:.0}"))
    };
    let rows = tokens.iter().map(|token| {
        let Token {
            name,
            kind,
            zone,
            created_at,
            used_at,
            revoked_at,
            ..
        } = token;
        let zone = zone.clone().unwrap_or_else(|| "all".to_owned());
        [
            name.clone(),
            kind.to_string(),
            zone,
            time(Some(*created_at)),
            time(*used_at),
            time(*revoked_at),
        ]
    });
    table(
        ["NAME", "KIND", "ZONE", "CREATED", "LAST USED", "REVOKED"],
        rows,
    )
}
