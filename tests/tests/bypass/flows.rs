//! Connections that were open when the host was still let pass, and packets that pretend to belong to some.

use std::io::{Read, Write};

use enforcer_tests::{
    attack::{MARK, run_for, scapy},
    host::SILENCE,
    lan::{SERVER, at},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    tap::carries,
    wait,
};

use crate::scene::{Count, Scene};

const DROPPED: Count = ("xdp", "drop", "role_denies");
const REJECTED: Count = ("xdp", "reject", "role_denies");

#[test]
fn what_was_open_before_is_no_way_in() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::without_a_stopped_one(&site)?;
    let bad = scene.attacker();
    site.report(bad, &Posture::good("desktop"))?;
    wait::until_so("the desktop passes", || bad.passes(at(SERVER, HTTP)));
    let mut stream = bad.connect(at(SERVER, ECHO))?;
    let port = stream.local_addr()?.port();
    stream.write_all(b"ping")?;
    stream.read_exact(&mut [0; 4])?;

    assert_eq!(site.report(bad, &Posture::bad("desktop"))?, "quarantine");
    wait::until_so("the desktop is in quarantine", || {
        scene.gateway.role(bad.v4) == "quarantine"
    });
    assert!(!bad.echoes(at(SERVER, ECHO), SILENCE));
    scene.arrived();
    // Segments of that connection, with any numbers, from a tool that needs no connection of its own.
    let port = port.to_string();
    for flags in [&["-A"][..], &["-P", "-A"], &["-F", "-A"], &["-U"]] {
        let rest = [
            "-q", "-k", "-s", &port, "-p", "7", "-c", "50", "-i", "u1000", "-e", MARK, SERVER,
        ];
        run_for(bad, "5", "hping3", flags.iter().copied().chain(rest))?;
    }
    let arrived = scene.arrived();
    let smuggled = arrived.iter().find(|frame| carries(frame, MARK.as_bytes()));
    assert_eq!(smuggled, None);
    Ok(())
}

#[test]
fn what_looks_like_an_answer_is_stopped_like_a_question() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    scene.stops(&[(REJECTED, 60), (DROPPED, 24)], || {
        scapy(
            scene.attacker(),
            "
for ip in IP(dst=SERVER), IPv6(dst=SERVER6):
    for port in 20, 53, 80, 123, 443, 8443:
        send(*[frame() / ip / TCP(sport=port, dport=4000, flags=flags) / MARK
               for flags in ('SA', 'A', 'PA', 'FA', 'R', 'RA', 0)],
             frame() / ip / UDP(sport=port, dport=4000) / MARK)
",
        )
        .map(drop)
    })
}
