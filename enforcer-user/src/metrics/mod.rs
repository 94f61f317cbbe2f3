//! What Prometheus reads.
//!
//! Most figures are taken from a [`Snapshot`] at the moment of reading; what happens between two readings
//! is kept in [`Metrics`]. No label holds an address or a user's name.

mod families;

use std::time::Duration;

use enforcer_common::counter::Counter;
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, Result,
    TextEncoder,
};

use crate::{
    control::{alert::AlertTotals, status::StatusView},
    datapath::Runs,
    identity::Doubt,
};

/// Bounds around what is promised: 5 ms when quiet, 50 ms under load.
const APPLY_BUCKETS: [f64; 11] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.25, 1.0,
];

/// Bounds around what is promised to a host whose answer is awaited: a round trip; 2 s at most.
const QUERY_BUCKETS: [f64; 11] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0,
];

/// What the gateway is at the moment of reading.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What `enforcer status` shows.
    pub status: StatusView,
    /// The rows of the datapath's counters, summed over CPUs, in the order of [`row`](enforcer_common::counter::row). Rows
    /// that are missing count as zero.
    pub counters: Vec<Counter>,
    /// What became of the questions about unknown hosts.
    pub questions: Questions,
    /// How long the programs ran; none while the kernel does not count it.
    pub runs: Option<Vec<Runs>>,
    /// How telling goes.
    pub alerts: AlertTotals,
    /// How often something could not be written into the audit log.
    pub audit_failures: u64,
    /// How many entries of the log were lost, since nobody read them in time.
    pub log_lost: u64,
}

/// What became of the questions to a source, in hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// The source knew the host.
    pub known: u64,
    /// The source answered that it does not know the host.
    pub unknown: u64,
    /// No answer came.
    pub failed: u64,
}

