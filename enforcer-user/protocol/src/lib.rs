//! What gateway, management server and endpoint say to one another.
//!
//! Only types and their validation: no I/O. Every document is JSON; unknown fields are ignored on
//! reading so that a newer peer can say more, and the version stands in the path (`/v1/…`).

pub mod decision;
pub mod judgement;
pub mod pin;
pub mod posture;
pub mod problem;

/// Where each thing is said. Paths are relative to the server's base URL.
pub mod path {
    /// `POST` a [`Posture`](crate::posture::Posture); answers [`Receipt`](crate::judgement::Receipt).
    pub const REPORT: &str = "/v1/report";
    /// `GET` the decisions as newline-delimited [`Message`](crate::decision::Message)s.
    pub const STREAM: &str = "/v1/decisions/stream";
    /// `POST` a [`Query`](crate::decision::Query); answers [`Answers`](crate::decision::Answers).
    pub const QUERY: &str = "/v1/decisions/query";
    /// `GET`: 200 while the server can judge.
    pub const HEALTH: &str = "/healthz";
}
