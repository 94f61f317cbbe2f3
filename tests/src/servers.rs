//! The servers behind a gateway: pages, and echoes.

use std::{net::Ipv6Addr, thread};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::oneshot,
};

use crate::namespace::{self, Namespace};

/// Pages.
pub const HTTP: u16 = 80;
/// The same pages in place of HTTPS.
pub const HTTPS: u16 = 443;
/// Echoes, by TCP and UDP.
pub const ECHO: u16 = 7;

/// What every page says.
pub const PAGE: &str = "a page of the server";

/// Servers on a thread of their own, until they are dropped.
pub struct Servers {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Servers {
    /// Starts all of them in a namespace, on all its addresses.
    pub fn start(namespace: &Namespace) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let path = namespace.path();
        let thread = thread::spawn(move || {
            namespace::join(&path).expect("the namespace of the servers");
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    failed = serve(ready) => failed.expect("servers"),
                    _ = stopped => {}
                }
            });
        });
        is_ready
            .blocking_recv()
            .context("the servers have failed")?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

async fn serve(ready: oneshot::Sender<()>) -> anyhow::Result<()> {
    let any = Ipv6Addr::UNSPECIFIED;
    let http = TcpListener::bind((any, HTTP)).await?;
    let https = TcpListener::bind((any, HTTPS)).await?;
    let stream = TcpListener::bind((any, ECHO)).await?;
    let datagram = UdpSocket::bind((any, ECHO)).await?;
    let _ = ready.send(());
    tokio::try_join!(
        accept(http, page),
        accept(https, page),
        accept(stream, echo),
        echo_datagrams(datagram),
    )?;
    Ok(())
}

async fn accept<F: Future<Output = std::io::Result<()>> + Send + 'static>(
    listener: TcpListener,
    answer: fn(TcpStream) -> F,
) -> anyhow::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        // A client that goes away is no concern of the others.
        tokio::spawn(answer(client));
    }
}

async fn page(mut client: TcpStream) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let _ = client.read(&mut request).await?;
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    client.write_all(format!("{head}{PAGE}").as_bytes()).await
}

async fn echo(mut client: TcpStream) -> std::io::Result<()> {
    let (mut read, mut write) = client.split();
    tokio::io::copy(&mut read, &mut write).await.map(drop)
}

async fn echo_datagrams(socket: UdpSocket) -> anyhow::Result<()> {
    let mut datagram = [0; 2048];
    loop {
        let (length, from) = socket.recv_from(&mut datagram).await?;
        let _ = socket.send_to(&datagram[..length], from).await;
    }
}
