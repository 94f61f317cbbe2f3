//! Prometheus beside a gateway.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::Context;
use serde_json::Value;

use crate::{
    host::{self, ANSWERING},
    lan::at,
    site::Site,
    wait,
};

/// Where it is asked.
const WEB: (&str, u16) = ("127.0.0.1", 9090);
/// Where it reads the gateway's metrics.
const GATEWAY: &str = "127.0.0.1:9469";

/// The folder of what the project offers to Prometheus.
pub fn offered(file: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.join("../contrib/prometheus").join(file)
}

/// A Prometheus on the machine of the gateway, which it reads every second, with the project's rules. It is killed when
/// dropped.
pub struct Prometheus<'a> {
    site: &'a Site,
    child: Child,
}

impl<'a> Prometheus<'a> {
    /// Starts one and waits until it answers.
    pub fn start(site: &'a Site) -> anyhow::Result<Self> {
        let (file, data, log) = ("prometheus.yml", "prometheus", "prometheus.log");
        let rules = fs::canonicalize(offered("alerts.yml"))?;
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [ {} ]\nscrape_configs:\n\
             - job_name: enforcer\n  static_configs: [ {{ targets: [ \"{GATEWAY}\" ] }} ]\n",
            rules.display()
        );
        fs::write(site.path(file), config)?;
        let log = File::create(site.path(log))?;
        // It replaces `ip`, so that what is killed is it.
        let mut command = site.lan.gateway.command("prometheus");
        let (address, port) = WEB;
        let child = command
            .arg(format!("--config.file={}", site.path(file).display()))
            .arg(format!("--storage.tsdb.path={}", site.path(data).display()))
            .arg(format!("--web.listen-address={address}:{port}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("prometheus could not be started; `cargo xtask setup` installs it")?;
        let prometheus = Self { site, child };
        wait::until_so("prometheus is ready", || {
            prometheus.get("/-/ready").is_page()
        });
        Ok(prometheus)
    }

    /// The rows that an expression without blanks has.
    pub fn query(&self, expression: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/query?query={expression}"));
        let body = answer.text().split_once("\r\n\r\n");
        let (_, body) = body.unwrap_or_default();
        let answer: Value = serde_json::from_str(body).unwrap_or_default();
        let rows = answer["data"]["result"].as_array();
        rows.cloned().unwrap_or_default()
    }

    fn get(&self, path: &str) -> host::Answer {
        let (address, port) = WEB;
        let inside = &self.site.lan.gateway;
        inside.enter(|| host::get(at(address, port), path, ANSWERING))
    }
}

impl Drop for Prometheus<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `promtool`, in the folder of what the project offers.
pub fn promtool(arguments: &[&str]) -> Command {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(offered("."));
    command
}
