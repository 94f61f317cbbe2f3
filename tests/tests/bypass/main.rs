//! Attempts to get past a gateway, with the tools of those who try. Needs root.

mod addresses;
mod extensions;
mod floods;
mod flows;
mod forged;
mod fragments;
mod martians;
mod options;
mod scene;
mod spoofing;
mod tunnels;
mod vlans;
