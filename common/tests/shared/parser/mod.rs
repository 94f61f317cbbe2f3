//! The parser.

mod built;
mod claims;
mod malformed;
mod oracle;
mod shapes;
