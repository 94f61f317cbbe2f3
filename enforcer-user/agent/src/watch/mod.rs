//! Sees that something changed which a report tells of.

mod addresses;
mod packages;

use std::{fmt, future, io, time::Duration};

use tokio::time::{Instant, timeout, timeout_at};

use addresses::AddressWatch;
use packages::PackageWatch;

/// Changes come in bursts (an upgrade, a lease with two addresses): the report waits for this much
/// quiet …
const QUIET: Duration = Duration::from_secs(1);
/// … but no longer than this.
const LONGEST_BURST: Duration = Duration::from_secs(30);

/// What changed; the last concerns most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// An address came or went.
    Addresses,
    /// Packages were installed, upgraded or removed.
    Packages,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Packages => "the installed packages",
            Self::Addresses => "the addresses",
        })
    }
}

/// Watches what can be watched. The rest is left to the interval.
pub struct Watch {
    packages: Option<PackageWatch>,
    addresses: Option<AddressWatch>,
}

impl Watch {
    /// Begins to watch. Whatever cannot be watched is logged.
    pub fn begin() -> Self {
        let unseen = |what: &'static str| {
            move |error: io::Error| {
                tracing::warn!(%error, "{what} cannot be watched; changes are reported at the interval");
            }
        };
        let packages = PackageWatch::begin()
            .map_err(unseen("the package database"))
            .ok()
            .flatten();
        let addresses = AddressWatch::begin().map_err(unseen("addresses")).ok();
        Self {
            packages,
            addresses,
        }
    }

    /// Waits for a change, and for the burst that it begins to end. Of several changes that of the
    /// packages is told: it concerns the whole posture.
    pub async fn changed(&mut self) -> Change {
        let mut change = self.next().await;
        let end = Instant::now() + LONGEST_BURST;
        let burst = async {
            while let Ok(next) = timeout(QUIET, self.next()).await {
                change = change.max(next);
            }
        };
        // Either end of the burst will do.
        let _ = timeout_at(end, burst).await;
        change
    }

    async fn next(&mut self) -> Change {
        tokio::select! {
            () = or_never(self.packages.as_mut().map(PackageWatch::changed)) => Change::Packages,
            () = or_never(self.addresses.as_mut().map(AddressWatch::changed)) => Change::Addresses,
        }
    }
}

async fn or_never(change: Option<impl Future<Output = ()>>) {
    match change {
        Some(change) => change.await,
        None => future::pending().await,
    }
}
