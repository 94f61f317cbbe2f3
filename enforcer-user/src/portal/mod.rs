//! The HTTP child: the page that stopped users see, metrics and health.
//!
//! It runs as a process of its own, without privileges: it speaks with anybody on the network, so all
//! that a hole in it can reach is the few questions of [`HttpRequest`](crate::control::HttpRequest).
//!
//! The datapath rewrites HTTP of stopped hosts to the portal's port. Such a request arrives with the
//! name of the site that was meant, and is answered with a redirect to the portal's own address.

mod captive;
mod gateway;
mod health;
mod listen;
mod own;
mod page;
mod routes;
mod serve;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::Router;
use tokio::{net::TcpListener, task::JoinSet};

pub use listen::ListenError;
pub use page::Words;

use gateway::Gateway;
use serve::Admission;

/// Connections that one portal serves at once: each lives for seconds.
const PORTAL_CONNECTIONS: usize = 1_000;
/// Of these, how many one client may have: a browser opens six, an operating system some more.
const PORTAL_CONNECTIONS_OF_CLIENT: u32 = 32;
/// Connections that the metrics listener serves at once.
const METRICS_CONNECTIONS: usize = 32;
/// Questions that all portals put to the gateway at once.
const PORTAL_QUESTIONS: usize = 32;
/// Questions that the metrics listener puts to the gateway at once.
const METRICS_QUESTIONS: usize = 4;

/// What the child listens on, and what it knows.
#[derive(Clone, Debug)]
pub struct Options {
    /// The socket over which it asks the gateway.
    pub control: PathBuf,
    /// The interfaces with a portal.
    pub portals: Vec<Interface>,
    /// The port of the portals.
    pub portal_port: u16,
    /// Where metrics and health are served.
    pub metrics: SocketAddr,
    /// What the page says of the organisation.
    pub words: Words,
}

/// An interface with a portal. What comes in there is in its zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name; every interface when absent.
    pub name: Option<String>,
    /// The zone of the hosts behind it.
    pub zone: String,
}

/// The child with its sockets open.
#[derive(Debug)]
pub struct Portal {
    portals: Vec<(TcpListener, Router)>,
    metrics: (TcpListener, Router),
}

impl Portal {
    /// Opens the sockets. Must run inside a tokio runtime.
    pub fn bind(options: Options) -> Result<Self, ListenError> {
        let gateway = Arc::new(Gateway::new(options.control.clone(), PORTAL_QUESTIONS));
        let words = Arc::new(options.words);
        let mut portals = Vec::new();
        for interface in options.portals {
            let listener = listen::on_interface(interface.name.as_deref(), options.portal_port)?;
            let router = routes::router(Arc::clone(&gateway), interface.zone, Arc::clone(&words));
            portals.push((listener, router));
        }
        let gateway = Arc::new(Gateway::new(options.control, METRICS_QUESTIONS));
        let metrics = (
            listen::on_address(options.metrics)?,
            health::router(gateway),
        );
        Ok(Self { portals, metrics })
    }

    /// The addresses of the portals, in the order of the options.
    pub fn portal_addresses(&self) -> Vec<SocketAddr> {
        let addresses = self
            .portals
            .iter()
            .map(|(listener, _)| listener.local_addr());
        addresses.filter_map(Result::ok).collect()
    }

    /// The address of the metrics listener.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.0.local_addr().ok()
    }

    /// Serves until this future is dropped.
    pub async fn serve(self) {
        let mut listeners = JoinSet::new();
        for (listener, router) in self.portals {
            let admission = Admission::new(PORTAL_CONNECTIONS, PORTAL_CONNECTIONS_OF_CLIENT);
            listeners.spawn(serve::serve(listener, router, admission));
        }
        let (listener, router) = self.metrics;
        // Scrapers come from one address.
        let admission = Admission::new(METRICS_CONNECTIONS, u32::MAX);
        listeners.spawn(serve::serve(listener, router, admission));
        listeners.join_all().await;
    }
}
