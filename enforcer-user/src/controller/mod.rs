//! Wires events, sources, registry and datapath together.
//!
//! One task owns everything that can change, and takes one thing after the other from its inputs: so
//! no lock, and an order that can be followed in the log. What it learns goes to the registry, and what
//! the registry yields goes to the datapath before the next input is looked at.

mod binding;
mod closing;
mod cut;
mod detail;
mod events;
mod explain;
mod frame;
mod hosts;
mod journal;
mod kernel;
mod links;
mod notes;
mod operator;
mod portal;
mod reload;
mod sources;
mod status;
mod top;

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use enforcer_common::host::{Host, SourceId};
use jiff::Timestamp;
use tokio::{
    signal::unix::Signal,
    sync::{mpsc, watch},
    time::{self, MissedTickBehavior},
};

use crate::{
    config::{Compiled, Config, Mode, OnStop},
    conntrack::Forgetter,
    control::{HttpRequest, Request, serve::Call},
    datapath::{Bench, Datapath, DatapathError, Events, Rulings},
    gateway::reload::Reloads,
    identity::{
        EndpointId, Identity, Zones,
        neighbours::{InterfaceZones, Neighbour, Question},
    },
    links::{Forwarding, Passage},
    metrics::Metrics,
    registry::{Change, Registry},
    sources::{SourceEvent, operator::Exceptions, queries::Queries},
};

use closing::Closing;
use journal::Journal;
use kernel::Retry;
pub use kernel::{Held, apply, from_kernel};

/// How often the registry is compared with the kernel's tables.
const COMPARE: Duration = Duration::from_mins(5);

/// How often failed writes are tried again, and what ends is ended.
const TICK: Duration = Duration::from_millis(250);

/// How many events are taken at once: the rest waits in the ring, and the other inputs have their turn.
const EVENTS_AT_ONCE: usize = 256;

/// How many changes from a source are put in force at once.
const CHANGES_AT_ONCE: usize = 1024;

/// Everything that the controller listens to.
pub struct Inputs {
    /// The datapath's events.
    pub events: Events,
    /// What the sources say.
    pub sources: mpsc::Receiver<SourceEvent>,
    /// The kernel's neighbours.
    pub neighbours: mpsc::Receiver<Neighbour>,
    /// The kernel's interfaces, whenever they change.
    pub links: mpsc::Receiver<Vec<Forwarding>>,
    /// The operator's commands.
    pub requests: mpsc::Receiver<Call<Request>>,
    /// The HTTP child's questions.
    pub http: mpsc::Receiver<Call<HttpRequest>>,
    /// Orders to read the configuration anew.
    pub hangups: Signal,
}

/// The state of a running gateway.
pub struct Controller {
    config: Config,
    compiled: Compiled,
    own: HashSet<Host>,
    zones: Zones,
    datapath: Datapath,
    registry: Registry,
    identity: Identity,
    exceptions: Exceptions,
    queries: Queries,
    /// Where the kernel is told to ask neighbours.
    questions: mpsc::Sender<Question>,
    metrics: Metrics,
    management: SourceState,
    mode: Mode,
    retry: Retry,
    /// Programs that only judge, by row of their interface: for explanations.
    benches: HashMap<u32, Bench>,
    closing: Closing,
    forgetter: Forgetter,
    /// The lease whose end has been followed by forgetting connections.
    lapsed: Option<u64>,
    /// The interfaces that forward.
    passages: Vec<Passage>,
    /// What is wrong with the interfaces under enforcement.
    lost: Vec<String>,
    /// Whose neighbours are watched.
    interfaces: watch::Sender<InterfaceZones>,
    reloads: Reloads,
    /// What the management server calls the roles of endpoints when this gateway has none of that name.
    strange_roles: HashMap<EndpointId, String>,
    drift: u64,
    /// When the registry was last compared with the kernel's tables.
    compared: Option<Timestamp>,
    started: Instant,
    is_announced: bool,
    /// What happened, for those who ask.
    journal: Journal,
    /// Those who wait for something to happen.
    readers: Vec<notes::Reader>,
    /// Whether it was said that the lease of the management server is over.
    lease_is_over: bool,
    samples: top::Samples,
}

/// What is known of a source beside its decisions.
#[derive(Debug, Default)]
struct SourceState {
    connected: bool,
    last_error: Option<String>,
}

/// What a controller is made of.
pub struct Parts {
    /// The configuration, for what the views name.
    pub config: Config,
    /// The same, compiled.
    pub compiled: Compiled,
    /// The gateway's own addresses: nothing is decided of them.
    pub own: HashSet<Host>,
    /// The datapath, its tables filled and its programs attached.
    pub datapath: Datapath,
    /// What the kernel holds, and the operator's exceptions.
    pub registry: Registry,
    /// The hosts that an earlier process left closing.
    pub closing: Vec<Host>,
    /// The operator's exceptions, stored.
    pub exceptions: Exceptions,
    /// Where unknown hosts are asked about.
    pub queries: Queries,
    /// Where the kernel is told to ask neighbours.
    pub questions: mpsc::Sender<Question>,
    /// The metrics.
    pub metrics: Metrics,
    /// Where the connections of hosts that were cut are forgotten.
    pub forgetter: Forgetter,
    /// Where it is said whose neighbours are watched.
    pub interfaces: watch::Sender<InterfaceZones>,
    /// What the configuration is read anew with.
    pub(crate) reloads: Reloads,
}

