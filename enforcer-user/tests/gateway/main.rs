//! Sources and identity against real sockets and the real kernel.

mod certificates;
mod listen;
mod neighbours;
mod odd_server;
mod queries;
mod real_server;
mod several_servers;
mod stream_of_an_odd_one;
mod stream_of_the_real_one;
