//! A mail server, which writes down what it takes.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use anyhow::Context;
use serde_json::Value;

use crate::{certificate::Certificate, site::Site, wait};

/// Where it takes mail without encryption.
pub const PLAIN: u16 = 2525;
/// Where it wants STARTTLS, and then the name and the password.
pub const STARTTLS: u16 = 2587;
/// Where it wants TLS from the beginning.
pub const TLS: u16 = 2465;
/// By what it knows the gateway.
pub const LOGIN: &str = "gateway";
/// Its password.
pub const PASSWORD: &str = "correct horse battery staple";

/// Where it has only mail for this recipient refused.
pub const REFUSED: &str = "nobody@example.com";

/// aiosmtpd on the machine of the gateway; killed when dropped.
pub struct MailServer {
    child: Child,
    mails: PathBuf,
}

impl MailServer {
    /// Starts one and waits until it takes mail.
    pub fn start(site: &Site, certificate: &Certificate) -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail.py");
        let (mails, log) = (site.path("mails.jsonl"), site.path("mail.log"));
        let log = File::create(log)?;
        let mut command = site.lan.gateway.command("/usr/bin/python3");
        let child = command
            .arg(script)
            .arg(&mails)
            .arg(&certificate.file)
            .arg(&certificate.key_file)
            .args([PLAIN, STARTTLS, TLS].map(|port| port.to_string()))
            .args([LOGIN, PASSWORD, REFUSED])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("aiosmtpd could not be started; `cargo xtask setup` installs it")?;
        let server = Self { child, mails };
        // It makes this when it listens.
        wait::until_so("the mail server listens", || server.mails.exists());
        Ok(server)
    }

    /// The mails that it took: from, to, and content.
    pub fn mails(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.mails).unwrap_or_default();
        let lines = text.lines();
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
