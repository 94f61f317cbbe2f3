//! Which certificate a peer shows.

use std::{io, pin::Pin as Pinned};

use axum::Extension;
use axum_server::accept::Accept;
use enforcer_protocol::pin::Pin;
use tokio_rustls::server::TlsStream;
use tower::Layer;

/// The certificate by which a peer wants to be known, if it shows one. That it has its key was proven by the handshake.
#[derive(Clone, Copy, Debug)]
pub struct Shown(pub Option<Pin>);

/// Lets requests know what their peer showed in the handshake of another acceptor.
#[derive(Clone, Debug)]
pub struct Showing<A>(pub A);

impl<A, I, S, T> Accept<I, S> for Showing<A>
where
    A: Accept<I, S, Stream = TlsStream<T>>,
    A::Future: Send + 'static,
{
    type Stream = TlsStream<T>;
    type Service = <Extension<Shown> as Layer<A::Service>>::Service;
    type Future =
        Pinned<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepting = self.0.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            let shown = stream.get_ref().1.peer_certificates();
            let shown = Shown(shown.and_then(<[_]>::first).map(|one| Pin::of(one)));
            Ok((stream, Extension(shown).layer(service)))
        })
    }
}
