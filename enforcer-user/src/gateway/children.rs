//! Children without privileges: the HTTP listeners and the embedded management server. Each is started
//! again when it ends, and none outlives the gateway.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};
use tokio::{
    process::{Child, Command},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::GatewayError;
use crate::config::Config;

/// A child that ran for so long failed by chance: it is started again at once.
const STEADY: Duration = Duration::from_secs(30);

/// Between the ends and starts of one that keeps failing.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a child may take to end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Whom children run as.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unprivileged {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The unprivileged user; `None` when this process cannot become another one, or there is none.
pub(super) fn user(name: &str) -> Option<Unprivileged> {
    if !geteuid().is_root() {
        return None;
    }
    let Ok(Some(user)) = User::from_name(name) else {
        tracing::error!(
            "there is no user `{name}`: portal and management server run as root; make one with \
             `useradd --system {name}`, or name another in `[user]`"
        );
        return None;
    };
    Some(Unprivileged {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    })
}

/// What a child is started with.
pub(super) type Arguments = Vec<OsString>;

/// What the child that speaks HTTP is started with.
pub(super) fn http_arguments(config: &Config, socket: &Path) -> Arguments {
    let mut arguments: Arguments = vec![
        "http".into(),
        "--lifeline".into(),
        "--control".into(),
        socket.into(),
    ];
    for interface in &config.interfaces {
        let portal = format!("{}={}", interface.name, interface.zone);
        arguments.extend(["--portal-interface".into(), portal.into()]);
    }
    arguments.extend([
        "--portal-port".into(),
        config.portal.port.to_string().into(),
    ]);
    arguments.extend([
        "--metrics-listen".into(),
        config.metrics.listen.to_string().into(),
    ]);
    arguments.extend([
        "--organisation".into(),
        config.portal.organisation.clone().into(),
    ]);
    if let Some(contact) = &config.portal.contact {
        arguments.extend(["--contact".into(), contact.into()]);
    }
    if let Some(url) = &config.portal.help_url {
        arguments.extend(["--help-url".into(), url.as_str().into()]);
    }
    arguments
}

/// The children of a gateway.
pub(super) struct Children {
    tasks: JoinSet<()>,
    stop: CancellationToken,
    /// How they are told to log, so that all logs of a gateway read the same.
    log: &'static str,
}

impl Children {
    /// None yet.
    pub(super) fn new(log: &'static str) -> Self {
        Self {
            tasks: JoinSet::new(),
            stop: CancellationToken::new(),
            log,
        }
    }

    /// Starts the child that speaks HTTP; what it is started with can be changed through what is handed out.
    pub(super) fn http(
        &mut self,
        config: &Config,
        socket: &Path,
        user: Option<Unprivileged>,
    ) -> Result<watch::Sender<Arguments>, GatewayError> {
        self.start("http", http_arguments(config, socket), user)
    }

    /// Starts this program with other arguments, again and again until the gateway stops, and anew when they are
    /// changed through what is handed out.
    pub(super) fn start(
        &mut self,
        name: &'static str,
        arguments: Arguments,
        user: Option<Unprivileged>,
    ) -> Result<watch::Sender<Arguments>, GatewayError> {
        let failed = |error| GatewayError::Child {
            program: name,
            error,
        };
        let (changes, arguments) = watch::channel(arguments);
        let recipe = Recipe {
            name,
            program: env::current_exe().map_err(failed)?,
            log: self.log,
            user,
            arguments,
        };
        let first = recipe.command().spawn().map_err(failed)?;
        self.tasks
            .spawn(keep_alive(recipe, first, self.stop.clone()));
        Ok(changes)
    }

    /// Ends all of them.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// How a child is started.
struct Recipe {
    name: &'static str,
    program: PathBuf,
    log: &'static str,
    user: Option<Unprivileged>,
    arguments: watch::Receiver<Arguments>,
}

impl Recipe {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(self.log)
            .args(&*self.arguments.borrow())
            .stdin(Stdio::piped())
            .kill_on_drop(true);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Waits until it is to be started with other arguments.
    async fn changed(&mut self) {
        if self.arguments.changed().await.is_err() {
            // Nobody changes them any more.
            std::future::pending::<()>().await;
        }
    }
}

async fn keep_alive(mut recipe: Recipe, mut child: Child, stop: CancellationToken) {
    let name = recipe.name;
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        // Held open as long as the child is to live; waiting for it would close it first.
        let lifeline = child.stdin.take();
        tokio::select! {
            ended = child.wait() => said(name, &ended),
            () = recipe.changed() => {
                tracing::info!("`{name}` is started anew, by another configuration");
                end(child).await;
                pause = Duration::ZERO;
                child = match again(&recipe, &mut pause, &stop).await {
                    Some(child) => child,
                    None => return,
                };
                continue;
            }
            () = stop.cancelled() => return end(child).await,
        }
        drop(lifeline);
        if started.elapsed() > STEADY {
            pause = FIRST_PAUSE;
        }
        child = match again(&recipe, &mut pause, &stop).await {
            Some(child) => child,
            None => return,
        };
    }
}

/// Starts a child after a pause, which grows each time; none when the gateway stops meanwhile.
async fn again(recipe: &Recipe, pause: &mut Duration, stop: &CancellationToken) -> Option<Child> {
    loop {
        tokio::select! {
            () = sleep(*pause) => {}
            () = stop.cancelled() => return None,
        }
        *pause = (*pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        match recipe.command().spawn() {
            Ok(child) => return Some(child),
            Err(error) => tracing::error!("cannot start `{}` again: {error}", recipe.name),
        }
    }
}

fn said(name: &str, ended: &io::Result<std::process::ExitStatus>) {
    match ended {
        Ok(status) => tracing::error!("`{name}` ended ({status}); starting it again"),
        Err(error) => tracing::error!("`{name}` cannot be waited for: {error}"),
    }
}

/// Asks a child to end, and makes it when it does not.
async fn end(mut child: Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(id) = id {
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
    if timeout(LAST_WORDS, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}
