//! A gateway from its configuration to its end: opens the datapath, fills the tables, attaches, starts
//! sources and children, runs the controller, and leaves things as the configuration says.

pub(crate) mod addresses;
mod children;
mod embedded;
mod numbers;
pub(crate) mod reload;
mod restored;
pub(crate) mod services;
mod sources;
pub(crate) mod tables;
mod translated;
mod watching;

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use enforcer_common::host::{FOREVER, Host, SourceId};
use jiff::Timestamp;
use tokio::{
    net::UnixListener,
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    alerts,
    audit::Audit,
    config::{CompileError, Compiled, Config, OnStop, check::AdmitError},
    confine::{self, ConfineError},
    conntrack::{self, Forgetter},
    control::{
        self,
        listen::{Access, ListenError},
        serve::{self, Rights},
    },
    controller::{self, Controller, Held, Inputs, Parts},
    datapath::{self, Datapath, DatapathError, HostChange, Options},
    identity::{Zones, kept::Keeper},
    metrics::Metrics,
    registry::Registry,
    simulation::Simulation,
    sources::{
        EVENTS, Profile,
        clock::Clock,
        operator::{Exceptions, Names, OperatorError},
        server::ServerError,
    },
};

use addresses::Addresses;
use children::Children;
use embedded::EmbeddedError;
use numbers::Numbers;
use reload::Reloads;

/// How many questions may wait for the controller.
const CALLS: usize = 256;

/// How many changes of neighbours may wait for the controller, and how many questions about them for the kernel.
const NEIGHBOURS: usize = 1024;

