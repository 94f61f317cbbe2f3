//! A gateway that is nowhere: the tables that its configuration makes, and its programs, attached to nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use enforcer_common::{
    host::{FOREVER, Family, HostRow, Origin, SourceId},
    limits,
};

use super::{SetUpError, TraceOptions, bpffs};
use crate::{
    config::{Choice, Compiled, Config, InterfacePlan, Limits, Servers, check},
    controller,
    datapath::{Bench, Datapath, HostChange, Options, Plan},
    gateway::{addresses::Addresses, services, tables},
    sources::file::{self, Listed, Names},
};

/// Stand in for the addresses of a gateway whose own are not known, so that the way to its portal can be
/// shown: the dummy addresses of IANA (RFC 7600, RFC 9780), which no host has.
const STAND_IN: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 8)),
    IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 1, 0, 0, 0, 1)),
];

/// The row of the only interface in the tables.
pub(super) const ROW: u32 = 0;

/// What a configuration and a list of hosts say, for one interface.
pub(super) struct Offline {
    config: Config,
    addresses: Addresses,
    hosts: Vec<Listed>,
    host_capacity: u32,
    pub compiled: Compiled,
    pub interface: InterfacePlan,
    /// What the reader of the results should know.
    pub notes: Vec<String>,
}

impl Offline {
    /// Reads both. Nothing is looked up but the addresses of the interface, where this machine has it.
    pub fn read(options: &TraceOptions) -> Result<Self, SetUpError> {
        let mut config = check::admit_offline(&options.config)?;
        config.mode = options.mode.unwrap_or(config.mode);
        let mut notes = Vec::new();
        let place = place_of(options.interface.as_deref(), &config)?;
        let name = &config.interfaces[place].name;
        let addresses = addresses(&config, name, &options.addresses, &mut notes)?;
        notes.extend(unresolved(&config));
        let mut compiled = config.compile(&services::own(&config, &addresses, &[]))?;
        unlimited(&mut compiled.limits);
        let hosts = match &options.hosts {
            Some(path) => file::read(path, Names::from(&compiled))?,
            None => Vec::new(),
        };
        Ok(Self {
            host_capacity: capacity(&hosts, &config)?,
            interface: compiled.interfaces[place].clone(),
            config,
            addresses,
            hosts,
            compiled,
            notes,
        })
    }

    /// Makes the tables and loads the programs, for this process alone.
    pub fn load(&self) -> Result<(Datapath, Bench), SetUpError> {
        let options = Options {
            pin_dir: bpffs::mount_own()?,
            host_capacity: self.host_capacity,
        };
        let mut datapath = Datapath::open(options)?;
        let own = tables::own_hosts(&self.compiled, &self.addresses);
        tables::fill(
            &mut datapath,
            &controller::rulings(&self.compiled),
            &self.compiled,
            &own,
        )?;
        for source in (0..=u8::MAX).take(limits::SOURCES) {
            datapath.set_lease(SourceId(source), FOREVER)?;
        }
        let rows: Vec<_> = self.hosts.iter().map(row).collect();
        datapath.apply(&rows)?;
        let bench = datapath.bench(&self.plan(), ROW)?;
        Ok((datapath, bench))
    }

    fn plan(&self) -> Plan {
        let mut plan = tables::plan(&self.config, &self.interface, &self.addresses);
        if plan.addresses.is_empty() {
            plan.addresses.extend(STAND_IN);
        }
        plan
    }
}

/// The place of the interface with this name; of the first one without a name.
fn place_of(name: Option<&str>, config: &Config) -> Result<usize, SetUpError> {
    let Some(name) = name else {
        return Ok(0);
    };
    let mut interfaces = config.interfaces.iter();
    interfaces
        .position(|interface| interface.name == name)
        .ok_or_else(|| {
            let names: Vec<_> = config.interfaces.iter().map(|one| &one.name).collect();
            SetUpError::Interface {
                name: name.to_owned(),
                choice: Choice::of(name, &names),
            }
        })
}

/// The gateway's own addresses: as they are given; else as this machine has them, if the interface is here;
/// else only those that the configuration names.
fn addresses(
    config: &Config,
    interface: &str,
    given: &[IpAddr],
    notes: &mut Vec<String>,
) -> Result<Addresses, SetUpError> {
    if !given.is_empty() {
        let given = given.iter().map(|address| (interface.to_owned(), *address));
        return Ok(given.chain(listening(config)).collect());
    }
    let machine = Addresses::read().map_err(SetUpError::Addresses)?;
    let here: Vec<_> = machine.of(interface).map(|one| one.to_string()).collect();
    if !here.is_empty() {
        notes.push(format!(
            "the gateway's own addresses are those of `{interface}` on this machine: {}",
            here.join(", ")
        ));
        return Ok(machine);
    }
    let [v4, v6] = STAND_IN;
    notes.push(format!(
        "the gateway's own addresses on `{interface}` are not known: packets to its DNS, DHCP and portal are judged \
         like those to anyone, and {v4} and {v6} stand in for the portal; name them with `--address`"
    ));
    Ok(listening(config).collect())
}

/// Packets come much faster than they did when they were captured, so what is limited in a second would be told by the
/// speed of this machine.
fn unlimited(limits: &mut Limits) {
    for limit in [
        &mut limits.replies_per_second,
        &mut limits.questions_per_second,
    ] {
        if *limit != 0 {
            *limit = u32::MAX;
        }
    }
}

/// Where the embedded management server listens, as far as the configuration names addresses.
fn listening(config: &Config) -> impl Iterator<Item = (String, IpAddr)> {
    let listen = match config.management.servers() {
        Ok(Servers::Embedded(embedded)) => &embedded.listen[..],
        _ => &[],
    };
    let addresses = listen.iter().map(std::net::SocketAddr::ip);
    addresses
        .filter(|address| !address.is_unspecified() && !address.is_loopback())
        .map(|address| (String::new(), address))
}

/// Says that a management server is known by name alone.
fn unresolved(config: &Config) -> Option<String> {
    let servers = config.management.servers().ok()?;
    let mut urls = servers.remote().iter().map(|server| server.url);
    let name = urls.find_map(|url| url.domain())?;
    Some(format!(
        "the address of the management server {name} is not looked up: packets to it are judged like those to \
         anyone; write its address in `url`, or as a [[service]]"
    ))
}

/// Room for these hosts, unless the gateway itself would have none.
fn capacity(hosts: &[Listed], config: &Config) -> Result<u32, SetUpError> {
    let count = |family| {
        let of_it = hosts
            .iter()
            .filter(|one| one.host.address.family() == family);
        of_it.count()
    };
    let most = count(Family::V4).max(count(Family::V6)).max(1);
    u32::try_from(most)
        .ok()
        .filter(|most| *most <= config.host_capacity)
        .ok_or(SetUpError::TooManyHosts {
            count: most,
            capacity: config.host_capacity,
        })
}

fn row(listed: &Listed) -> HostChange {
    let row = HostRow {
        deadline: FOREVER,
        mac: listed.mac.map_or([0; 6], |mac| mac.0),
        role: listed.role,
        origin: Origin::of(SourceId::MANAGEMENT),
    };
    HostChange::Set(listed.host, row)
}
