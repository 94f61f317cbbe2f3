//! What the operator orders.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpStream, UdpSocket},
};

use enforcer_tests::{
    config::Config,
    host::{ANSWERING, SILENCE},
    lan::{SERVER, at},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};

#[test]
fn a_denied_host_loses_its_connections_with_the_next_packet() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    let mut stream = host.connect(at(SERVER, ECHO))?;
    let socket = host.datagrams(at(SERVER, ECHO), ANSWERING)?;
    assert!(is_echoed(&mut stream) && is_sent_back(&socket));

    site.control(&["deny", &host.v4.to_string(), "--reason", "scanning"])?;
    stream.set_read_timeout(Some(wait::patient(SILENCE)))?;
    socket.set_read_timeout(Some(wait::patient(SILENCE)))?;
    assert!(!is_echoed(&mut stream) && !is_sent_back(&socket));
    assert_eq!(gateway.role(host.v4), "denied");

    let released = site.control(&["release", &host.v4.to_string(), "--reason", "was a test"])?;
    assert_eq!(released["role"], "authorized");
    socket.set_read_timeout(Some(wait::patient(ANSWERING)))?;
    assert!(is_sent_back(&socket));
    // The server was told that the connection is over, and so is the host now that it may hear of it.
    stream.set_read_timeout(Some(wait::patient(wait::PATIENCE)))?;
    let ended = stream.read(&mut [0; 4]).map_err(|error| error.kind());
    assert_eq!(ended, Err(ErrorKind::ConnectionReset));
    Ok(())
}

fn is_echoed(stream: &mut TcpStream) -> bool {
    stream.write_all(b"ping").is_ok() && stream.read_exact(&mut [0; 4]).is_ok()
}

fn is_sent_back(socket: &UdpSocket) -> bool {
    socket.send(b"ping").is_ok() && socket.recv(&mut [0; 4]).is_ok()
}

#[test]
fn exceptions_outlive_the_gateway_and_end_by_time() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (laptop, desktop) = (&site.lan.laptop, &site.lan.desktop);
    site.control(&["allow", &desktop.v4.to_string(), "--reason", "a new disk"])?;
    gateway.kill()?;
    let gateway = site.start()?;
    let row = gateway.host(desktop.v4).unwrap_or_default();
    assert_eq!(row["exception"]["reason"], "a new disk", "{row}");
    assert!(desktop.get(at(SERVER, HTTP)).is_page());

    let address = laptop.v4.to_string();
    site.control(&["allow", &address, "--for", "2s", "--reason", "a guest"])?;
    assert!(laptop.get(at(SERVER, HTTP)).is_page());
    wait::until_so("the exception is over", || !laptop.passes(at(SERVER, HTTP)));
    wait::until_so("nobody speaks of it any more", || {
        gateway.role(laptop.v4) != "authorized"
    });
    assert!(desktop.get(at(SERVER, HTTP)).is_page());
    Ok(())
}

#[test]
fn the_mode_is_switched_while_it_runs() -> anyhow::Result<()> {
    let site = Site::with(&Config {
        mode: "monitor",
        ..Config::default()
    })?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    let would = || gateway.packets("xdp", "would_stop", "role_denies");
    assert!(host.get(at(SERVER, HTTP)).is_page());
    wait::until_so("it is known to be unknown", || {
        gateway.role(host.v4) == "unknown"
    });
    let before = would();
    assert!(host.echoes(at(SERVER, ECHO), ANSWERING));
    assert_eq!(would(), before + 1);
    wait::until_so("the log says so", || {
        gateway.has_logged("would have stopped")
    });

    let change = site.control(&["mode", "enforce"])?;
    assert_eq!(
        (&change["before"], &change["mode"]),
        (&"monitor".into(), &"enforce".into())
    );
    assert!(!host.echoes(at(SERVER, ECHO), SILENCE));
    site.control(&["mode", "monitor"])?;
    assert!(host.echoes(at(SERVER, ECHO), ANSWERING));
    Ok(())
}
