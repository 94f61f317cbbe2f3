//! Wires events, sources, registry and datapath together.