impl Controller {
    /// A controller that has heard nothing yet.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            config,
            compiled,
            own,
            datapath,
            registry,
            closing: left,
            exceptions,
            queries,
            questions,
            metrics,
            forgetter,
            interfaces,
            reloads,
        } = parts;
        let started = Instant::now();
        let mut closing = Closing::default();
        for host in left {
            closing.begin(host, started);
        }
        let zones = Zones::new(compiled.zones.clone());
        let mut identity =
            Identity::new(zones.clone(), own.clone()).loose_in(compiled.loose_zones());
        let held = registry.hosts();
        identity.remember(held.filter_map(|view| Some((view.host, view.row.mac?))));
        Self {
            mode: config.mode,
            identity,
            zones,
            config,
            compiled,
            own,
            datapath,
            registry,
            exceptions,
            queries,
            questions,
            metrics,
            management: SourceState::default(),
            retry: Retry::default(),
            benches: HashMap::new(),
            closing,
            forgetter,
            lapsed: None,
            passages: Vec::new(),
            lost: Vec::new(),
            interfaces,
            reloads,
            strange_roles: HashMap::new(),
            drift: 0,
            compared: None,
            started,
            is_announced: false,
            journal: Journal::new(Timestamp::now()),
            readers: Vec::new(),
            lease_is_over: false,
            samples: top::Samples::default(),
        }
    }

    /// Runs until `stop` is ready, and gives the datapath back, with what is to become of it.
    ///
    /// # Errors
    ///
    /// When the ring of events cannot be read any more.
    pub async fn run(
        mut self,
        mut inputs: Inputs,
        stop: impl Future<Output = ()>,
    ) -> Result<(Datapath, OnStop), DatapathError> {
        tokio::pin!(stop);
        let mut events = Vec::with_capacity(EVENTS_AT_ONCE);
        let mut tick = time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut compare = time::interval_at(time::Instant::now() + COMPARE, COMPARE);
        compare.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => return Ok((self.datapath, self.config.on_stop)),
                Some(event) = inputs.sources.recv() => {
                    self.take_from_source(event, &mut inputs.sources);
                }
                read = inputs.events.read(&mut events, EVENTS_AT_ONCE) => {
                    read?;
                    events.drain(..).for_each(|event| self.take_event(&event));
                }
                Some(neighbour) = inputs.neighbours.recv() => self.take_neighbour(&neighbour),
                Some(links) = inputs.links.recv() => self.take_links(&links),
                Some(call) = inputs.requests.recv() => self.take_request(call),
                Some(call) = inputs.http.recv() => self.take_http(call),
                Some(()) = inputs.hangups.recv() => self.take_hangup(),
                _ = tick.tick() => self.tick(),
                _ = compare.tick() => self.compare(),
            }
        }
    }

    fn tick(&mut self) {
        let now = Timestamp::now();
        if self.registry.next_end().is_some_and(|end| end <= now) {
            let changes = self.registry.expire(now);
            self.put_in_force(changes);
            if let Err(error) = self.exceptions.expire(now) {
                tracing::error!("{error}");
            }
        }
        self.try_again();
        self.end_closing();
        self.note_lease();
        self.answer_readers();
        self.samples.forget(Instant::now());
        if !self.is_announced && self.missing().is_empty() {
            self.announce();
        }
    }

    /// Says once that everything is attached and in step; systemd waits for it (`Type=notify`).
    fn announce(&mut self) {
        self.is_announced = true;
        tracing::info!("ready");
        if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
            tracing::warn!("cannot tell systemd: {error}");
        }
    }

    /// A host for logs: its address, and its zone where there is more than one.
    fn shown(&self, host: &Host) -> String {
        match self.zones.name(host.zone) {
            Some(zone) if self.compiled.zones.len() > 1 => format!("{}%{zone}", host.address),
            _ => host.address.to_string(),
        }
    }

    fn rulings(&self) -> Rulings {
        Rulings {
            enforce: self.mode == Mode::Enforce,
            ..rulings(&self.compiled)
        }
    }

    fn source_name(source: SourceId) -> &'static str {
        match source {
            SourceId::GATEWAY => "gateway",
            SourceId::OPERATOR => "operator",
            SourceId::MANAGEMENT => "management",
            _ => "unknown",
        }
    }

    fn changes_of(&mut self, changes: Vec<Change>, since: Instant) {
        if changes.is_empty() {
            return;
        }
        self.confirm(&changes);
        self.put_in_force(changes);
        self.metrics.applied(since.elapsed());
    }
}

/// What the configuration says apart from tables.
pub fn rulings(compiled: &Compiled) -> Rulings {
    Rulings {
        enforce: compiled.mode == Mode::Enforce,
        unknown_timeout: compiled.unknown_timeout,
        first_datagram: compiled.first_datagram,
        lease_expired: compiled.lease_expired,
        replies_per_second: compiled.limits.replies_per_second,
        questions_per_second: compiled.limits.questions_per_second,
    }
}
