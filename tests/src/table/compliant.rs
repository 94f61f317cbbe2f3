//! Hosts that comply, and hosts that are not checked.

use enforcer_common::{
    decide::{
        Reason::{Bypassed, Outside, RoleAllows},
        Verdict::Pass,
    },
    role::RoleId,
};

use super::{
    Known, Row,
    alter::{chained, fragment_v4, fragment_v6, padded, tagged},
    back, out,
};
use crate::fixture::{self, Tcp::*};

pub(super) fn rows() -> Vec<Row> {
    let good = Known::As(RoleId::AUTHORIZED);
    let free = Known::As(RoleId::BYPASS);
    vec![
        out("opens HTTPS", good, |at| at.tcp(443, Syn), Pass, RoleAllows),
        out("sends data", good, |at| at.tcp(443, Data), Pass, RoleAllows),
        out("resets", good, |at| at.tcp(443, Reset), Pass, RoleAllows),
        out(
            "opens HTTP, which is no portal's",
            good,
            |at| at.tcp(80, Syn),
            Pass,
            RoleAllows,
        ),
        back(
            "is answered",
            good,
            |at| at.tcp_back(at.server, 443, SynAck),
            Pass,
            RoleAllows,
        ),
        back(
            "gets data",
            good,
            |at| at.tcp_back(at.server, 443, Data),
            Pass,
            RoleAllows,
        ),
        back(
            "is called",
            good,
            |at| at.tcp_back(at.server, 9, Syn),
            Pass,
            RoleAllows,
        ),
        out(
            "asks by UDP",
            good,
            |at| at.udp_to(at.server, 53),
            Pass,
            RoleAllows,
        ),
        back(
            "is told by UDP",
            good,
            |at| at.udp_back(at.server, 53),
            Pass,
            RoleAllows,
        ),
        out("pings", good, |at| at.ping_to(at.server), Pass, RoleAllows),
        back(
            "is pinged",
            good,
            |at| at.ping_back(at.server),
            Pass,
            RoleAllows,
        ),
        out(
            "tunnels",
            good,
            |at| fixture::raw(at.host, at.server, 47, &[0; 8]),
            Pass,
            RoleAllows,
        ),
        out(
            "speaks an unknown protocol",
            good,
            |at| fixture::raw(at.host, at.server, 200, &[]),
            Pass,
            RoleAllows,
        ),
        out(
            "behind one tag",
            good,
            |at| tagged(1, at.tcp(443, Syn)),
            Pass,
            RoleAllows,
        ),
        out(
            "behind two tags",
            good,
            |at| tagged(2, at.tcp(443, Syn)),
            Pass,
            RoleAllows,
        ),
        back(
            "behind two tags",
            good,
            |at| tagged(2, at.tcp_back(at.server, 443, Data)),
            Pass,
            RoleAllows,
        ),
        out(
            "with padding",
            good,
            |at| padded(at.udp_to(at.server, 7)),
            Pass,
            RoleAllows,
        ),
        out(
            "first fragment",
            good,
            |at| fragment_v4(at.tcp(443, Data), 0),
            Pass,
            RoleAllows,
        )
        .v4(),
        out(
            "later fragment",
            good,
            |at| fragment_v4(at.tcp(443, Data), 90),
            Pass,
            RoleAllows,
        )
        .v4(),
        back(
            "later fragment",
            good,
            |at| fragment_v4(at.udp_back(at.server, 53), 90),
            Pass,
            RoleAllows,
        )
        .v4(),
        out(
            "first fragment",
            good,
            |at| fragment_v6(at.tcp(443, Data), 0),
            Pass,
            RoleAllows,
        )
        .v6(),
        out(
            "later fragment",
            good,
            |at| fragment_v6(at.tcp(443, Data), 90),
            Pass,
            RoleAllows,
        )
        .v6(),
        out(
            "eight extension headers",
            good,
            |at| chained(at.tcp(443, Syn), 8),
            Pass,
            RoleAllows,
        )
        .v6(),
        back(
            "eight extension headers",
            good,
            |at| chained(at.tcp_back(at.server, 443, Data), 8),
            Pass,
            RoleAllows,
        )
        .v6(),
        out(
            "an exempt host opens HTTPS",
            free,
            |at| at.tcp(443, Syn),
            Pass,
            RoleAllows,
        ),
        out(
            "a bypassed scope",
            Known::Bypassed,
            |at| at.tcp(443, Syn),
            Pass,
            Bypassed,
        ),
        back(
            "a bypassed scope",
            Known::Bypassed,
            |at| at.udp_back(at.server, 9),
            Pass,
            Bypassed,
        ),
        out(
            "no scope",
            Known::Outside,
            |at| at.tcp(80, Syn),
            Pass,
            Outside,
        ),
        back(
            "no scope",
            Known::Outside,
            |at| at.ping_back(at.server),
            Pass,
            Outside,
        ),
    ]
}
