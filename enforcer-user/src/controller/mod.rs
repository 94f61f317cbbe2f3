//! Wires events, sources, registry and datapath together.
//!
//! One task owns everything that can change, and takes one thing after the other from its inputs: so
//! no lock, and an order that can be followed in the log. What it learns goes to the registry, and what
//! the registry yields goes to the datapath before the next input is looked at.

mod binding;
mod clock;
mod closing;
mod cut;
mod detail;
mod events;
mod explain;
mod failing;
mod frame;
mod guard;
mod heard;
mod hosts;
mod journal;
mod kernel;
mod links;
mod lists;
mod notes;
mod operator;
mod parts;
mod portal;
mod reload;
mod saving;
mod sources;
mod staged;
mod status;
mod top;
mod traces;
mod tracking;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
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
    alerts::Alerts,
    config::{Compiled, Config, Mode, OnStop, Startup},
    conntrack::{Forgetter, Told},
    control::{HttpRequest, Request, serve::Call},
    datapath::{Bench, Datapath, DatapathError, Events, Rulings},
    gateway::reload::Reloads,
    identity::{
        EndpointId, Identity, Zones,
        kept::Keeper,
        neighbours::{InterfaceZones, Neighbour, Question},
        tracer::Tracer,
    },
    links::{Forwarding, Passage},
    metrics::Metrics,
    registry::{Change, Registry},
    saved,
    sources::{Said, operator::Exceptions, queries::Queries},
};

