//! Whether hosts that nothing is decided of pass, since something has failed that is to fail open.

use enforcer_common::{host::SourceId, settings::Undecided};

use super::Controller;
use crate::config::Fail;

/// The conditions in which undecided hosts pass at once, with their names in the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failing {
    startup: bool,
    table_full: bool,
}

impl Failing {
    /// What follows for hosts that nothing is decided of.
    pub(super) fn undecided(self, fail: Fail) -> Undecided {
        let opens = [
            (self.startup, fail.startup),
            (self.table_full, fail.table_full),
        ];
        if opens.into_iter().any(|(is, way)| is && way.is_open()) {
            Undecided::Pass
        } else if fail.no_answer.is_open() {
            Undecided::PassLater
        } else {
            Undecided::Stopped
        }
    }

    /// Their names, apart from those that are to fail closed.
    fn open(self, fail: Fail) -> impl Iterator<Item = &'static str> {
        let conditions = [
            ("startup", self.startup, fail.startup),
            ("table_full", self.table_full, fail.table_full),
        ];
        let open = conditions
            .into_iter()
            .filter(|(_, is, way)| *is && way.is_open());
        open.map(|(name, ..)| name)
    }
}

impl Controller {
    /// The BPF file system may be unmounted beneath the gateway.
    pub(super) fn look_at_pins(&mut self) {
        if self.datapath.is_pinned() {
            self.unpinned = None;
        } else if self.unpinned.is_none() {
            let said = format!(
                "nothing is pinned any more in {}: enforcement ends with this process; mount the BPF file system again \
                 (`mount -t bpf bpf /sys/fs/bpf`) and restart the gateway",
                self.config.pin_dir.display()
            );
            tracing::error!("{said}");
            self.unpinned = Some(said);
        }
    }

    /// What has failed, as of now.
    pub(super) fn failing(&self) -> Failing {
        let is_told = self.registry.is_complete(SourceId::MANAGEMENT);
        Failing {
            startup: !is_told && !self.datapath.adopted() && !self.is_restored,
            table_full: !self.retry.is_empty(),
        }
    }

    /// The conditions that let hosts pass now, by their names in the configuration.
    pub(super) fn fails_open(&self) -> Vec<String> {
        let fail = self.compiled.fail;
        let mut open: Vec<_> = self.failing().open(fail).map(str::to_owned).collect();
        let is_silent = |source: &SourceId| self.lease_seconds(*source) == Some(0);
        if fail.lease_expired.is_open() && self.sources.keys().any(is_silent) {
            open.push("lease_expired".to_owned());
        }
        open
    }

    /// Tells the kernel when what has failed is another thing than before.
    pub(super) fn follow_failing(&mut self) {
        let failing = self.failing();
        if failing == self.failed {
            return;
        }
        let rulings = self.rulings();
        if let Err(error) = self.datapath.set_rulings(&rulings) {
            tracing::error!("the kernel is not told what becomes of undecided hosts: {error}");
            return;
        }
        self.failed = failing;
        let conditions = self.fails_open();
        if rulings.undecided == Undecided::Pass {
            tracing::warn!(
                ?conditions,
                "hosts that nothing is decided of pass, as `fail` in the configuration says"
            );
        }
    }
}
