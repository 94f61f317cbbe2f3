//! The agent as it runs on an endpoint.

use std::{
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

use enforcer_agent::{device, reporter::Reporter};
use enforcer_protocol::posture::Posture;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    answers::{Identity, Server, client},
    sample::accept,
};

/// Longer than any of this takes.
const LIMIT: Duration = Duration::from_mins(2);

#[tokio::test]
async fn reports_again_and_again_once_the_server_is_there_and_stops_when_told() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let identity = Identity::new();

    let device = device::this(Some("laptop-1".into()), None).unwrap();
    let reporter = Reporter::new(
        client(address, identity.pin),
        device,
        Duration::from_secs(2),
    );
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(reporter.run(async { stopped.await.unwrap_or_default() }));

    // Only now is there a server: the first attempts find nobody, or this one, as the machine is fast.
    let listener = TcpListener::bind(address).unwrap();
    let mut server = Server::start_at(listener, &identity, accept);
    for _ in 0..2 {
        let seen = timeout(LIMIT, server.seen.recv()).await.unwrap().unwrap();
        let posture: Posture = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(posture.device.id, "laptop-1");
        assert!(posture.os.kernel.is_some());
    }

    stop.send(()).unwrap();
    timeout(LIMIT, running).await.unwrap().unwrap();
}