use clock::SteadyClock;
use closing::Closing;
use failing::Failing;
use heard::Heard;
use journal::Journal;
use kernel::Retry;
pub use kernel::{Held, apply, from_kernel};
pub use parts::Parts;
use saving::Saver;
use staged::Staged;
use tracking::FirstStops;

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
    pub sources: mpsc::Receiver<Said>,
    /// The kernel's neighbours.
    pub neighbours: mpsc::Receiver<Neighbour>,
    /// Translated connections with the management server.
    pub told: mpsc::Receiver<Told>,
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
    tracer: Tracer,
    /// Where it is kept what that found.
    keeper: Keeper,
    exceptions: Exceptions,
    queries: Queries,
    /// Where the kernel is told to ask neighbours.
    questions: mpsc::Sender<Question>,
    alerts: Alerts,
    /// Whose first stop has been told.
    first_stops: FirstStops,
    metrics: Metrics,
    sources: BTreeMap<SourceId, Heard>,
    mode: Mode,
    retry: Retry,
    /// Programs that only judge, by row of their interface: for explanations.
    benches: HashMap<u32, Bench>,
    closing: Closing,
    forgetter: Forgetter,
    /// The interfaces that forward.
    passages: Vec<Passage>,
    /// What is wrong with the interfaces under enforcement.
    lost: Vec<String>,
    /// What is wrong with the pins, if anything.
    unpinned: Option<String>,
    /// Whose neighbours are watched.
    interfaces: watch::Sender<InterfaceZones>,
    reloads: Reloads,
    /// What the management server calls the roles of endpoints when this gateway has none of that name.
    strange_roles: HashMap<EndpointId, String>,
    /// What has come of a snapshot of the management server.
    staged: Staged,
    drift: u64,
    /// When the registry was last compared with the kernel's tables.
    compared: Option<Timestamp>,
    started: Instant,
    is_announced: bool,
    /// Whether decisions that were saved before the machine was started are in force.
    is_restored: bool,
    /// What had failed when the kernel was last told.
    failed: Failing,
    clock: SteadyClock,
    /// Where decisions are saved, if they are.
    saver: Option<Saver>,
    /// What happened, for those who ask.
    journal: Journal,
    /// Those who wait for something to happen.
    readers: Vec<notes::Reader>,
    samples: top::Samples,
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
            sources,
            exceptions,
            queries,
            questions,
            tracer,
            found_before: (keeper, kept),
            alerts,
            metrics,
            forgetter,
            interfaces,
            is_restored,
            simulation,
            reloads,
        } = parts;
        let started = Instant::now();
        let mut closing = Closing::default();
        for host in left {
            closing.begin(host, started);
        }
        let saver = (config.startup == Startup::LastKnown).then(|| {
            let leases = sources.iter().filter_map(|profile| profile.lease);
            let shortest = leases.min().unwrap_or(config.management.lease);
            Saver::new(config.state_dir.join(saved::FILE), shortest)
        });
        let zones = Zones::new(compiled.zones.clone());
        let mut identity =
            Identity::new(zones.clone(), own.clone()).loose_in(compiled.loose_zones());
        let held = registry.hosts();
        identity.remember(held.filter_map(|view| Some((view.host, view.row.mac?))));
        identity.recall(kept);
        let first_stops = FirstStops::of(&datapath, &registry, &compiled);
        Self {
            mode: config.mode,
            identity,
            tracer,
            keeper,
            zones,
            config,
            compiled,
            own,
            datapath,
            registry,
            exceptions,
            queries,
            questions,
            alerts,
            first_stops,
            metrics,
            sources: sources
                .into_iter()
                .map(|profile| (profile.id, Heard::new(profile)))
                .collect(),
            retry: Retry::default(),
            benches: HashMap::new(),
            closing,
            forgetter,
            passages: Vec::new(),
            lost: Vec::new(),
            unpinned: None,
            interfaces,
            reloads,
            strange_roles: HashMap::new(),
            staged: Staged::default(),
            drift: 0,
            compared: None,
            started,
            is_announced: false,
            is_restored,
            failed: Failing::default(),
            clock: SteadyClock::new(simulation),
            saver,
            journal: Journal::new(Timestamp::now()),
            readers: Vec::new(),
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
                () = &mut stop => return Ok(Box::pin(self.end()).await),
                Some(event) = inputs.sources.recv() => {
                    self.take_from_source(event, &mut inputs.sources);
                }
                read = inputs.events.read(&mut events, EVENTS_AT_ONCE) => {
                    read?;
                    events.drain(..).for_each(|event| self.take_event(&event));
                }
                Some(neighbour) = inputs.neighbours.recv() => self.take_neighbour(&neighbour),
                Some(told) = inputs.told.recv() => self.take_told(&told),
                Some(links) = inputs.links.recv() => self.take_links(&links),
                Some(call) = inputs.requests.recv() => self.take_request(call),
                Some(call) = inputs.http.recv() => self.take_http(call),
                Some(()) = inputs.hangups.recv() => self.take_hangup(),
                _ = tick.tick() => {
                    self.tick();
                    self.keep_traces().await;
                    self.save().await;
                }
                _ = compare.tick() => self.compare(),
                () = std::future::ready(()), if self.is_copying() => self.copy_more(),
            }
        }
    }

    async fn end(mut self) -> (Datapath, OnStop) {
        self.save_last().await;
        if let Some(all) = self.identity.new_traces() {
            self.keeper.keep_last(all).await;
        }
        (self.datapath, self.config.on_stop)
    }

    fn tick(&mut self) {
        self.look_at_clock();
        let now = self.clock.now();
        if self.registry.next_end().is_some_and(|end| end <= now) {
            let changes = self.registry.expire(now);
            self.put_in_force(changes);
            if let Err(error) = self.exceptions.expire(now) {
                tracing::error!("{error}");
            }
        }
        self.tracer.expire();
        self.hush_silent();
        self.try_again();
        self.end_closing();
        self.follow_failing();
        self.look_at_pins();
        self.note_leases();
        self.answer_readers();
        self.samples.forget(Instant::now());
        if !self.is_announced && self.missing().is_empty() {
            self.announce();
        }
    }

    fn look_at_clock(&mut self) {
        if let Some(step) = self.clock.look() {
            tracing::warn!(
                seconds = step.as_secs(),
                "the wall clock was set; what ends by itself ends when it would have"
            );
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
            ..self.rulings_by(&self.compiled)
        }
    }

    /// The same by another configuration, as things are now.
    fn rulings_by(&self, compiled: &Compiled) -> Rulings {
        Rulings {
            undecided: self.failing().undecided(compiled.fail),
            ..rulings(compiled)
        }
    }

    fn changes_of(&mut self, changes: Vec<Change>, since: Instant) {
        if changes.is_empty() {
            return;
        }
        self.confirm(&changes);
        let to_tell = self.enforce(changes);
        self.metrics.applied(since.elapsed());
        self.track(to_tell);
    }
}

/// What the configuration says apart from tables.
pub fn rulings(compiled: &Compiled) -> Rulings {
    Rulings {
        enforce: compiled.mode == Mode::Enforce,
        unknown_timeout: compiled.unknown_timeout,
        first_datagram: compiled.first_datagram,
        lease_expired: compiled.lease_expired,
        lease_holds: compiled.fail.lease_expired.is_open(),
        // Until the controller says more.
        undecided: Failing::default().undecided(compiled.fail),
        replies_per_second: compiled.limits.replies_per_second,
        questions_per_second: compiled.limits.questions_per_second,
    }
}
