//! What the tests of alerts share.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt};

use enforcer_tests::{
    config::Config,
    lan::at,
    site::Site,
    webhook::{Receiver, Taken},
};
use serde_json::Value;

/// The key that webhooks are signed with.
pub const KEY: &str = "a key that nobody guesses";

/// Where the receiver of webhooks is: on the machine of the gateway.
pub fn receiver_address() -> SocketAddr {
    at("127.0.0.1", 9000)
}

/// A receiver without TLS, which puts what it takes with the rest.
pub fn receiver(site: &Site, taken: &Taken) -> anyhow::Result<Receiver> {
    Receiver::start(&site.lan.gateway, receiver_address(), None, taken)
}

/// A file for root's eyes alone.
pub fn secret(site: &Site, name: &str, text: &str) -> anyhow::Result<String> {
    let path = site.path(name);
    fs::write(&path, format!("{text}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(path.display().to_string())
}

/// The section of a webhook, with these keys more.
pub fn webhook(site: &Site, keys: &str) -> anyhow::Result<String> {
    let key = secret(site, "webhook.key", KEY)?;
    Ok(format!(
        "[[alert]]\nname = \"siem\"\nkind = \"webhook\"\nurl = \"http://{}/take\"\nkey_file = {key:?}\n{keys}\n",
        receiver_address()
    ))
}

/// The section of a list of hosts that decides of them, and what it says at first.
pub fn list(site: &Site) -> anyhow::Result<String> {
    write_list(site, &[])?;
    let path = site.path("list.csv").display().to_string();
    Ok(format!(
        "[[source.file]]\nname = \"list\"\npath = {path:?}\nmax_shrink = \"100%\"\n"
    ))
}

/// Has the list say that these hosts are in quarantine.
pub fn write_list(site: &Site, hosts: &[String]) -> anyhow::Result<()> {
    let rows = hosts.iter().map(|host| format!("{host},quarantine\n"));
    let text = "address,role\n".to_owned() + &rows.collect::<String>();
    let new = site.path("list.new");
    fs::write(&new, text)?;
    Ok(fs::rename(new, site.path("list.csv"))?)
}

/// Writes a configuration with these sections.
pub fn configure(site: &Site, sections: &str) -> anyhow::Result<()> {
    site.configure(&Config {
        host_capacity: 16_384,
        sections: sections.to_owned(),
        ..Config::default()
    })
}

/// How the one with this name is, as the operator is shown it.
pub fn view(site: &Site, name: &str) -> Value {
    let status = site.control(&["status"]).unwrap_or_default();
    let alerts = status["alerts"].as_array().cloned().unwrap_or_default();
    let mut alerts = alerts.into_iter();
    alerts.find(|one| one["name"] == name).unwrap_or_default()
}
