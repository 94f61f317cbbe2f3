//! Servers of the tests' own, each on a thread of its own in a namespace.

use std::{net::SocketAddr, thread};

use anyhow::Context;
use tokio::{net::TcpListener, runtime, sync::oneshot};

use crate::namespace::{self, Namespace};

/// A server that runs until it is dropped.
pub struct Serving {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Serving {
    /// Has `serve` take the connections that come to this address in a namespace. When this returns, they may come.
    pub fn start<F: Future<Output = ()>>(
        namespace: &Namespace,
        address: SocketAddr,
        serve: impl FnOnce(TcpListener) -> F + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let path = namespace.path();
        let thread = thread::spawn(move || {
            namespace::join(&path).expect("a namespace of this test");
            let mut runtime = runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind(address).await.expect("a free port");
                let _ = ready.send(());
                tokio::select! {
                    () = serve(listener) => {}
                    _ = stopped => {}
                }
            });
        });
        is_ready
            .blocking_recv()
            .with_context(|| format!("nothing listens at {address}"))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}
