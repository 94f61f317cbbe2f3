//! Brings back what was decided before the machine was started.

use enforcer_common::host::{FOREVER, Host, HostRow, Origin, SourceId};
use jiff::{SignedDuration, Timestamp};

use crate::{
    config::{Compiled, Config, Startup},
    datapath::{Clock, Datapath, DatapathError, HostChange},
    identity::{Mac, Zones},
    saved::{self, FILE, Saved, SavedRow},
    sources::Profile,
};

/// Writes what was saved into tables that are empty, as the configuration says; whether there was anything.
pub(super) fn restore(
    config: &Config,
    compiled: &Compiled,
    profiles: &[Profile],
    datapath: &mut Datapath,
) -> Result<bool, DatapathError> {
    if config.startup != Startup::LastKnown || datapath.adopted() {
        return Ok(false);
    }
    let now = Timestamp::now();
    let saved = match saved::read(&config.state_dir.join(FILE), now) {
        Ok(Some(saved)) => saved,
        Ok(None) => return Ok(false),
        Err(error) => {
            tracing::error!("{error}");
            return Ok(false);
        }
    };
    if now < saved.at {
        tracing::error!(
            %now, saved = %saved.at,
            "the clock is behind the time at which decisions were saved, so that nobody can say which still hold: none \
             is in force; set the clock right"
        );
        return Ok(false);
    }
    let jiffies = datapath.clock().now()?;
    let names = Names {
        zones: &Zones::new(compiled.zones.clone()),
        compiled,
        profiles,
        saved: &saved,
        now,
    };
    let rows = saved.rows.iter();
    let rows = rows.filter_map(|row| names.understand(row, datapath.clock(), jiffies));
    let rows: Vec<_> = rows.collect();
    match datapath.apply(&rows) {
        Err(error @ DatapathError::Refused { .. }) => tracing::error!("{error}"),
        result => result?,
    }
    for profile in profiles {
        if let Some(left) = names.lease(profile) {
            let until = left.map_or(FOREVER, |left| ends(left, datapath.clock(), jiffies));
            datapath.set_lease(profile.id, until)?;
        }
    }
    tracing::info!(
        hosts = rows.len(),
        saved = %saved.at,
        "what was decided before the machine was started is in force again, until its sources say more or their leases \
         are over"
    );
    Ok(!rows.is_empty())
}

/// What the names in the file mean now.
struct Names<'a> {
    zones: &'a Zones,
    compiled: &'a Compiled,
    profiles: &'a [Profile],
    saved: &'a Saved,
    now: Timestamp,
}

impl Names<'_> {
    /// For how long a source is still believed: not at all, or without end (`Some(None)`), or so long.
    fn lease(&self, profile: &Profile) -> Option<Option<SignedDuration>> {
        let saved = self.saved.sources.iter();
        let source = saved.clone().find(|source| source.name == profile.name)?;
        let Some(until) = source.until else {
            return Some(None);
        };
        let left = until.duration_since(self.now);
        left.is_positive().then_some(Some(left))
    }

    fn understand(&self, row: &SavedRow, clock: &Clock, jiffies: u64) -> Option<HostChange> {
        let profiles = self.profiles.iter();
        let source: SourceId = profiles
            .clone()
            .find(|profile| profile.name == row.source)
            .filter(|profile| self.lease(profile).is_some())?
            .id;
        let deadline = match row.until {
            None => FOREVER,
            Some(until) if until <= self.now => return None,
            Some(until) => ends(until.duration_since(self.now), clock, jiffies),
        };
        let mac = match &row.mac {
            None => [0; 6],
            Some(text) => text.parse::<Mac>().ok()?.0,
        };
        let host = Host {
            zone: self.zones.number(&row.zone)?,
            address: row.address.into(),
        };
        let row = HostRow {
            deadline,
            mac,
            role: self.compiled.roles.id(&row.role)?,
            origin: Origin::of(source),
        };
        Some(HostChange::Set(host, row))
    }
}

fn ends(left: SignedDuration, clock: &Clock, jiffies: u64) -> u64 {
    jiffies.saturating_add(clock.ticks(left.unsigned_abs()))
}
