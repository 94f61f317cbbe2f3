//! Packets at random, in bulk: what the parser says against an independent library, what the kernel programs do against
//! the shared code, and laws that hold whatever the bytes are.
//!
//! [`frames`] makes packets, [`oracle`] reads them by the independent library, [`parser`] compares our parser with it.
//! [`world`] fills tables at random; [`kernel`] runs the programs by them and compares with the shared code, checks the
//! law that nothing passes but of hosts that may ([`law`]), and reads what the datapath sends ([`answers`]).
//! [`run`] does so in several threads and collects what was found; [`regressions`] keeps what was found once.

pub mod answers;
pub mod count;
pub mod finding;
pub mod frames;
pub mod kernel;
pub mod law;
mod named;
pub mod oracle;
pub mod parser;
pub mod regressions;
pub mod run;
pub mod shrink;
pub mod site;
pub mod world;
