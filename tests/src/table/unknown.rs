//! Hosts of which nothing is decided.

use enforcer_common::decide::{
    Reason::{FirstPacket, Held, NoAnswer, OwnService},
    Verdict::{Drop, Pass, Redirect, Reject},
};

use super::{Known::*, Row, alter::tagged, back, out};
use crate::fixture::Tcp::*;

pub(super) fn rows() -> Vec<Row> {
    vec![
        out(
            "opens HTTPS",
            Nobody,
            |at| at.tcp(443, Syn),
            Pass,
            FirstPacket,
        ),
        out(
            "opens HTTPS behind a tag",
            Nobody,
            |at| tagged(1, at.tcp(443, Syn)),
            Pass,
            FirstPacket,
        ),
        out("goes on", Nobody, |at| at.tcp(443, Data), Drop, Held),
        out("resets", Nobody, |at| at.tcp(443, Reset), Drop, Held),
        out(
            "asks by UDP",
            Nobody,
            |at| at.udp_to(at.server, 53),
            Drop,
            Held,
        ),
        out("pings", Nobody, |at| at.ping_to(at.server), Drop, Held),
        back(
            "is called",
            Nobody,
            |at| at.tcp_back(at.server, 9, Syn),
            Drop,
            NoAnswer,
        ),
        out(
            "asks the gateway's DNS",
            Nobody,
            |at| at.udp_to(at.gateway, 53),
            Pass,
            OwnService,
        ),
        back(
            "the gateway's DNS",
            Nobody,
            |at| at.udp_back(at.gateway, 53),
            Pass,
            OwnService,
        ),
        out(
            "opens again",
            Asked,
            |at| at.tcp(443, Syn),
            Pass,
            FirstPacket,
        ),
        out("opens HTTP", Asked, |at| at.tcp(80, Syn), Pass, FirstPacket),
        back(
            "is answered too early",
            Asked,
            |at| at.tcp_back(at.server, 443, SynAck),
            Drop,
            Held,
        ),
        back("is pinged", Asked, |at| at.ping_back(at.server), Drop, Held),
        out(
            "opens in vain",
            Unanswered,
            |at| at.tcp(443, Syn),
            Reject,
            NoAnswer,
        ),
        out(
            "opens HTTP in vain",
            Unanswered,
            |at| at.tcp(80, Syn),
            Redirect,
            NoAnswer,
        ),
        out(
            "asks in vain",
            Unanswered,
            |at| at.udp_to(at.server, 53),
            Drop,
            NoAnswer,
        ),
        back(
            "is answered",
            Unanswered,
            |at| at.tcp_back(at.server, 443, SynAck),
            Drop,
            NoAnswer,
        ),
        out(
            "was authorized until now",
            Ended,
            |at| at.tcp(443, Syn),
            Pass,
            FirstPacket,
        ),
        out(
            "goes on after its time",
            Ended,
            |at| at.tcp(443, Data),
            Drop,
            Held,
        ),
        back(
            "gets data after its time",
            Ended,
            |at| at.tcp_back(at.server, 443, Data),
            Drop,
            NoAnswer,
        ),
    ]
}
