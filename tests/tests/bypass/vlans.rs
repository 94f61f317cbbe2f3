//! VLAN hopping: tags that an interface does not allow.
//!
//! No VLAN device is needed to see what a gateway makes of tags: it counts them.

use enforcer_tests::{
    attack::{MARK, scapy},
    config::Config,
    site::Site,
    tap::{addresses, carries},
    wait,
};

use crate::scene::{Count, Scene};

const VLAN: Count = ("xdp", "drop", "vlan");
const TOO_DEEP: Count = ("xdp", "drop", "too_deep");
const NOT_IP: Count = ("xdp", "drop", "not_ip");
const REJECTED: Count = ("xdp", "reject", "role_denies");

/// Tags of every kind in front of a packet that the desktop may not send.
const TAGS: &str = "
packet = IP(dst=SERVER) / UDP(dport=9) / MARK
def tagged(*tags):
    kinds, bytes_ = [kind for kind, _ in tags] + [0x0800], b''
    for (_, vlan), following in zip(tags, kinds[1:]):
        bytes_ += vlan.to_bytes(2, 'big') + following.to_bytes(2, 'big')
    return frame(type=kinds[0]) / Raw(bytes_ + bytes(packet))

C, S, OLD = 0x8100, 0x88a8, 0x9100
";

#[test]
fn no_vlan_is_allowed_that_is_not_named() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.keep_tags_inside()?;
    let expected = [(VLAN, 9), (REJECTED, 4), (TOO_DEEP, 3), (NOT_IP, 2)];
    scene.stops(&expected, || {
        let tries = "
send(tagged((C, 10)), tagged((S, 10)), tagged((OLD, 10)), tagged((C, 1)), tagged((C, 4095)),
     tagged((C, 10), (C, 20)), tagged((S, 10), (C, 20)), tagged((OLD, 10), (C, 20)), tagged((C, 0), (C, 10)))
# Priority tags are of no VLAN: the host is judged as ever, and a switch may honour them.
send(tagged((C, 0)), tagged((C, 0xe000)), tagged((S, 0)), tagged((C, 0), (C, 0)))
send(tagged((C, 0), (C, 0), (C, 0)), tagged((S, 1), (C, 2), (C, 3)), tagged(*[(C, 10)] * 8))
# Kinds of tags that nobody here knows.
send(tagged((0x9200, 10)), tagged((0x9300, 10)))
";
        scapy(scene.attacker(), &format!("{TAGS}{tries}")).map(drop)
    })
}

#[test]
fn only_the_vlans_that_are_named_are_let_in() -> anyhow::Result<()> {
    let site = Site::new()?;
    let mut text = Config::default().text(&site);
    let vlans = "zone = \"lan\"\n[[interface.vlan]]\nid = 10\nzone = \"guest\"\n\
                 [[interface.vlan]]\nid = 30\ninner = 40\nzone = \"guest\"\n";
    text = text.replacen("zone = \"lan\"\n", vlans, 1);
    site.write_config(&text)?;
    let scene = Scene::of_the_operator(&site)?;
    // In the zone of a VLAN the same address is another host, of which nothing is known. Beside the packets of a
    // virtual interface the tags are seen by TC alone.
    let of = |reason| ("tc_ingress", "drop", reason);
    scene.stops(&[(of("vlan"), 5), (of("held"), 2)], || {
        let tries = "
send(tagged((C, 10)), tagged((C, 20)), tagged((C, 10), (C, 20)), tagged((C, 20), (C, 10)),
     tagged((C, 30)), tagged((C, 40), (C, 30)))
packet = IP(dst=SERVER, src='192.0.2.14') / UDP(dport=7) / MARK
send(tagged((C, 30), (C, 40)))
";
        scapy(scene.attacker(), &format!("{TAGS}{tries}")).map(drop)
    })
}

#[test]
fn a_priority_tag_stops_nobody_who_complies() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.keep_tags_inside()?;
    let tries = "send(tagged((C, 0)), tagged((C, 0xe000)))";
    scapy(scene.neighbour(), &format!("{TAGS}{tries}"))?;
    let mut count = 0;
    wait::until_so("both arrive", || {
        let arrived = scene.arrived();
        let of_it = arrived.iter().filter(|frame| {
            let is_its = addresses(frame).is_some_and(|(from, _)| from == scene.neighbour().v4);
            is_its && carries(frame, MARK.as_bytes())
        });
        count += of_it.count();
        count == 2
    });
    Ok(())
}
