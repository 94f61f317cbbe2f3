//! The web server that clients talk to, and that brings them updates: pages, downloads, and an echo.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::addresses::{ECHO, HTTP, HTTPS};
use super::wait::patient;

/// The path of a download that never ends.
pub(super) const DOWNLOAD: &str = "/download";

/// How much of it is sent each [`TICK`]: 32 megabytes a second, and the processor is left to others.
const PIECE: usize = 32 << 10;
const TICK: Duration = Duration::from_millis(1);

/// How long a client may take for its request, or leave unread what it is sent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves at each of these addresses until it is killed.
pub(super) fn serve(name: &str, addresses: &[IpAddr]) -> Result<()> {
    thread::scope(|scope| {
        for &address in addresses {
            for port in [HTTP, HTTPS] {
                let listener = TcpListener::bind((address, port))
                    .with_context(|| format!("cannot listen at {address}, TCP port {port}"))?;
                scope.spawn(move || accept(&listener, name));
            }
            let socket = UdpSocket::bind((address, ECHO))
                .with_context(|| format!("cannot listen at {address}, UDP port {ECHO}"))?;
            scope.spawn(move || echo(&socket));
        }
        Ok(())
    })
}

/// Sends every datagram back.
fn echo(socket: &UdpSocket) -> io::Result<()> {
    let mut datagram = [0; 2048];
    loop {
        let (length, from) = socket.recv_from(&mut datagram)?;
        socket.send_to(&datagram[..length], from)?;
    }
}

fn accept(listener: &TcpListener, name: &str) {
    for client in listener.incoming().flatten() {
        let name = name.to_owned();
        // A client that goes away is no concern of the others.
        thread::spawn(move || answer(&client, &name).ok());
    }
}

fn answer(client: &TcpStream, name: &str) -> io::Result<()> {
    client.set_read_timeout(Some(patient(PATIENCE)))?;
    client.set_write_timeout(Some(patient(PATIENCE)))?;
    let mut request = String::new();
    let mut reader = BufReader::new(client);
    reader.read_line(&mut request)?;
    // The rest of the request: closing before it is read would reset the connection.
    for line in reader.lines() {
        if line?.is_empty() {
            break;
        }
    }
    if request.split(' ').nth(1) == Some(DOWNLOAD) {
        return send_forever(client);
    }
    let body = format!("This is the {name}.\n");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n";
    { client }.write_all(format!("{head}{body}").as_bytes())
}

fn send_forever(mut client: &TcpStream) -> io::Result<()> {
    client.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")?;
    let piece = vec![0x5a; PIECE];
    let mut next = Instant::now();
    loop {
        client.write_all(&piece)?;
        next += TICK;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}
