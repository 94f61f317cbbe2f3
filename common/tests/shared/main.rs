//! What kernel and user space share: the parser against frames written byte by byte and against an
//! independent parser.

mod frames;
mod parser;
