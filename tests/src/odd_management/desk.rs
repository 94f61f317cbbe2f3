//! Its connections.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Instant,
};

use enforcer_protocol::decision::{Answers, Message, Query};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast,
    time,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{HEARTBEAT, Manner, Order, SLOW, Script, decision, lock};

/// What every connection needs.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) acceptor: TlsAcceptor,
    /// Where it listens.
    pub(super) end: SocketAddr,
    pub(super) script: Arc<Mutex<Script>>,
    pub(super) orders: broadcast::Sender<Order>,
}

type Socket = TlsStream<TcpStream>;

impl Desk {
    pub(super) async fn serve(&self, listener: TcpListener) {
        loop {
            let Ok((socket, _)) = listener.accept().await else {
                return;
            };
            let desk = self.clone();
            tokio::spawn(async move {
                if let Ok(mut socket) = desk.acceptor.accept(socket).await {
                    // Whoever asks may go away at any time.
                    let _ = desk.attend(&mut socket).await;
                }
            });
        }
    }

    async fn attend(&self, socket: &mut Socket) -> anyhow::Result<()> {
        loop {
            let (head, body) = read_request(socket).await?;
            let manner = lock(&self.script).manner;
            if manner == Manner::Mute {
                return std::future::pending().await;
            }
            if head.starts_with("GET ") {
                return self.stream(socket).await;
            }
            if manner == Manner::Slow {
                let never = std::future::pending::<()>();
                let _ = time::timeout(SLOW, never).await;
            }
            let text = serde_json::to_string(&self.answers(&serde_json::from_str(&body)?))?;
            let length = text.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            socket.write_all((head + &text).as_bytes()).await?;
            socket.flush().await?;
        }
    }

    fn answers(&self, query: &Query) -> Answers {
        let script = lock(&self.script);
        let of = |address: &IpAddr| {
            let decided = script.decisions.get(address).cloned();
            decided.or_else(|| {
                let role = script.others?;
                Some(decision(self.end, *address, role))
            })
        };
        Answers {
            revision: script.revision,
            decisions: query.hosts.iter().map(|host| of(&host.address)).collect(),
        }
    }

    async fn stream(&self, socket: &mut Socket) -> anyhow::Result<()> {
        let mut orders = self.orders.subscribe();
        let (mut text, is_broken) = self.snapshot();
        text.insert_str(0, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        lock(&self.script).began = Some(Instant::now());
        socket.write_all(text.as_bytes()).await?;
        socket.flush().await?;
        if is_broken {
            return Ok(socket.shutdown().await?);
        }
        let mut heartbeat = time::interval(HEARTBEAT);
        loop {
            let line = tokio::select! {
                order = orders.recv() => match order? {
                    Order::Say(line) => line,
                    Order::HangUp => return Ok(socket.shutdown().await?),
                },
                _ = heartbeat.tick() => {
                    let script = lock(&self.script);
                    if script.manner == Manner::Mute {
                        continue;
                    }
                    let revision = script.revision;
                    serde_json::to_string(&Message::Heartbeat { revision })?
                }
            };
            socket.write_all((line + "\n").as_bytes()).await?;
            socket.flush().await?;
        }
    }

    /// A whole snapshot, or half of one.
    fn snapshot(&self) -> (String, bool) {
        let mut script = lock(&self.script);
        let is_broken = script.manner == Manner::Broken;
        let (revision, all) = (script.revision, &script.decisions);
        let count = all.len() as u64;
        let told = if is_broken { all.len() / 2 } else { all.len() };
        let rows = all.values().take(told).cloned();
        let rows = rows.map(|decision| Message::Row { decision });
        let end = (!is_broken).then_some(Message::SnapshotEnd { revision });
        let begin = Message::Snapshot { revision, count };
        let messages = std::iter::once(begin).chain(rows).chain(end);
        let lines = messages
            .map(|message| serde_json::to_string(&message).expect("text and numbers") + "\n");
        let text = lines.collect();
        script.told += u64::from(!is_broken);
        (text, is_broken)
    }
}

async fn read_request(socket: &mut Socket) -> anyhow::Result<(String, String)> {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = socket.read(&mut chunk).await?;
        anyhow::ensure!(count > 0, "half a request");
        request.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut lengths = head
            .lines()
            .filter_map(|line| line.strip_prefix("content-length: "));
        let length: usize = lengths.next().map_or(Ok(0), str::parse)?;
        if body.len() >= length {
            return Ok((head.to_owned(), body.to_owned()));
        }
    }
}
