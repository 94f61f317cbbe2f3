//! How a server is to run.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// How a server is to run.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The addresses to listen on; port 0 takes any free one.
    pub listen: Vec<SocketAddr>,
    /// Where certificate and database stand.
    pub state_dir: PathBuf,
    /// The policy to judge by; the built-in one when absent.
    pub policy: Option<PathBuf>,
    /// How often a stream says that all is well.
    pub heartbeat: Duration,
    /// How long a report counts.
    pub report_valid: Duration,
    /// How many changes are kept for gateways that come back.
    pub change_log: u32,
    /// Put a corrupted database aside and begin anew, rather than refuse to start.
    pub set_aside_corrupt: bool,
}

/// The port that the server listens on.
pub const PORT: u16 = 8443;
/// Where the state stands.
pub const STATE_DIR: &str = "/var/lib/enforcer";
/// The zone of what agents report when their token names none.
pub const ZONE: &str = "lan";

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: vec![
                (Ipv4Addr::UNSPECIFIED, PORT).into(),
                (Ipv6Addr::UNSPECIFIED, PORT).into(),
            ],
            state_dir: STATE_DIR.into(),
            policy: None,
            heartbeat: Duration::from_secs(10),
            report_valid: Duration::from_hours(24),
            change_log: 10_000,
            set_aside_corrupt: false,
        }
    }
}
