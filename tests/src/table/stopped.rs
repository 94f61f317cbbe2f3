//! Hosts that do not comply: what they still reach, and how the rest is stopped.

use enforcer_common::{
    decide::{
        Reason::{LeaseExpired, OwnService, RoleDenies, RuleAllows},
        Verdict::{Drop, Pass, Redirect, Reject},
    },
    role::RoleId,
};

use super::{
    Known, Row,
    alter::{chained, fragment_v4, fragment_v6, padded, tagged},
    back, out,
};
use crate::{
    fixture::{self, Tcp::*},
    gate::PORTAL,
};

pub(super) fn rows() -> Vec<Row> {
    [quarantined(), portal(), denied(), silent()].concat()
}

fn quarantined() -> Vec<Row> {
    let bad = Known::As(RoleId::QUARANTINE);
    vec![
        out(
            "mends itself",
            bad,
            |at| at.tcp_to(at.mender, 443, Syn),
            Pass,
            RuleAllows,
        ),
        out(
            "sends to the mender",
            bad,
            |at| at.tcp_to(at.mender, 443, Data),
            Pass,
            RuleAllows,
        ),
        back(
            "the mender answers",
            bad,
            |at| at.tcp_back(at.mender, 443, Data),
            Pass,
            RuleAllows,
        ),
        out(
            "another port there",
            bad,
            |at| at.tcp_to(at.mender, 22, Syn),
            Reject,
            RoleDenies,
        ),
        out(
            "another protocol there",
            bad,
            |at| at.udp_to(at.mender, 443),
            Drop,
            RoleDenies,
        ),
        back(
            "the mender's other port",
            bad,
            |at| at.tcp_back(at.mender, 22, Data),
            Drop,
            RoleDenies,
        ),
        out(
            "opens HTTPS",
            bad,
            |at| at.tcp(443, Syn),
            Reject,
            RoleDenies,
        ),
        out(
            "opens HTTPS behind two tags",
            bad,
            |at| tagged(2, at.tcp(443, Syn)),
            Reject,
            RoleDenies,
        ),
        out(
            "opens HTTPS with padding",
            bad,
            |at| padded(at.tcp(443, Syn)),
            Reject,
            RoleDenies,
        ),
        out(
            "opens HTTPS behind headers",
            bad,
            |at| chained(at.tcp(443, Syn), 1),
            Reject,
            RoleDenies,
        )
        .v6(),
        out(
            "goes on with HTTPS",
            bad,
            |at| at.tcp(443, Data),
            Reject,
            RoleDenies,
        ),
        out("resets", bad, |at| at.tcp(443, Reset), Drop, RoleDenies),
        back(
            "gets data",
            bad,
            |at| at.tcp_back(at.server, 443, Data),
            Drop,
            RoleDenies,
        ),
        out(
            "QUIC",
            bad,
            |at| at.udp_to(at.server, 443),
            Drop,
            RoleDenies,
        ),
        out("pings", bad, |at| at.ping_to(at.server), Drop, RoleDenies),
        back(
            "is pinged",
            bad,
            |at| at.ping_back(at.server),
            Drop,
            RoleDenies,
        ),
        out(
            "tunnels",
            bad,
            |at| fixture::raw(at.host, at.server, 47, &[0; 8]),
            Drop,
            RoleDenies,
        ),
        out(
            "TCP to many",
            bad,
            |at| at.tcp_to([224, 0, 0, 9].into(), 443, Syn),
            Drop,
            RoleDenies,
        )
        .v4(),
        out(
            "HTTP to many",
            bad,
            |at| at.tcp_to([0xff05, 0, 0, 0, 0, 0, 0, 9].into(), 80, Syn),
            Drop,
            RoleDenies,
        )
        .v6(),
        out(
            "a later fragment to the mender",
            bad,
            |at| fragment_v4(at.tcp_to(at.mender, 443, Data), 90),
            Drop,
            RoleDenies,
        )
        .v4(),
        out(
            "a later fragment to the mender",
            bad,
            |at| fragment_v6(at.tcp_to(at.mender, 443, Data), 90),
            Drop,
            RoleDenies,
        )
        .v6(),
        back(
            "a later fragment of the mender",
            bad,
            |at| fragment_v4(at.tcp_back(at.mender, 443, Data), 90),
            Drop,
            RoleDenies,
        )
        .v4(),
        out(
            "a first fragment to the mender",
            bad,
            |at| fragment_v4(at.tcp_to(at.mender, 443, Data), 0),
            Pass,
            RuleAllows,
        )
        .v4(),
    ]
}

