//! The real gateway in network namespaces, with real sockets.

mod compliance;
