//! A network with everything that one gateway needs: configuration, state, a BPF file system.

use std::{
    env,
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    bpffs::BpfFs,
    config::Config,
    gateway::Gateway,
    host::Host,
    lan::{GATEWAY, Lan, at},
    namespace::output,
    posture::Posture,
    wait::{self, patient},
};

/// The place of one gateway. Everything is removed when it is dropped.
pub struct Site {
    /// The network around it.
    pub lan: Lan,
    directory: TempDir,
    bpffs: BpfFs,
}

impl Site {
    /// A place where no gateway has been yet, with the usual configuration.
    pub fn new() -> anyhow::Result<Self> {
        Self::new_in(&env::temp_dir())
    }

    /// The same below this directory.
    pub fn new_in(parent: &Path) -> anyhow::Result<Self> {
        let directory = TempDir::new_in(parent)?;
        // The gateway's children go through it without privileges.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755))?;
        let site = Self {
            lan: Lan::new()?,
            directory,
            bpffs: BpfFs::new_in(parent)?,
        };
        site.configure(&Config::default())?;
        Ok(site)
    }

    /// A gateway in a new place, with this configuration, and the place.
    pub fn with(config: &Config) -> anyhow::Result<Self> {
        let site = Self::new()?;
        site.configure(config)?;
        Ok(site)
    }

    /// Writes the configuration.
    pub fn configure(&self, config: &Config) -> anyhow::Result<()> {
        self.write_config(&config.text(self))
    }

    /// Writes a configuration as it stands.
    pub fn write_config(&self, text: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.config_file(), text)?)
    }

    /// The configuration.
    pub fn config_file(&self) -> PathBuf {
        self.path("enforcer.toml")
    }

    /// A file of the gateway: below `state`, `run`, or beside them.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where the gateway pins its maps.
    pub fn pin_dir(&self) -> PathBuf {
        self.bpffs.pin_dir()
    }

    /// Takes away all that the kernel holds of a gateway that has ended, as a reboot does.
    pub fn reboot(&self) -> anyhow::Result<()> {
        let pins = self.pin_dir();
        if pins.exists() {
            fs::remove_dir_all(&pins)?;
        }
        wait::until("the programs are off", || {
            (!self.has_xdp().ok()?).then_some(())
        });
        Ok(())
    }

    /// Unmounts the BPF file system beneath the gateway: where it sees it, and here.
    pub fn unmount_bpffs(&self, gateway: &Gateway<'_>) -> anyhow::Result<()> {
        let mut unmount = Command::new("nsenter");
        let pid = gateway.pid().to_string();
        unmount.args(["--mount", "--target", &pid, "umount", "-l"]);
        output(unmount.arg(self.bpffs.path()))?;
        self.bpffs.unmount()
    }

    /// Starts the gateway and waits until it is ready.
    pub fn start(&self) -> anyhow::Result<Gateway<'_>> {
        Gateway::start(self)
    }

    /// Starts a gateway that is to be refused, and hands out what it says.
    pub fn refused(&self) -> anyhow::Result<String> {
        let done = self.run_to_end()?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        ensure!(
            done.status.code() == Some(1),
            "not refused ({}): {said}",
            done.status
        );
        Ok(said)
    }

    /// Starts a gateway, and waits until it ends by itself.
    pub fn run_to_end(&self) -> anyhow::Result<Output> {
        let mut command = self.run_command();
        // One that is not refused would never end.
        let limit = patient(Duration::from_secs(20)).as_secs().to_string();
        let program = command.get_program().to_owned();
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = Command::new("timeout");
        command.args(["--kill-after=1", &limit]);
        command.arg(program).args(arguments);
        Ok(command.stdin(Stdio::null()).output()?)
    }

    /// `enforcer run` in the place of the gateway.
    pub(crate) fn run_command(&self) -> Command {
        let mut command = self.lan.gateway.command(enforcer());
        command.args(["run", "--config"]).arg(self.config_file());
        command
    }

    /// Whether an XDP program is on the gateway's interface towards the hosts.
    pub fn has_xdp(&self) -> anyhow::Result<bool> {
        let mut ip = Command::new("ip");
        ip.args([
            "-n",
            self.lan.gateway.name(),
            "-json",
            "link",
            "show",
            "lan0",
        ]);
        let links: Value = serde_json::from_str(&output(&mut ip)?)?;
        Ok(links[0].get("xdp").is_some())
    }

    /// An operator's command, with what it prints for programs.
    pub fn control(&self, words: &[&str]) -> anyhow::Result<Value> {
        let mut command = self.operator(words);
        let printed = output(command.args(["--output", "json"]))?;
        serde_json::from_str(&printed).with_context(|| format!("{words:?} printed no JSON"))
    }

    /// An operator's command.
    pub fn operator(&self, words: &[&str]) -> Command {
        let mut command = Command::new(enforcer());
        command
            .args(words)
            .arg("--socket")
            .arg(self.path("run/control.sock"));
        command
    }

    /// Has a host report its posture to the embedded management server; the role that it is given.
    pub fn report(&self, host: &Host, posture: &Posture) -> anyhow::Result<String> {
        let pin = self.pin()?;
        self.report_to(
            host,
            at(GATEWAY, 8443),
            pin.trim(),
            &self.agent_token()?,
            posture,
        )
    }

    /// Has a host report to a management server with this pin, with the token in this file; the role that it is given.
    pub fn report_to(
        &self,
        host: &Host,
        server: SocketAddr,
        pin: &str,
        token: &Path,
        posture: &Posture,
    ) -> anyhow::Result<String> {
        let file = self.path(format!("{}.json", posture.name()));
        fs::write(&file, posture.document(host).to_string())?;
        let mut agent = Command::new(enforcer());
        agent
            .args(["agent", "report", "--output", "json", "--server"])
            .arg(format!("https://{server}"))
            .args(["--pin", pin, "--token-file"])
            .arg(token)
            .arg("--file")
            .arg(&file);
        let receipt: Value = serde_json::from_str(&host.namespace.enter(|| output(&mut agent))?)?;
        let role = receipt["judgement"]["role"].as_str();
        role.map(ToOwned::to_owned)
            .context("a receipt without role")
    }

    /// What the management server is recognised by.
    pub fn pin(&self) -> anyhow::Result<String> {
        let path = self.path("state/server/server.pin");
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// The file with the token of all agents here.
    pub fn agent_token(&self) -> anyhow::Result<PathBuf> {
        let path = self.path("agent.token");
        if path.exists() {
            return Ok(path);
        }
        let mut create = Command::new(enforcer());
        create
            .args(["server", "token", "create", "--kind", "agent", "--name"])
            .args(["agents", "--state-dir"])
            .arg(self.path("state/server"));
        let secret = output(&mut create)?;
        let mut options = fs::File::options();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        std::io::Write::write_all(&mut file, secret.as_bytes())?;
        Ok(path)
    }
}

/// The program that is tested: the one that the environment names, else that which cargo puts into the directory above
/// that of the tests. `cargo test` of the whole workspace builds it anew before it runs them; of this package alone it
/// does not.
///
/// # Panics
///
/// When it is not there.
pub fn enforcer() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = env::var_os(enforcer_vm::PROGRAM) {
            return program.into();
        }
        let test = env::current_exe().expect("the path of this test");
        let program = test.ancestors().nth(2).map(|above| above.join("enforcer"));
        let program = program.expect("a directory of programs");
        let path = program.display();
        assert!(
            program.exists(),
            "no {path}; make it with `cargo build -p enforcer`"
        );
        program
    })
}
