//! What the datapath remembers of flows to the portal, kept beside it.

use std::collections::HashMap;

use super::way;
use enforcer_common::{
    counter::Hook,
    decide::{Direction, Verdict},
    host::{Address, Host},
    packet::{Packet, Part, Transport, parse_whole},
    seen::JudgedRow,
    settings::InterfaceRow,
};

/// Which servers hosts believe to be connected to, by host and port; and where their fragments belong, by host and number.
#[derive(Default)]
pub struct Flows {
    servers: HashMap<(Host, u16), Address>,
    fragments: HashMap<(Host, u32), Address>,
}

impl Flows {
    /// Rows that were written.
    pub fn written(&self) -> usize {
        self.servers.len().max(self.fragments.len())
    }

    /// Whether a host's port is connected to this server.
    pub fn goes_to(&self, host: &Host, port: u16, server: &Address) -> bool {
        self.server(host, port) == Some(server)
    }

    /// The server that a host's port believes to be connected to.
    pub fn server(&self, host: &Host, port: u16) -> Option<&Address> {
        self.servers.get(&(*host, port))
    }

    /// Whether the fragments of a host with this number are of a request to this server.
    pub fn has_fragment(&self, host: &Host, number: u32, server: &Address) -> bool {
        self.fragments.get(&(*host, number)) == Some(server)
    }

    /// Takes note of a packet that was judged.
    pub fn follow(
        &mut self,
        hook: Hook,
        frame: &[u8],
        judged: &JudgedRow,
        interface: &InterfaceRow,
    ) {
        let mut packet = Packet::EMPTY;
        let understood = parse_whole(frame, &mut packet).is_ok() && judged.has_host != 0;
        if !understood || way(hook) == Direction::ToHost || judged.monitored != 0 {
            return;
        }
        let host = Host {
            zone: judged.zone,
            address: packet.source,
        };
        let Transport::Tcp(ports, _) = packet.transport_header() else {
            return;
        };
        let key = (host, ports.source);
        match judged.done() {
            Verdict::Pass if ports.destination == interface.portal_port && packet.is_bare_syn() => {
                self.servers.remove(&key);
            }
            Verdict::Redirect => {
                self.servers.insert(key, packet.destination);
                if packet.part == Part::First {
                    self.fragments
                        .insert((host, packet.fragment_id), packet.destination);
                }
            }
            _ => {}
        }
    }
}
