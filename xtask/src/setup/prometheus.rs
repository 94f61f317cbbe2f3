//! Prometheus, as a program that tests start themselves.

use std::process::Command;

use anyhow::Result;

use super::apt;
use super::progress::step;

/// What [`install`] does, as one would type it.
pub(crate) const BY_HAND: &str = "apt-get install --no-install-recommends prometheus && \
     service prometheus stop && update-rc.d prometheus disable";

/// Installs Debian's package, and takes back that it becomes a service of this machine.
pub(crate) fn install() -> Result<()> {
    apt::install(&["prometheus"])?;
    let mut stop = Command::new("service");
    step("stopping prometheus", stop.args(["prometheus", "stop"]))?;
    let mut disable = Command::new("update-rc.d");
    step(
        "keeping prometheus from being started at boot",
        disable.args(["prometheus", "disable"]),
    )
}
