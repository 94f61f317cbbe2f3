//! Tunnels: the sender outside is judged, and a rule opens none of them.

use enforcer_tests::{attack::scapy, site::Site};

use crate::scene::{Count, Scene};

const REJECTED: Count = ("xdp", "reject", "role_denies");

/// One packet of each kind of tunnel to a machine, with a packet of a host that complies inside.
const TUNNELS: &str = "
inner = IP(src='192.0.2.11', dst=SERVER) / UDP(dport=7) / MARK
inner6 = IPv6(src='2001:db8:1::11', dst=SERVER6) / UDP(dport=7) / MARK
inside = Ether(src='02:00:00:00:00:11', dst=BROADCAST) / inner
GRE_IP, GRE_ETHERNET = bytes([0, 0, 8, 0]), bytes([0, 0, 0x65, 0x58])
VXLAN, GENEVE = bytes([8, 0, 0, 0, 0, 0, 1, 0]), bytes([0, 0, 0x65, 0x58, 0, 0, 1, 0])
WIREGUARD = bytes([4, 0, 0, 0, 1, 0, 0, 0]) + bytes(8)

def tunnels(outer, version):
    def by(number):
        return outer.__class__(**outer.fields, **{'proto' if version == 4 else 'nh': number})
    return [
        by(4) / inner, by(41) / inner6,
        by(47) / Raw(GRE_IP) / inner, by(47) / Raw(GRE_ETHERNET) / inside,
        by(17) / UDP(dport=4789) / Raw(VXLAN) / inside, by(17) / UDP(dport=6081) / Raw(GENEVE) / inside,
        by(17) / UDP(dport=3544) / inner6, by(17) / UDP(dport=51820) / Raw(WIREGUARD) / inner,
        by(50) / Raw(bytes(8)) / inner, by(17) / UDP(dport=4500) / Raw(bytes(12)) / inner,
        by(115) / Raw(bytes(8)) / inside, by(17) / UDP(dport=1194) / inner, by(17) / UDP(dport=443) / inner,
        by(132) / Raw(bytes(12)) / MARK, by(94) / inner,
    ]
";

#[test]
fn a_stopped_host_tunnels_to_nobody() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(REJECTED, 30)], || {
        let tries = "
for outer, version in (IP(dst=SERVER), 4), (IPv6(dst=SERVER6), 6):
    send(*[frame() / packet for packet in tunnels(outer, version)])
";
        scapy(scene.attacker(), &format!("{TUNNELS}{tries}")).map(drop)
    })
}

#[test]
fn no_rule_opens_a_tunnel() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(REJECTED, 45)], || {
        let tries = "
for outer, version in (IP(dst=REMEDIATION), 4), (IP(dst=GATEWAY), 4), (IPv6(dst=GATEWAY6), 6):
    send(*[frame() / packet for packet in tunnels(outer, version)])
";
        scapy(scene.attacker(), &format!("{TUNNELS}{tries}")).map(drop)
    })
}
