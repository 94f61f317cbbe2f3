//! Brings back what was decided before the machine was started.

use enforcer_common::host::{FOREVER, Host, HostRow, Origin, SourceId};
use jiff::Timestamp;

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
    let names = Names {
        zones: &Zones::new(compiled.zones.clone()),
        compiled,
        profiles,
        saved: &saved,
        now,
        clock: datapath.clock(),
        jiffies: datapath.clock().now()?,
    };
    let rows = saved.rows.iter().filter_map(|row| names.understand(row));
    let rows: Vec<_> = rows.collect();
    let leases = profiles
        .iter()
        .filter_map(|profile| Some((profile.id, names.lease(profile)?)));
    let leases: Vec<_> = leases.collect();
    match datapath.apply(&rows) {
        Err(error @ DatapathError::Refused { .. }) => tracing::error!("{error}"),
        result => result?,
    }
    for (source, until) in leases {
        datapath.set_lease(source, until)?;
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
    clock: &'a Clock,
    /// The same moment as `now`.
    jiffies: u64,
}

impl Names<'_> {
    /// Until when a source is still believed, in jiffies; `None` when it is not.
    fn lease(&self, profile: &Profile) -> Option<u64> {
        let mut sources = self.saved.sources.iter();
        let source = sources.find(|source| source.name == profile.name)?;
        self.deadline(source.until)
    }

    /// A time in jiffies; `None` when it is over.
    fn deadline(&self, until: Option<Timestamp>) -> Option<u64> {
        let Some(until) = until else {
            return Some(FOREVER);
        };
        let left = until.duration_since(self.now);
        let ticks = || self.clock.ticks(left.unsigned_abs());
        left.is_positive()
            .then(|| self.jiffies.saturating_add(ticks()))
    }

    fn understand(&self, row: &SavedRow) -> Option<HostChange> {
        let mut profiles = self.profiles.iter();
        let source: SourceId = profiles
            .find(|profile| profile.name == row.source)
            .filter(|profile| self.lease(profile).is_some())?
            .id;
        let deadline = self.deadline(row.until)?;
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
