//! What Prometheus reads.
//!
//! Most figures are taken from a [`Snapshot`] at the moment of reading; what happens between two readings
//! is kept in [`Metrics`]. No label holds an address or a user's name.

use std::{collections::BTreeMap, time::Duration};

use enforcer_common::{
    counter::{self, Counter, Hook, Outcome},
    decide::Reason,
    role::RoleId,
};
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounterVec, IntGaugeVec, Opts, Registry, Result,
    TextEncoder,
};

use crate::control::{request::Mode, status::StatusView};

/// Bounds around what is promised: 5 ms when quiet, 50 ms under load.
const APPLY_BUCKETS: [f64; 11] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.25, 1.0,
];

/// What the gateway is at the moment of reading.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What `enforcer status` shows.
    pub status: StatusView,
    /// The rows of the datapath's counters, summed over CPUs, in the order of [`counter::row`]. Rows
    /// that are missing count as zero.
    pub counters: Vec<Counter>,
}

/// What became of a question to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryResult {
    /// The source knew the host.
    Known,
    /// The source answered that it does not know the host.
    Unknown,
    /// No answer came.
    Failed,
}

impl QueryResult {
    const ALL: [Self; 3] = [Self::Known, Self::Unknown, Self::Failed];

    fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

/// What happens between two readings. Made by the controller, once.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    apply: Histogram,
    queries: IntCounterVec,
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Result<Self> {
        let registry = Registry::new();
        let apply = Histogram::with_opts(
            HistogramOpts::new(
                "enforcer_decision_apply_seconds",
                "Time from a decision's arrival until the kernel tables hold it.",
            )
            .buckets(APPLY_BUCKETS.to_vec()),
        )?;
        registry.register(Box::new(apply.clone()))?;
        let queries = IntCounterVec::new(
            Opts::new(
                "enforcer_queries_total",
                "Hosts that sources were asked about.",
            ),
            &["result"],
        )?;
        for result in QueryResult::ALL {
            queries.with_label_values(&[result.word()]);
        }
        registry.register(Box::new(queries.clone()))?;
        Ok(Self {
            registry,
            apply,
            queries,
        })
    }

    /// A decision is in force, so long after it came.
    pub fn applied(&self, after: Duration) {
        self.apply.observe(after.as_secs_f64());
    }

    /// A question about a host has come to its end.
    pub fn queried(&self, result: QueryResult) {
        self.queries.with_label_values(&[result.word()]).inc();
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self, snapshot: &Snapshot) -> Result<String> {
        let families = Families(Registry::new());
        families.gateway(&snapshot.status)?;
        families.packets(&snapshot.counters)?;
        families.hosts(&snapshot.status)?;
        families.sources(&snapshot.status)?;
        let mut gathered = families.0.gather();
        gathered.extend(self.registry.gather());
        let mut text = Vec::new();
        TextEncoder::new().encode(&gathered, &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The metrics of one reading.
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
        )?;
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
        )?;
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
            "enforcer_source_lease_seconds",
            "How long the decisions of the source hold if it stays silent from now on.",
            &["source"],
            sources().filter_map(|(labels, source)| Some((labels, source.lease_seconds_left?))),
        )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::{Egress, Ingress, InterfaceView, SourceView, TableView};

    fn snapshot() -> Snapshot {
        let status = StatusView {
            mode: Mode::Enforce,
            version: "0.1.0".to_owned(),
            uptime_seconds: 60,
            zones: vec!["lan".to_owned()],
            interfaces: vec![InterfaceView {
                name: "eth1".to_owned(),
                zone: "lan".to_owned(),
                ingress: Ingress::XdpNative,
                egress: Egress::Tcx,
                attached: true,
            }],
            sources: vec![SourceView {
                name: "management".to_owned(),
                connected: true,
                revision: 42,
                lease_seconds_left: Some(171),
                last_error: None,
            }],
            tables: BTreeMap::from([(
                "hosts_v4".to_owned(),
                TableView {
                    used: 3,
                    capacity: 8,
                },
            )]),
            hosts_by_role: BTreeMap::from([("guests".to_owned(), 3)]),
            pending: 1,
            events_lost: 2,
            drift_repaired: 0,
            ready: true,
            not_ready_reasons: Vec::new(),
        };
        let mut counters = vec![Counter::default(); counter::ROWS as usize];
        let row = counter::row(Hook::Xdp, Outcome::WouldStop, Reason::RoleDenies);
        counters[row as usize] = Counter {
            packets: 7,
            bytes: 420,
        };
        Snapshot { status, counters }
    }

    #[test]
    fn each_figure_stands_under_its_name() {
        let metrics = Metrics::new().expect("metrics");
        metrics.applied(Duration::from_millis(3));
        metrics.queried(QueryResult::Known);
        let text = metrics.render(&snapshot()).expect("text");
        for line in [
            "enforcer_bytes_total{hook=\"xdp\",reason=\"role_denies\",verdict=\"would_stop\"} 420",
            "enforcer_build_info{version=\"0.1.0\"} 1",
            "enforcer_decision_apply_seconds_bucket{le=\"0.0025\"} 0",
            "enforcer_decision_apply_seconds_bucket{le=\"0.005\"} 1",
            "enforcer_events_lost_total 2",
            "enforcer_hosts{role=\"authorized\"} 0",
            "enforcer_hosts{role=\"guests\"} 3",
            "enforcer_interface_attached{egress=\"tcx\",ingress=\"xdp native\",interface=\"eth1\",zone=\"lan\"} 1",
            "enforcer_mode{mode=\"enforce\"} 1",
            "enforcer_mode{mode=\"monitor\"} 0",
            "enforcer_packets_total{hook=\"tc_egress\",reason=\"portal\",verdict=\"drop\"} 0",
            "enforcer_packets_total{hook=\"xdp\",reason=\"role_denies\",verdict=\"would_stop\"} 7",
            "enforcer_pending_hosts 1",
            "enforcer_queries_total{result=\"failed\"} 0",
            "enforcer_queries_total{result=\"known\"} 1",
            "enforcer_ready 1",
            "enforcer_source_lease_seconds{source=\"management\"} 171",
            "enforcer_source_revision{source=\"management\"} 42",
            "enforcer_table_capacity_rows{table=\"hosts_v4\"} 8",
            "enforcer_table_rows{table=\"hosts_v4\"} 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn counters_that_are_missing_are_zero() {
        let mut snapshot = snapshot();
        snapshot.counters.clear();
        let text = Metrics::new()
            .expect("metrics")
            .render(&snapshot)
            .expect("text");
        let packets = text
            .lines()
            .filter(|line| line.starts_with("enforcer_packets_total{"));
        let zeros = packets.filter(|line| line.ends_with(" 0")).count();
        assert_eq!(zeros, counter::ROWS as usize);
    }
}