fn portal() -> Vec<Row> {
    let bad = Known::As(RoleId::QUARANTINE);
    let there = Known::OnPortal;
    vec![
        out(
            "opens HTTP",
            bad,
            |at| at.tcp(80, Syn),
            Redirect,
            RoleDenies,
        ),
        out(
            "opens HTTP behind a tag",
            bad,
            |at| tagged(1, at.tcp(80, Syn)),
            Redirect,
            RoleDenies,
        ),
        out(
            "opens HTTP with padding",
            bad,
            |at| padded(at.tcp(80, Syn)),
            Redirect,
            RoleDenies,
        ),
        out(
            "opens HTTP behind headers",
            bad,
            |at| chained(at.tcp(80, Syn), 1),
            Redirect,
            RoleDenies,
        )
        .v6(),
        out(
            "goes on with HTTP of before",
            bad,
            |at| at.tcp(80, Data),
            Redirect,
            RoleDenies,
        )
        .done(Reject),
        out(
            "resets HTTP of before",
            bad,
            |at| at.tcp(80, Reset),
            Redirect,
            RoleDenies,
        )
        .done(Drop),
        out(
            "asks the portal",
            there,
            |at| at.tcp(80, Data),
            Redirect,
            RoleDenies,
        ),
        out(
            "resets the portal",
            there,
            |at| at.tcp(80, Reset),
            Redirect,
            RoleDenies,
        ),
        out(
            "the same port elsewhere",
            there,
            |at| at.tcp_to(at.mender, 80, Data),
            Redirect,
            RoleDenies,
        )
        .done(Reject),
        back(
            "the portal answers",
            there,
            |at| at.tcp_back(at.gateway, PORTAL, Data),
            Pass,
            OwnService,
        ),
        back(
            "the portal accepts",
            there,
            |at| at.tcp_back(at.gateway, PORTAL, SynAck),
            Pass,
            OwnService,
        ),
        back(
            "the portal answers behind a tag",
            there,
            |at| tagged(1, at.tcp_back(at.gateway, PORTAL, Data)),
            Pass,
            OwnService,
        ),
        out(
            "opens the portal itself",
            bad,
            |at| at.tcp_to(at.gateway, PORTAL, Syn),
            Pass,
            OwnService,
        ),
        back(
            "the portal itself answers",
            bad,
            |at| at.tcp_back(at.gateway, PORTAL, Data),
            Pass,
            OwnService,
        ),
    ]
}

fn denied() -> Vec<Row> {
    let denied = Known::As(RoleId::DENIED);
    vec![
        out(
            "a denied host opens HTTPS",
            denied,
            |at| at.tcp(443, Syn),
            Drop,
            RoleDenies,
        ),
        out(
            "a denied host opens HTTP",
            denied,
            |at| at.tcp(80, Syn),
            Drop,
            RoleDenies,
        ),
        out(
            "a denied host would mend itself",
            denied,
            |at| at.tcp_to(at.mender, 443, Syn),
            Drop,
            RoleDenies,
        ),
        back(
            "a denied host gets data",
            denied,
            |at| at.tcp_back(at.server, 443, Data),
            Drop,
            RoleDenies,
        ),
        out(
            "a denied host asks the gateway's DNS",
            denied,
            |at| at.udp_to(at.gateway, 53),
            Pass,
            OwnService,
        ),
    ]
}

fn silent() -> Vec<Row> {
    let silent = Known::Silent;
    vec![
        out(
            "its source is silent",
            silent,
            |at| at.tcp(443, Syn),
            Reject,
            LeaseExpired,
        ),
        out(
            "its source is silent: HTTP",
            silent,
            |at| at.tcp(80, Syn),
            Redirect,
            LeaseExpired,
        ),
        out(
            "its source is silent: UDP",
            silent,
            |at| at.udp_to(at.server, 9),
            Drop,
            LeaseExpired,
        ),
        back(
            "its source is silent",
            silent,
            |at| at.tcp_back(at.server, 443, Data),
            Drop,
            LeaseExpired,
        ),
        out(
            "its source is silent: DNS",
            silent,
            |at| at.udp_to(at.gateway, 53),
            Pass,
            OwnService,
        ),
    ]
}
