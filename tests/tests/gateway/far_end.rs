//! Flows that were open when a host was cut are closed at both ends.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
};

use enforcer_tests::{
    conntrack::masquerade,
    host::Host,
    lan::{SERVER, SERVER_V6, at},
    posture::Posture,
    servers::HTTP,
    site::Site,
    wait,
};

/// A port on which nobody serves otherwise.
const PORT: u16 = 9000;

/// A flow between a host and a server, seen from both ends.
struct Flow {
    host: TcpStream,
    server: TcpStream,
}

impl Flow {
    fn open(site: &Site, host: &Host, server: SocketAddr) -> anyhow::Result<Self> {
        let listener = site.lan.behind.enter(|| TcpListener::bind(server))?;
        let host = host.connect(server)?;
        let (server, _) = listener.accept()?;
        for end in [&host, &server] {
            end.set_read_timeout(Some(wait::PATIENCE))?;
            end.set_write_timeout(Some(wait::PATIENCE))?;
        }
        let mut flow = Self { host, server };
        flow.host.write_all(b"hello")?;
        flow.server.read_exact(&mut [0; 5])?;
        Ok(flow)
    }
}

/// Whether an end is told that the flow is over, sooner than by silence.
fn is_reset(end: &mut TcpStream) -> bool {
    end.read(&mut [0; 16])
        .is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
}

fn authorized(site: &Site) -> anyhow::Result<()> {
    let host = &site.lan.laptop;
    site.report(host, &Posture::good("laptop").claiming(host.v6))?;
    for server in [SERVER, SERVER_V6] {
        wait::until_so("it passes", || host.passes(at(server, HTTP)));
    }
    Ok(())
}

#[test]
fn who_sends_is_told_and_so_is_who_only_listens() -> anyhow::Result<()> {
    let site = Site::new()?;
    masquerade(&site.lan.gateway, "wan0")?;
    let gateway = site.start()?;
    authorized(&site)?;
    let host = &site.lan.laptop;
    for server in [SERVER, SERVER_V6] {
        let server = at(server, PORT);
        let mut upload = Flow::open(&site, host, server)?;
        let mut download = Flow::open(&site, host, server)?;
        site.report(host, &Posture::bad("laptop").claiming(host.v6))?;
        wait::until_so("it is cut", || gateway.role(host.v6) == "quarantine");
        upload.host.write_all(b"from the host")?;
        download.server.write_all(b"to the host")?;
        assert!(
            is_reset(&mut upload.server),
            "the server of the upload, {server}"
        );
        assert!(
            is_reset(&mut upload.host),
            "the host of the upload, {server}"
        );
        assert!(
            is_reset(&mut download.server),
            "the server of the download, {server}"
        );
        authorized(&site)?;
    }
    assert!(gateway.packets("xdp", "close", "role_denies") >= 2);
    assert!(gateway.packets("tc_egress", "reject", "role_denies") >= 2);
    Ok(())
}
