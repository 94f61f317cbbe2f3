//! The management server, the listeners of the gateway and its directories.

use super::{
    super::{Config, Servers},
    Fault, Findings, MIN_LEASE,
};

pub(super) fn check(config: &Config, findings: &mut Findings<'_>) {
    let management = &config.management;
    match management.servers() {
        Err(error) => findings.add("management", Fault::Management(error)),
        Ok(Servers::Embedded(embedded)) if embedded.listen.is_empty() => {
            findings.add("management.embedded.listen", Fault::NoListener);
        }
        Ok(_) => {}
    }
    if management.lease < MIN_LEASE {
        let lease = management.lease;
        findings.add("management.lease", Fault::ShortLease { lease });
    }
    if config.portal.port == 0 {
        findings.add("portal.port", Fault::NoPort);
    }
    ports(config, findings);
    directories(config, findings);
}

/// Some listeners are on every address, so that a port is for one of them alone.
fn ports(config: &Config, findings: &mut Findings<'_>) {
    let embedded = config
        .management
        .embedded
        .iter()
        .flat_map(|embedded| &embedded.listen);
    let server: Vec<_> = embedded
        .map(|address| ("management.embedded.listen", address.port()))
        .collect();
    let portal = ("portal.port", config.portal.port);
    let metrics = ("metrics.listen", config.metrics.listen.port());
    let later = [
        (portal, server.clone()),
        (metrics, [server, vec![portal]].concat()),
    ];
    for ((key, port), others) in later {
        if let Some(&(other, _)) = others.iter().find(|(_, taken)| *taken == port && port != 0) {
            findings.add(key, Fault::PortTaken { port, other });
        }
    }
}

fn directories(config: &Config, findings: &mut Findings<'_>) {
    let directories = [
        ("state_dir", &config.state_dir),
        ("run_dir", &config.run_dir),
        ("pin_dir", &config.pin_dir),
    ];
    for (key, path) in directories {
        if path.is_relative() {
            let path = path.clone();
            findings.add(key, Fault::RelativePath { path });
        }
    }
}
