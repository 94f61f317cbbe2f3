//! Fixed rules of address translation, with the numbers of their zones.

use enforcer_common::host::Host;

use super::{super::Config, CompileError, zone_number};
use crate::identity::Static;

pub(super) fn compile(config: &Config) -> Result<Vec<Static>, CompileError> {
    let zones = config.zone_names();
    let rules = config.nat.statics.iter().map(|mapping| {
        Ok(Static {
            outside: mapping.outside,
            ports: mapping.ports.first..=mapping.ports.last,
            host: Host {
                zone: zone_number(&zones, &mapping.zone)?,
                address: mapping.host.into(),
            },
        })
    });
    rules.collect()
}
