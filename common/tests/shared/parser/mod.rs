//! The parser.

mod malformed;
mod oracle;
mod shapes;
