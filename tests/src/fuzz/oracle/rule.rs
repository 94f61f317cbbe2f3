//! Where our parser is meant to differ from the library.

use std::fmt;

use crate::fuzz::named::named;

named! {
    /// A reason to read a frame otherwise than the library reads the whole of it.
    Rule {
        /// Two tags are the most that an honest frame has; the library reads three.
        ThirdTag,
        /// ARP is told by its type alone; what it says is read later, by `arp_claim`.
        Arp,
        /// Neither IP nor ARP. The library reads `MACsec` and nothing else; ours knows the neighbours' protocols, refuses the
        /// rest, and tells the lengths of 802.3 from types.
        OtherType,
        /// A length of zero in a frame that no length could tell: what segmentation offload leaves. The library knows it of
        /// IPv6 alone.
        BigTcp,
        /// A length of zero in a shorter IPv6 packet means that it is empty; the library takes all that is there.
        EmptyV6,
        /// IPv4 with an authentication header: the library reads on behind it. Ours takes it for the protocol, so that no
        /// rule by port matches.
        AuthenticationInV4,
        /// Hop-by-hop options behind another header: the library refuses them.
        LateHopByHop,
        /// A mobility header (RFC 6275) is an extension header for us, and an upper layer for the library.
        Mobility,
        /// More extension headers than the bound: the library has none.
        Depth,
        /// A fragment. The library reads no transport header even of the first, and reads on behind a later one's header;
        /// ours refuses those that overwrite the TCP header (RFC 1858), are longer than a packet, end in the middle of
        /// a unit, or are fragments of fragments.
        Fragment,
        /// The length in the UDP header: the library holds it against the packet, ours does not look at it, since ports are
        /// what decides.
        UdpLength,
        /// SCTP whose header is not whole: the library does not know SCTP.
        ShortSctp,
        /// ICMP timestamps of another length than theirs: the library refuses them.
        Timestamp,
        /// IGMP of another length than its message: the library refuses it, ours reads the protocol's number alone.
        IgmpLength,
    }
}

/// Some rules.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules(u32);

impl Rules {
    /// Adds one.
    pub fn add(&mut self, rule: Rule) {
        self.0 |= 1 << rule as u32;
    }

    /// Whether this is one of them.
    pub fn has(self, rule: Rule) -> bool {
        self.0 & 1 << rule as u32 != 0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All that there are.
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL
            .iter()
            .copied()
            .filter(move |rule| self.has(*rule))
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
