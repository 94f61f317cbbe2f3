//! Attempts to get past a gateway, with the tools of those who try. Needs root.

mod addresses;
mod fragments;
mod options;
mod scene;
mod spoofing;
