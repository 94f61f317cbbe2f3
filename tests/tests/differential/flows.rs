//! Redirected flows, remembered as the programs do.

use std::collections::HashMap;

use enforcer_common::{
    decide::{Direction, Judgement, Verdict},
    host::Address,
    packet::{Frame, Transport, parse, tcp_flag},
};
use enforcer_tests::gate::PORTAL;

/// Which server a host's port believes to be connected to.
#[derive(Default)]
pub struct Flows(HashMap<(Address, u16), Address>);

impl Flows {
    /// What is done with a packet in the end: where its flow cannot go to the portal, it is rejected.
    pub fn follow(&mut self, way: Direction, frame: &[u8], judged: &Judgement) -> Verdict {
        let done = judged.verdict;
        let (Direction::FromHost, Ok(Frame::Ip(packet)), false) =
            (way, parse(frame), judged.monitored)
        else {
            return done;
        };
        let Transport::Tcp(ports, flags) = packet.transport_header() else {
            return done;
        };
        let key = (packet.source, ports.source);
        if done == Verdict::Pass && ports.destination == PORTAL && packet.is_bare_syn() {
            self.0.remove(&key);
        }
        if done != Verdict::Redirect {
            return done;
        }
        if packet.is_bare_syn() {
            self.0.insert(key, packet.destination);
            return done;
        }
        if self.0.get(&key) == Some(&packet.destination) {
            return done;
        }
        if flags.bits & tcp_flag::RST == 0 {
            Verdict::Reject
        } else {
            Verdict::Drop
        }
    }
}