/// What happens between two readings. Made by the controller, once.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    apply: Histogram,
    queries: Histogram,
    forgotten: IntCounter,
    doubts: IntCounterVec,
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Result<Self> {
        let registry = Registry::new();
        let histogram = |name, help, buckets: &[f64]| -> Result<Histogram> {
            let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            let histogram = Histogram::with_opts(options)?;
            registry.register(Box::new(histogram.clone()))?;
            Ok(histogram)
        };
        let apply = histogram(
            "enforcer_decision_apply_seconds",
            "Time from a decision's arrival until the kernel tables hold it.",
            &APPLY_BUCKETS,
        )?;
        let queries = histogram(
            "enforcer_query_seconds",
            "Time that a request about unknown hosts took, with an answer or without.",
            &QUERY_BUCKETS,
        )?;
        let forgotten = IntCounter::new(
            "enforcer_connections_forgotten_total",
            "Connections of hosts that were cut, taken from the kernel's connection tracking table.",
        )?;
        registry.register(Box::new(forgotten.clone()))?;
        let doubts = IntCounterVec::new(
            Opts::new(
                "enforcer_doubts_total",
                "What endpoints say of their addresses, and decisions of where endpoints are, that did not count.",
            ),
            &["doubt"],
        )?;
        for kind in Doubt::KINDS {
            doubts.get_metric_with_label_values(&[kind])?;
        }
        registry.register(Box::new(doubts.clone()))?;
        Ok(Self {
            registry,
            apply,
            queries,
            forgotten,
            doubts,
        })
    }

    /// How long requests about unknown hosts took.
    pub fn queries(&self) -> Histogram {
        self.queries.clone()
    }

    /// The counter of connections that were taken from the kernel's table.
    pub fn forgotten(&self) -> IntCounter {
        self.forgotten.clone()
    }

    /// A decision is in force, so long after it came.
    pub fn applied(&self, after: Duration) {
        self.apply.observe(after.as_secs_f64());
    }

    /// Something about an endpoint's addresses is doubtful.
    pub fn doubted(&self, kind: &'static str) {
        self.doubts.with_label_values(&[kind]).inc();
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self, snapshot: &Snapshot) -> Result<String> {
        let mut gathered = families::gather(snapshot)?;
        gathered.extend(self.registry.gather());
        let mut text = Vec::new();
        TextEncoder::new().encode(&gathered, &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use enforcer_common::{
        counter::{self, Hook, Outcome},
        decide::Reason,
    };

    use super::*;
    use crate::control::alert::KindTotals;
    use crate::control::request::Mode;
    use crate::control::status::{
        Egress, Ingress, InterfaceView, PassageView, SourceView, TableView,
    };
    use crate::sources::Kind;

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
                reason: "its driver takes XDP".to_owned(),
                egress: Egress::Tcx,
                attached: true,
            }],
            passages: vec![PassageView {
                interface: "wan0".to_owned(),
                v4: true,
                v6: false,
                covered: false,
                cover: "uncovered".to_owned(),
                how: "UNCOVERED".to_owned(),
                remedy: Some("declare it".to_owned()),
            }],
            sources: vec![SourceView {
                name: "management".to_owned(),
                kind: Kind::Server,
                at: None,
                priority: 0,
                connected: true,
                revision: 42,
                decisions: 3,
                lease_seconds_left: Some(171),
                held_back: 1,
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
            fails_open: vec!["startup".to_owned()],
            compared_at: None,
            alerts: Vec::new(),
            events: Vec::new(),
            ready: true,
            not_ready_reasons: Vec::new(),
        };
        let mut counters = vec![Counter::default(); counter::ROWS as usize];
        let row = counter::row(Hook::Xdp, Outcome::WouldStop, Reason::RoleDenies);
        counters[row as usize] = Counter {
            packets: 7,
            bytes: 420,
        };
        let questions = Questions {
            known: 1,
            ..Questions::default()
        };
        Snapshot {
            status,
            counters,
            questions,
            runs: Some(vec![Runs {
                interface: "eth1".to_owned(),
                hook: Hook::Xdp,
                count: 4,
                time: Duration::from_nanos(1_500),
            }]),
            alerts: AlertTotals {
                kinds: [
                    KindTotals {
                        sent: 9,
                        failed: 4,
                        waiting: 2,
                        given_up: 1,
                        summarised: 8,
                    },
                    KindTotals::default(),
                    KindTotals::default(),
                ],
                missed: 6,
            },
            audit_failures: 5,
            log_lost: 3,
        }
    }

    #[test]
    fn each_figure_stands_under_its_name() {
        let metrics = Metrics::new().expect("metrics");
        metrics.applied(Duration::from_millis(3));
        metrics.queries().observe(0.003);
        let text = metrics.render(&snapshot()).expect("text");
        for line in [
            "enforcer_alerts_failed_total{kind=\"mail\"} 4",
            "enforcer_alerts_given_up_total{kind=\"mail\"} 1",
            "enforcer_alerts_sent_total{kind=\"mail\"} 9",
            "enforcer_alerts_sent_total{kind=\"webhook\"} 0",
            "enforcer_alerts_spooled{kind=\"command\"} 0",
            "enforcer_alerts_spooled{kind=\"mail\"} 2",
            "enforcer_alerts_summarised_total{kind=\"mail\"} 8",
            "enforcer_audit_failures_total 5",
            "enforcer_bytes_total{hook=\"xdp\",reason=\"role_denies\",verdict=\"would_stop\"} 420",
            "enforcer_build_info{version=\"0.1.0\"} 1",
            "enforcer_connections_forgotten_total 0",
            "enforcer_decision_apply_seconds_bucket{le=\"0.0025\"} 0",
            "enforcer_decision_apply_seconds_bucket{le=\"0.005\"} 1",
            "enforcer_doubts_total{doubt=\"other_mac\"} 0",
            "enforcer_events_lost_total 2",
            "enforcer_fails_open{condition=\"startup\"} 1",
            "enforcer_fails_open{condition=\"table_full\"} 0",
            "enforcer_hosts{role=\"authorized\"} 0",
            "enforcer_hosts{role=\"guests\"} 3",
            "enforcer_interface_attached{egress=\"tcx\",ingress=\"xdp native\",interface=\"eth1\",zone=\"lan\"} 1",
            "enforcer_interface_covered{interface=\"wan0\"} 0",
            "enforcer_log_entries_lost_total 3",
            "enforcer_mode{mode=\"enforce\"} 1",
            "enforcer_mode{mode=\"monitor\"} 0",
            "enforcer_packets_total{hook=\"tc_egress\",reason=\"held\",verdict=\"drop\"} 0",
            "enforcer_packets_total{hook=\"xdp\",reason=\"role_denies\",verdict=\"would_stop\"} 7",
            "enforcer_pending_hosts 1",
            "enforcer_program_run_seconds_total{hook=\"xdp\",interface=\"eth1\"} 0.0000015",
            "enforcer_program_runs_total{hook=\"xdp\",interface=\"eth1\"} 4",
            "enforcer_queries_total{result=\"failed\"} 0",
            "enforcer_queries_total{result=\"known\"} 1",
            "enforcer_query_seconds_bucket{le=\"0.0025\"} 0",
            "enforcer_query_seconds_bucket{le=\"0.005\"} 1",
            "enforcer_ready 1",
            "enforcer_source_decisions{source=\"management\"} 3",
            "enforcer_source_held_back_total{source=\"management\"} 1",
            "enforcer_source_lease_seconds{source=\"management\"} 171",
            "enforcer_source_revision{source=\"management\"} 42",
            "enforcer_table_capacity_rows{table=\"hosts_v4\"} 8",
            "enforcer_table_rows{table=\"hosts_v4\"} 3",
            "enforcer_tracked_missed_total 6",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn what_the_kernel_does_not_count_is_not_zero_but_absent() {
        let mut snapshot = snapshot();
        snapshot.runs = None;
        let metrics = Metrics::new().expect("metrics");
        let text = metrics.render(&snapshot).expect("text");
        assert!(!text.contains("enforcer_program_run"), "{text}");
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
