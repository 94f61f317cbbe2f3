//! The real server on loopback, spoken to over TLS as its clients do.

mod fixture;
mod lifecycle;
mod problems;
mod reports;
mod streams;
