//! Telling of what is tracked, from the real gateway to real receivers.

mod command;
mod flood;
mod mail;
mod mute;
mod operator;
mod place;
mod webhook;
