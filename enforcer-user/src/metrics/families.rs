//! The metrics of one reading, taken from a snapshot.

use std::collections::BTreeMap;

use enforcer_common::{
    counter::{self, Counter, Hook, Outcome},
    decide::Reason,
    role::RoleId,
};
use prometheus::{
    CounterVec, IntCounterVec, IntGaugeVec, Opts, Registry, Result, proto::MetricFamily,
};

use super::{Questions, Snapshot};
use crate::{
    config::AlertKind,
    control::{
        alert::{AlertTotals, KindTotals},
        request::Mode,
        status::StatusView,
    },
    datapath::Runs,
};

/// Everything that a snapshot says.
pub fn gather(snapshot: &Snapshot) -> Result<Vec<MetricFamily>> {
    let families = Families(Registry::new());
    families.gateway(&snapshot.status)?;
    families.interfaces(&snapshot.status)?;
    families.packets(&snapshot.counters)?;
    families.hosts(&snapshot.status)?;
    families.tables(&snapshot.status)?;
    families.sources(&snapshot.status)?;
    families.questions(snapshot.questions)?;
    families.alerts(&snapshot.alerts)?;
    families.runs(snapshot.runs.as_deref().unwrap_or_default())?;
    families.counter(
        "enforcer_audit_failures_total",
        "How often something could not be written into the audit log; what operators ordered then was refused.",
        &[],
        [(vec![], snapshot.audit_failures)],
    )?;
    families.counter(
        "enforcer_log_entries_lost_total",
        "Entries of the log that were lost because what reads it was too slow.",
        &[],
        [(vec![], snapshot.log_lost)],
    )?;
    Ok(families.0.gather())
}

struct Families(Registry);

impl Families {
    fn gateway(&self, status: &StatusView) -> Result<()> {
        let version = vec![status.version.as_str()];
        self.gauge(
            "enforcer_build_info",
            "The running program.",
            &["version"],
            [(version, 1)],
        )?;
        let modes = Mode::ALL.map(|mode| (mode.to_string(), u64::from(mode == status.mode)));
        let modes = modes.iter().map(|(name, is)| (vec![name.as_str()], *is));
        self.gauge(
            "enforcer_mode",
            "1 for the mode that verdicts are carried out in.",
            &["mode"],
            modes,
        )?;
        self.gauge(
            "enforcer_ready",
            "1 while everything is attached and in step.",
            &[],
            [(vec![], u64::from(status.ready))],
        )?;
        let conditions = ["startup", "table_full", "lease_expired"];
        let is_open = |condition: &str| status.fails_open.iter().any(|open| open == condition);
        self.gauge(
            "enforcer_fails_open",
            "1 while hosts pass by this condition that would be stopped otherwise.",
            &["condition"],
            conditions.map(|condition| (vec![condition], u64::from(is_open(condition)))),
        )?;
        self.counter(
            "enforcer_events_lost_total",
            "Events of the datapath that found the ring full.",
            &[],
            [(vec![], status.events_lost)],
        )?;
        self.counter(
            "enforcer_drift_repaired_total",
            "Rows of the kernel tables that differed from what was decided, and were set right.",
            &[],
            [(vec![], status.drift_repaired)],
        )
    }

    fn interfaces(&self, status: &StatusView) -> Result<()> {
        let hooks = status.interfaces.iter().map(|interface| {
            let ingress = interface.ingress.to_string();
            (interface, ingress, interface.egress.to_string())
        });
        let hooks: Vec<_> = hooks.collect();
        let attached = hooks.iter().map(|(interface, ingress, egress)| {
            let labels = vec![&*interface.name, &*interface.zone, ingress, egress];
            (labels, u64::from(interface.attached))
        });
        self.gauge(
            "enforcer_interface_attached",
            "1 while packets of the interface are judged in both directions.",
            &["interface", "zone", "ingress", "egress"],
            attached,
        )?;
        let passages = status.passages.iter();
        self.gauge(
            "enforcer_interface_covered",
            "1 while nobody can go unjudged through an interface that forwards.",
            &["interface"],
            passages.map(|one| (vec![&*one.interface], u64::from(one.covered))),
        )
    }

    fn packets(&self, counters: &[Counter]) -> Result<()> {
        let labels = &["hook", "verdict", "reason"];
        self.counter(
            "enforcer_packets_total",
            "Packets judged.",
            labels,
            rows(counters).map(|(labels, counter)| (labels, counter.packets)),
        )?;
        self.counter(
            "enforcer_bytes_total",
            "Bytes of the packets judged, with link headers.",
            labels,
            rows(counters).map(|(labels, counter)| (labels, counter.bytes)),
        )
    }

    fn hosts(&self, status: &StatusView) -> Result<()> {
        let mut roles: BTreeMap<&str, u64> = RoleId::BUILT_IN
            .iter()
            .map(|&(_, name)| (name, 0))
            .collect();
        roles.extend(
            status
                .hosts_by_role
                .iter()
                .map(|(name, &count)| (name.as_str(), count)),
        );
        let roles = roles.into_iter().map(|(name, count)| (vec![name], count));
        self.gauge("enforcer_hosts", "Hosts by role.", &["role"], roles)?;
        self.gauge(
            "enforcer_pending_hosts",
            "Hosts whose answer is awaited.",
            &[],
            [(vec![], status.pending)],
        )
    }

    fn tables(&self, status: &StatusView) -> Result<()> {
        let tables = || {
            status
                .tables
                .iter()
                .map(|(name, table)| (vec![name.as_str()], table))
        };
        self.gauge(
            "enforcer_table_rows",
            "Rows of a kernel table that are in use.",
            &["table"],
            tables().map(|(labels, table)| (labels, table.used)),
        )?;
        self.gauge(
            "enforcer_table_capacity_rows",
            "Rows that a kernel table has room for.",
            &["table"],
            tables().map(|(labels, table)| (labels, table.capacity)),
        )
    }

