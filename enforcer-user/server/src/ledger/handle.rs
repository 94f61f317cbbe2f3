//! How others ask the ledger to write.

use std::net::SocketAddr;

use enforcer_protocol::{judgement::Receipt, posture::Posture};
use tokio::sync::{mpsc, oneshot};

use crate::{
    policy::Policy,
    store::{StoreError, tokens::Token},
};

/// A report that is well-formed and comes from one who may report.
#[derive(Clone, Debug)]
pub struct Intake {
    /// What the endpoint says.
    pub posture: Posture,
    /// The token it says it with.
    pub token: Token,
    /// Where it says it from.
    pub observed: SocketAddr,
    /// To which address and port of this server.
    pub observed_by: SocketAddr,
}

/// Why a report was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The endpoint is another token's.
    #[error(
        "the endpoint `{endpoint}` was first reported with the token `{owner}`; report with that one, \
         or revoke it, or delete the endpoint"
    )]
    OwnedByOther {
        /// The endpoint.
        endpoint: String,
        /// The name of the token it belongs to.
        owner: String,
    },
    /// It cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More reports wait than the server takes.
    #[error("too many reports are waiting; try again in a few seconds")]
    Busy,
    /// The server stops.
    #[error("the server is stopping; try again in a few seconds")]
    Stopping,
}

/// What the ledger can be asked.
#[derive(Debug)]
pub(super) enum Command {
    Report(Box<Intake>, oneshot::Sender<Result<Receipt, LedgerError>>),
    Touch(i64),
    Adopt(Policy, String),
}

/// The way to the ledger. The ledger ends when all clones are dropped.
#[derive(Clone, Debug)]
pub struct LedgerHandle(mpsc::Sender<Command>);

impl LedgerHandle {
    pub(super) fn new(sender: mpsc::Sender<Command>) -> Self {
        Self(sender)
    }

    /// Judges and stores a report; gateways have been told when it returns.
    pub async fn report(&self, intake: Intake) -> Result<Receipt, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.0
            .try_send(Command::Report(Box::new(intake), reply))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => LedgerError::Busy,
                mpsc::error::TrySendError::Closed(_) => LedgerError::Stopping,
            })?;
        answer.await.map_err(|_| LedgerError::Stopping)?
    }

    /// Notes that a token was used; forgotten when the ledger is busy.
    pub fn touch(&self, token: i64) {
        let _ = self.0.try_send(Command::Touch(token));
    }

    /// Judges by this policy, read from `file`, from now on, and everything stored anew.
    pub async fn adopt(&self, policy: Policy, file: String) -> Result<(), LedgerError> {
        let sent = self.0.send(Command::Adopt(policy, file)).await;
        sent.map_err(|_| LedgerError::Stopping)
    }

    /// Whether the ledger still writes.
    pub fn is_running(&self) -> bool {
        !self.0.is_closed()
    }
}
