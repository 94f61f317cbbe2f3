//! What kernel and user space share: the parser against frames written byte by byte and against an
//! independent parser, the decision against its laws.

mod decision;
mod frames;
mod parser;
mod reply;