    fn sources(&self, status: &StatusView) -> Result<()> {
        let sources = || {
            status
                .sources
                .iter()
                .map(|source| (vec![&*source.name], source))
        };
        self.gauge(
            "enforcer_source_connected",
            "1 while the source can be heard.",
            &["source"],
            sources().map(|(labels, source)| (labels, u64::from(source.connected))),
        )?;
        self.gauge(
            "enforcer_source_revision",
            "The last revision that came from the source.",
            &["source"],
            sources().map(|(labels, source)| (labels, source.revision)),
        )?;
        self.gauge(
            "enforcer_source_decisions",
            "Of how many endpoints, or hosts, the source decides.",
            &["source"],
            sources().map(|(labels, source)| (labels, source.decisions)),
        )?;
        self.counter(
            "enforcer_source_held_back_total",
            "How often the source would have taken back too much at once, and was asked again.",
            &["source"],
            sources().map(|(labels, source)| (labels, source.held_back)),
        )?;
        self.gauge(
            "enforcer_source_lease_seconds",
            "How long the decisions of the source hold if it stays silent from now on.",
            &["source"],
            sources().filter_map(|(labels, source)| Some((labels, source.lease_seconds_left?))),
        )
    }

    fn questions(&self, questions: Questions) -> Result<()> {
        let Questions {
            known,
            unknown,
            failed,
        } = questions;
        let results = [("known", known), ("unknown", unknown), ("failed", failed)];
        self.counter(
            "enforcer_queries_total",
            "Hosts that sources were asked about.",
            &["result"],
            results.map(|(result, hosts)| (vec![result], hosts)),
        )
    }

    fn alerts(&self, totals: &AlertTotals) -> Result<()> {
        let by_kind = |figure: fn(&KindTotals) -> u64| {
            let kinds = AlertKind::ALL.iter().zip(&totals.kinds);
            kinds.map(move |((_, word), of_kind)| (vec![*word], figure(of_kind)))
        };
        let labels = &["kind"];
        self.counter(
            "enforcer_alerts_sent_total",
            "Alerts that arrived.",
            labels,
            by_kind(|of_kind| of_kind.sent),
        )?;
        self.counter(
            "enforcer_alerts_failed_total",
            "Attempts to send an alert that failed.",
            labels,
            by_kind(|of_kind| of_kind.failed),
        )?;
        self.gauge(
            "enforcer_alerts_spooled",
            "Alerts that wait to be sent.",
            labels,
            by_kind(|of_kind| of_kind.waiting),
        )?;
        self.counter(
            "enforcer_alerts_given_up_total",
            "Alerts that nobody will get.",
            labels,
            by_kind(|of_kind| of_kind.given_up),
        )?;
        self.counter(
            "enforcer_alerts_summarised_total",
            "What was told in summaries alone.",
            labels,
            by_kind(|of_kind| of_kind.summarised),
        )?;
        self.counter(
            "enforcer_tracked_missed_total",
            "What was tracked, and came faster than it could be told one by one.",
            &[],
            [(vec![], totals.missed)],
        )
    }

    /// Nothing at all while the kernel does not count: a zero would say that nothing runs.
    fn runs(&self, runs: &[Runs]) -> Result<()> {
        let labels = &["interface", "hook"];
        let rows = runs.iter().map(|one| {
            let hook = Hook::ALL.iter().find(|(hook, _)| *hook == one.hook);
            (
                vec![&*one.interface, hook.map_or("", |(_, word)| word)],
                one,
            )
        });
        self.counter(
            "enforcer_program_runs_total",
            "Packets that the programs at a hook ran for.",
            labels,
            rows.clone().map(|(labels, one)| (labels, one.count)),
        )?;
        let seconds = CounterVec::new(
            Opts::new(
                "enforcer_program_run_seconds_total",
                "Time that the programs at a hook took.",
            ),
            labels,
        )?;
        for (values, one) in rows {
            let row = seconds.get_metric_with_label_values(&values)?;
            row.inc_by(one.time.as_secs_f64());
        }
        self.0.register(Box::new(seconds))
    }

    fn gauge<'a>(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        rows: impl IntoIterator<Item = (Vec<&'a str>, u64)>,
    ) -> Result<()> {
        let family = IntGaugeVec::new(Opts::new(name, help), labels)?;
        for (values, value) in rows {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            family.get_metric_with_label_values(&values)?.set(value);
        }
        self.0.register(Box::new(family))
    }

    fn counter<'a>(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        rows: impl IntoIterator<Item = (Vec<&'a str>, u64)>,
    ) -> Result<()> {
        let family = IntCounterVec::new(Opts::new(name, help), labels)?;
        for (values, value) in rows {
            family.get_metric_with_label_values(&values)?.inc_by(value);
        }
        self.0.register(Box::new(family))
    }
}

/// Every combination of hook, outcome and reason with its counter, so that each is there from the start.
fn rows(counters: &[Counter]) -> impl Iterator<Item = (Vec<&'static str>, Counter)> {
    let hooks = Hook::ALL.iter();
    hooks.flat_map(move |&(hook, hook_word)| {
        Outcome::ALL.iter().flat_map(move |&(outcome, verdict)| {
            Reason::ALL.iter().map(move |&(reason, reason_word)| {
                let row = counter::row(hook, outcome, reason) as usize;
                let counter = counters.get(row).copied().unwrap_or_default();
                (vec![hook_word, verdict, reason_word], counter)
            })
        })
    })
}
