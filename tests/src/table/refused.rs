//! Frames that are refused before anyone asks whose they are: here those of a host that complies.

use enforcer_common::{
    decide::{
        Reason::{Malformed, NotIp, TooDeep},
        Verdict::Drop,
    },
    role::RoleId,
};

use super::{
    Known, Row,
    alter::{chained, cut, fragment_v4, fragment_v6, lying, tagged},
    back, out,
};
use crate::fixture::{Tcp::*, frame};

pub(super) fn rows() -> Vec<Row> {
    let good = Known::As(RoleId::AUTHORIZED);
    vec![
        out(
            "cut short",
            good,
            |at| cut(at.tcp(443, Syn), 1),
            Drop,
            Malformed,
        ),
        back(
            "cut short",
            good,
            |at| cut(at.tcp_back(at.server, 443, Syn), 1),
            Drop,
            Malformed,
        ),
        out(
            "cut in the IP header",
            good,
            |at| at.tcp(443, Syn)[..30].to_vec(),
            Drop,
            Malformed,
        ),
        out(
            "version 5",
            good,
            |at| lying(at.tcp(443, Syn), 0, 0x55),
            Drop,
            Malformed,
        ),
        out(
            "a header of four words",
            good,
            |at| lying(at.tcp(443, Syn), 0, 0x44),
            Drop,
            Malformed,
        )
        .v4(),
        out(
            "options beyond the packet",
            good,
            |at| lying(at.tcp(443, Syn), 0, 0x4f),
            Drop,
            Malformed,
        )
        .v4(),
        out(
            "longer than the frame",
            good,
            |at| lying(at.tcp(443, Syn), 3, 41),
            Drop,
            Malformed,
        )
        .v4(),
        out(
            "shorter than TCP",
            good,
            |at| lying(at.tcp(443, Syn), 3, 39),
            Drop,
            Malformed,
        )
        .v4(),
        out(
            "longer than the frame",
            good,
            |at| lying(at.tcp(443, Syn), 5, 21),
            Drop,
            Malformed,
        )
        .v6(),
        out(
            "shorter than TCP",
            good,
            |at| lying(at.tcp(443, Syn), 5, 19),
            Drop,
            Malformed,
        )
        .v6(),
        out(
            "TCP of four words",
            good,
            |at| lying(at.tcp(443, Syn), 32, 0x40),
            Drop,
            Malformed,
        )
        .v4(),
        out(
            "overwrites TCP",
            good,
            |at| fragment_v4(at.tcp(443, Data), 1),
            Drop,
            Malformed,
        )
        .v4(),
        out(
            "overwrites TCP",
            good,
            |at| fragment_v6(at.tcp(443, Data), 2),
            Drop,
            Malformed,
        )
        .v6(),
        out(
            "three tags",
            good,
            |at| tagged(3, at.tcp(443, Syn)),
            Drop,
            TooDeep,
        ),
        back(
            "three tags",
            good,
            |at| tagged(3, at.tcp_back(at.server, 443, Syn)),
            Drop,
            TooDeep,
        ),
        out(
            "nine extension headers",
            good,
            |at| chained(at.tcp(443, Syn), 9),
            Drop,
            TooDeep,
        )
        .v6(),
        back(
            "nine extension headers",
            good,
            |at| chained(at.tcp_back(at.server, 443, Syn), 9),
            Drop,
            TooDeep,
        )
        .v6(),
        out("IPX", good, |_| frame(0x8137, &[0; 46]), Drop, NotIp).v4(),
        out("MPLS", good, |_| frame(0x8847, &[0; 46]), Drop, NotIp).v4(),
        out(
            "PPPoE behind a tag",
            good,
            |_| tagged(1, frame(0x8864, &[0; 46])),
            Drop,
            NotIp,
        )
        .v4(),
        back(
            "an experiment",
            good,
            |_| frame(0x88b5, &[0; 46]),
            Drop,
            NotIp,
        )
        .v4(),
    ]
}
