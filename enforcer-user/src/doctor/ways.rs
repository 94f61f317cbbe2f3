//! The ways through this machine.

use std::fs;

use super::{Answer, Subject};
use crate::links::{self, Passage};

pub(super) fn forwarding(subject: &Subject) -> Vec<Answer> {
    let enforced = |name: &str| subject.config.interfaces.iter().any(|one| one.name == name);
    let links = subject.links.iter().filter(|one| enforced(&one.link.name));
    let answers = links.map(|one| {
        let name = &one.link.name;
        match (one.v4, one.v6) {
            (true, true) => Answer::ok(name, "forwards IPv4 and IPv6"),
            (true, false) => Answer::ok(name, "forwards IPv4, not IPv6"),
            (false, true) => Answer::ok(name, "forwards IPv6, not IPv4"),
            (false, false) => Answer::warn(
                name,
                "forwards nothing: its hosts reach this machine alone",
                "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1, where this is a router",
            ),
        }
    });
    answers.collect()
}

pub(super) fn reverse_path(subject: &Subject) -> Vec<Answer> {
    let answers = subject.enforced().map(|link| {
        let read = |name: &str| {
            let path = format!("/proc/sys/net/ipv4/conf/{name}/rp_filter");
            let text = fs::read_to_string(path).ok()?;
            text.trim().parse::<u8>().ok()
        };
        // The kernel takes the higher one.
        match read("all").max(read(&link.name)) {
            Some(1 | 2) => Answer::ok(&link.name, "sources that belong elsewhere are dropped"),
            Some(_) => Answer::warn(
                &link.name,
                "a source that belongs behind another interface is let in: only the scope and the binding of addresses stop it",
                format!("sysctl -w net.ipv4.conf.{}.rp_filter=1", link.name),
            ),
            None => Answer::warn(&link.name, "rp_filter cannot be read", "run it as root"),
        }
    });
    answers.collect()
}

pub(super) fn inventory(subject: &Subject) -> Vec<Answer> {
    let interfaces = subject.config.interfaces.iter();
    let judged: Vec<_> = interfaces.map(|one| one.name.clone()).collect();
    let passages = links::inventory(&subject.links, &judged, &subject.config.uplinks);
    passages.iter().map(passage).collect()
}

fn passage(passage: &Passage) -> Answer {
    let families = match (passage.v4, passage.v6) {
        (true, false) => " (IPv4)",
        (false, true) => " (IPv6)",
        _ => "",
    };
    let found = format!("{}{families}", passage.cover);
    match passage.remedy() {
        Some(remedy) if passage.cover == links::Cover::None => {
            Answer::fail(&passage.interface, found, remedy)
        }
        Some(remedy) => Answer::warn(&passage.interface, found, remedy),
        None => Answer::ok(&passage.interface, found),
    }
}
