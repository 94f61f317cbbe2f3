//! Everybody who takes part in the story.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::addresses::{DESKTOP, HTTP, LAPTOP, Pair, REMEDIATION, WEB};
use super::answer;
use super::client::Client;
use super::gateway::Gateway;
use super::management::Management;
use super::network;
use super::program::Program;
use super::site::Site;

/// How long a web server may take to listen.
const STARTING: Duration = Duration::from_secs(5);
/// How long it may take to answer.
const ANSWERING: Duration = Duration::from_millis(200);

/// All who take part.
pub(super) struct Stage {
    /// The client that complies.
    pub(super) laptop: Client,
    /// The client that does not, at first.
    pub(super) desktop: Client,
    pub(super) management: Management,
    pub(super) gateway: Gateway,
}

impl Stage {
    /// Builds the network and starts everything in it.
    pub(super) fn build(site: &Site, enforcer: &Path) -> Result<Self> {
        network::build(site)?;
        web(site, "servers", "web server", WEB)?;
        web(site, "repair", "remediation server", REMEDIATION)?;
        let management = Management::start(site, enforcer)?;
        let gateway = Gateway::start(site, management.contact())?;
        let client = |name: &'static str, addresses| {
            let posture = site.dir().join(format!("{name}.json"));
            Client::new(name, site.namespace(name), addresses, posture)
        };
        Ok(Self {
            laptop: client("laptop", LAPTOP)?,
            desktop: client("desktop", DESKTOP)?,
            management,
            gateway,
        })
    }
}

/// Starts a web server. It runs until the site is taken down.
fn web(site: &Site, place: &str, name: &'static str, addresses: Pair) -> Result<()> {
    let namespace = site.namespace(place);
    let mut command = namespace.command(std::env::current_exe()?);
    let own = addresses.both().map(|address| address.to_string());
    command.args(["demo-part", "web", name]).args(own);
    let log = site.dir().join(format!("{place}.log"));
    let mut program = Program::start(name, command, log)?;
    program.wait_for(&format!("the {name} answers"), STARTING, || {
        let answer = namespace.enter(|| answer::get(addresses.v4(HTTP), "/", ANSWERING))?;
        Ok(answer.is_page().then_some(()))
    })
}