/// Why a gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] AdmitError),
    /// The configuration cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A directory cannot be made.
    #[error("cannot make {path}: {error}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What only the start needs cannot be given up.
    #[error(transparent)]
    Confine(#[from] ConfineError),
    /// A control socket cannot be made.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The kernel side.
    #[error(transparent)]
    Datapath(#[from] DatapathError),
    /// The operator's exceptions.
    #[error(transparent)]
    Exceptions(#[from] OperatorError),
    /// The management server cannot be reached at all.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The embedded management server cannot be set up.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The metrics cannot be made.
    #[error("cannot make the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The signals cannot be waited for.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    /// The addresses of this machine cannot be read.
    #[error("cannot read the addresses of this machine: {0}")]
    Addresses(nix::Error),
    /// Names of zones and roles cannot be kept.
    #[error("cannot keep the numbers of zones and roles in {path}: {error}")]
    Numbers {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A child cannot be started.
    #[error("cannot start `{program}`: {error}")]
    Child {
        /// What.
        program: &'static str,
        /// Why.
        error: io::Error,
    },
}

/// Runs a gateway by this configuration, whose file is read again on SIGHUP, until `stop` is ready. Its children are
/// told how to log.
pub async fn run(
    config: Config,
    log: &'static str,
    simulation: Simulation,
    stop: impl Future<Output = ()>,
) -> Result<(), GatewayError> {
    let user = children::user(&config.user.name);
    // The sockets come first: a second gateway is refused here, before it touches anything.
    let (control, readers) = control_sockets(&config)?;
    let http_socket = config.run_dir.join("http.sock");
    let http_access = user.map_or(Access::Root, |user| Access::User(user.uid));
    let http = control::listen::bind(&http_socket, &http_access)?;

    let mut children = Children::new(log);
    let servers = embedded::management(&config, user, &mut children).await?;
    let addresses = Addresses::read().map_err(GatewayError::Addresses)?;
    let remote = services::resolve(&servers);
    let clock = Arc::new(Clock::default());
    let servers = servers
        .into_iter()
        .map(|one| one.timed_by(&clock))
        .collect();
    let services = services::own(&config, &addresses, &remote);
    let compiled = config.compile_after(&services, &numbers::roles(&config.state_dir))?;
    let audit = Audit::open(&config.state_dir);
    let exceptions = exceptions(&config, &compiled, audit)?;
    let own = tables::own_hosts(&compiled, &addresses);
    let mut datapath = open(&config, &compiled, &own)?;
    datapath.simulate(simulation.clone());
    let profiles = Profile::of(&config);
    let is_restored = restored::restore(&config, &compiled, &profiles, &mut datapath)?;
    let (registry, closing) = adopt(&config, &profiles, &mut datapath, &exceptions)?;
    if let Err(error) = attach(&config, &compiled, &addresses, &mut datapath) {
        datapath.undo()?;
        return Err(error);
    }

    let (said, from_sources) = mpsc::channel(EVENTS);
    let (seen, neighbours) = mpsc::channel(NEIGHBOURS);
    let (questions, to_ask) = mpsc::channel(NEIGHBOURS);
    let (requests_in, requests) = mpsc::channel(CALLS);
    let (http_in, http_calls) = mpsc::channel(CALLS);
    let watched = datapath
        .attachments()
        .map(|one| (one.index, one.zone))
        .collect();
    let (interfaces, watched) = watch::channel(watched);
    let mut tasks = JoinSet::new();
    let metrics = Metrics::new()?;
    let (roles, named) = watch::channel(compiled.roles.clone());
    let named = (compiled.zones.clone(), named);
    let queries = sources::start(
        &config, named, servers, &profiles, &said, &metrics, &mut tasks,
    );
    drop(said);
    tasks.spawn(serve::serve_for(readers, Rights::Read, requests_in.clone()));
    tasks.spawn(serve::serve(control, requests_in));
    tasks.spawn(serve::serve(http, http_in));
    watching::neighbours(&mut tasks, watched, to_ask, seen);
    let links = watching::links(&mut tasks);
    let (tracer, told) =
        translated::watch(&config, &compiled, &addresses, (&remote, clock), &mut tasks);
    let (forgetter, batches) = Forgetter::new();
    let own_addresses = || Ok(Addresses::read()?.all().collect());
    tasks.spawn(conntrack::run(batches, own_addresses, metrics.forgotten()));
    let http_child = children.http(&config, &http_socket, user)?;
    let reloads = Reloads::new(&config.file, remote, (http_child, roles), &http_socket);
    let hangups = signal(SignalKind::hangup()).map_err(GatewayError::Signals)?;

    let inputs = Inputs {
        events: datapath.take_events()?,
        sources: from_sources,
        neighbours,
        told,
        links,
        requests,
        http: http_calls,
        hangups,
    };
    let (alerts, telling) = alerts::start(&config);
    let parts = Parts {
        found_before: Keeper::open(&config.state_dir),
        config,
        compiled,
        own,
        datapath,
        registry,
        closing,
        sources: profiles,
        exceptions,
        queries,
        questions,
        tracer,
        alerts,
        metrics,
        forgetter,
        interfaces,
        reloads,
        is_restored,
        simulation,
    };
    confine::started()?;
    let (datapath, on_stop) = Controller::new(parts).run(inputs, stop).await?;
    drop(tasks);
    telling.finish().await;
    children.stop().await;
    finish(datapath, on_stop)
}

/// Makes the directories of a gateway, and lets it write there alone. Must come before there is a second thread.
pub fn prepare(config: &Config) -> Result<(), GatewayError> {
    // What is missing most often, and would otherwise show as some file that cannot be written.
    datapath::check_capabilities()?;
    datapath::check_mount(&config.pin_dir)?;
    let directories = [&config.state_dir, &config.run_dir, &config.pin_dir];
    for directory in directories {
        fs::create_dir_all(directory).map_err(|error| GatewayError::Directory {
            path: directory.clone(),
            error,
        })?;
    }
    confine::files(&directories.map(PathBuf::as_path))?;
    Ok(())
}

/// The socket for orders, and the one for questions.
fn control_sockets(config: &Config) -> Result<(UnixListener, UnixListener), GatewayError> {
    let access = group_or_root(config.control.group.as_ref());
    let control = control::listen::bind(&config.run_dir.join("control.sock"), &access)?;
    let access = group_or_root(config.control.readers.as_ref());
    let readers = config.run_dir.join(control::listen::READERS);
    let readers = control::listen::bind(&readers, &access)?;
    Ok((control, readers))
}

fn group_or_root(group: Option<&String>) -> Access {
    group.map_or(Access::Root, |group| Access::Group(group.clone()))
}

fn exceptions(
    config: &Config,
    compiled: &Compiled,
    audit: Audit,
) -> Result<Exceptions, GatewayError> {
    let names = Names {
        zones: Zones::new(compiled.zones.clone()),
        roles: compiled
            .roles
            .iter()
            .map(|(role, name)| (name.to_owned(), role))
            .collect(),
    };
    Ok(Exceptions::open(
        &config.state_dir,
        names,
        audit,
        Timestamp::now(),
    )?)
}

/// Opens the maps and writes what the configuration says.
fn open(
    config: &Config,
    compiled: &Compiled,
    own: &HashSet<Host>,
) -> Result<Datapath, GatewayError> {
    let options = Options {
        pin_dir: config.pin_dir.clone(),
        host_capacity: config.host_capacity,
    };
    let mut datapath = Datapath::open(options)?;
    let numbers = Numbers::of(config, compiled);
    if !numbers.are_kept(&config.state_dir) {
        // What rows of an earlier configuration say would be read as something else.
        let rows = datapath.hosts()?;
        let removals: Vec<_> = rows
            .into_iter()
            .map(|(host, _)| HostChange::Remove(host))
            .collect();
        datapath.apply(&removals)?;
    }
    numbers.keep(&config.state_dir)?;
    tables::fill(&mut datapath, &controller::rulings(compiled), compiled, own)?;
    datapath.set_lease(SourceId::GATEWAY, FOREVER)?;
    datapath.set_lease(SourceId::OPERATOR, FOREVER)?;
    Ok(datapath)
}

/// Takes over what an earlier process left in the kernel. Decisions of a source stay until its first snapshot confirms
/// or withdraws them. With the hosts whose connections it was about to forget.
fn adopt(
    config: &Config,
    profiles: &[Profile],
    datapath: &mut Datapath,
    exceptions: &Exceptions,
) -> Result<(Registry, Vec<Host>), GatewayError> {
    let Held { rows, closing } = controller::from_kernel(datapath, Timestamp::now())?;
    let hosts = rows.len();
    let registry = Registry::for_table(config.host_capacity).sharing(config.nat.shared_addresses);
    let mut registry = profiles.iter().fold(registry, |registry, profile| {
        registry.with_priority(profile.id, profile.priority)
    });
    let awaited: Vec<SourceId> = profiles.iter().map(|profile| profile.id).collect();
    let changes = registry.adopt(&awaited, rows, exceptions.active());
    match controller::apply(datapath, &changes) {
        // Without room now; the comparison with the tables tries again.
        Err(error @ DatapathError::Refused { .. }) => tracing::error!("{error}"),
        result => result?,
    }
    if datapath.adopted() {
        let withdrawn = changes.len();
        tracing::info!(hosts, withdrawn, "adopted the state of an earlier process");
    }
    Ok((registry, closing))
}

fn attach(
    config: &Config,
    compiled: &Compiled,
    addresses: &Addresses,
    datapath: &mut Datapath,
) -> Result<(), GatewayError> {
    for interface in &compiled.interfaces {
        let plan = tables::plan(config, interface, addresses);
        let attachment = datapath.attach(&plan)?;
        tracing::info!(
            interface = attachment.interface,
            zone = interface.zone,
            ingress = ?attachment.ingress,
            reason = attachment.reason,
            egress = ?attachment.egress,
            swapped = attachment.adopted,
            "attached"
        );
    }
    Ok(())
}

fn finish(datapath: Datapath, on_stop: OnStop) -> Result<(), GatewayError> {
    match on_stop {
        OnStop::Keep => {
            datapath.keep();
            tracing::info!("stopped; enforcement goes on in the kernel until the leases are over");
        }
        OnStop::Detach => {
            datapath.detach()?;
            tracing::info!("stopped and detached; packets are no longer judged");
        }
    }
    Ok(())
}

/// The configuration at `path`, when it may be used on this machine.
pub fn admit(path: &Path) -> Result<Config, GatewayError> {
    Ok(crate::config::check::admit(path)?)
}
