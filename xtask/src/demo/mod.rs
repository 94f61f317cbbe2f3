//! `cargo xtask demo`: the whole story in network namespaces, with the real programs.
//!
//! Two processes: the story plays in one of its own, and this one waits for it and for signals. So
//! whatever happens to the story, what it made is taken down by name, and no step has to think of it.

mod addresses;
mod answer;
mod client;
mod gateway;
mod management;
mod metrics;
mod namespace;
mod network;
mod posture;
mod program;
mod report;
mod signals;
mod site;
mod stage;
mod story;
mod traffic;
mod wait;
mod watch;
mod web;

use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::setup::{self, Scope};
use crate::workspace::{Profile, Workspace};
use signals::Signals;
use site::Site;

/// How the demo is run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object a line: step, expected, observed, ok, ms. In steps 2 and 4 `ms` is the time
    /// from report to first reply, in step 5 from decision to last packet, elsewhere that of the step.
    #[arg(long)]
    json: bool,
    /// Leave everything standing at the end, with hints how to look inside.
    #[arg(long)]
    keep: bool,
    /// Take down what `--keep` left standing, and play nothing.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["json", "keep", "release", "program"])]
    take_down: Option<u32>,
    /// Use the release profile.
    #[arg(long)]
    release: bool,
    /// Show this program, instead of building one and setting this machine up for that.
    #[arg(long, value_name = "PATH", conflicts_with = "release")]
    program: Option<PathBuf>,
}

/// What the demo starts of itself.
#[derive(clap::Subcommand)]
pub(crate) enum Part {
    /// The story, on a site that is there already.
    Story {
        /// The site's number.
        site: u32,
        /// The program that is shown.
        enforcer: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// A web server for the clients to talk to.
    Web {
        /// What it says of itself.
        name: String,
        /// Where it listens.
        addresses: Vec<IpAddr>,
    },
}

/// Builds the gateway and shows each step; fails unless every step holds.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(
        setup::is_root(),
        "the demo makes network namespaces and loads BPF programs: run it as root, \
         for example with `sudo -E env PATH=\"$PATH\" cargo xtask demo`"
    );
    if let Some(number) = args.take_down {
        return Site::existing(number)?.take_down();
    }
    let enforcer = match &args.program {
        Some(program) => program.clone(),
        None => build(args.release)?,
    };
    // Before the site is there, so that no signal can leave it behind.
    let signals = Signals::hold()?;
    let site = Site::new()?;
    let played = story(&site, &enforcer, args.json).and_then(|mut story| {
        let stopped = signals.wait(&story)?;
        let keep = args.keep && stopped.is_none();
        if !keep {
            // All that it started is in its group.
            killpg(Pid::from_raw(story.id().cast_signed()), Signal::SIGKILL)?;
        }
        Ok((story.wait()?, stopped, keep))
    });
    if matches!(played, Ok((.., true))) {
        site.keep(&enforcer);
    } else {
        site.take_down()?;
    }
    match played? {
        (_, Some(signal), _) => bail!("stopped by {signal}; nothing is left behind"),
        (status, ..) if status.success() => Ok(()),
        _ => bail!("not every step holds; with --keep everything stays for a look inside"),
    }
}

fn build(release: bool) -> Result<PathBuf> {
    setup::run(Scope::Run)?;
    Workspace::find()?.gateway(Profile::release(release))
}

/// Runs a part of the demo and says with which exit status to end.
pub(crate) fn perform(part: &Part) -> Result<u8> {
    match part {
        Part::Story {
            site,
            enforcer,
            json,
        } => {
            signals::release()?;
            let hold = story::play(&Site::existing(*site)?, enforcer, *json)?;
            Ok(u8::from(!hold))
        }
        Part::Web { name, addresses } => web::serve(name, addresses).map(|()| 0),
    }
}

/// Starts the story as the first process of a group, so that all it starts can be ended with it.
fn story(site: &Site, enforcer: &Path, json: bool) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["demo-part", "story", &site.number().to_string()]);
    command.arg(enforcer).process_group(0);
    if json {
        command.arg("--json");
    }
    command.spawn().context("the story could not be started")
}
