//! Attempts to get past a gateway, with the tools of those who try. Needs root.

mod scene;
mod spoofing;
