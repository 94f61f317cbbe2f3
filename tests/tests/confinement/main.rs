//! What the processes of a running gateway may still do.

mod calls;
mod files;
mod journal;
mod maps;
mod processes;
mod secrets;
mod status;
mod unit;
