//! The control sockets: how the operator's commands and the HTTP child speak to the gateway.
//!
//! Both carry one JSON document a line: a [`Question`] up, `Result<Answer, Refusal>` down. The
//! operator's socket carries [`Request`]; the socket of the HTTP child, which anyone on the network can
//! talk to and which therefore may ask little, carries [`HttpRequest`] alone.
//!
//! [`listen::bind`] makes a socket, [`serve::serve`] turns what comes over it into [`serve::Call`]s for the
//! controller, and [`client::call`] is the other end.

pub mod alert;
pub mod client;
pub mod detail;
pub mod event;
pub mod explanation;
pub mod host;
pub mod listen;
pub mod portal;
pub mod refusal;
pub mod remote;
pub mod request;
pub mod serve;
pub mod status;
pub mod top;

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

pub use refusal::Refusal;
pub use request::{HttpRequest, HttpResponse, Request, Response};

/// What is asked over a socket, and what answers it.
pub trait Question: Serialize + DeserializeOwned + Debug + Send + Sync + 'static {
    /// The answer.
    type Answer: Serialize + DeserializeOwned + Debug + Send + 'static;
}

impl Question for Request {
    type Answer = Response;
}

impl Question for HttpRequest {
    type Answer = HttpResponse;
}
