//! `enforcer top`.

use enforcer_tests::{
    fixture::udp,
    follow::Following,
    lan::{SERVER, at},
    site::Site,
    wait,
};
use serde_json::Value;

fn row<'a>(top: &'a Value, address: &str) -> Option<&'a Value> {
    let mut hosts = top["hosts"].as_array()?.iter();
    hosts.find(|host| host["address"] == address)
}

#[test]
fn who_is_stopped_most_comes_first() -> anyhow::Result<()> {
    let site = Site::new()?;
    let _gateway = site.start()?;
    let (loud, quiet) = (&site.lan.laptop, &site.lan.desktop);
    let (loud_one, quiet_one) = (loud.v4.to_string(), quiet.v4.to_string());
    for one in [&loud_one, &quiet_one] {
        site.control(&["deny", one, "--reason", "scanning"])?;
    }
    let none = site.control(&["top", "--once", "--interval", "1s"])?;
    assert_eq!(none["packets_per_second"], 0);

    let sent = |host: &enforcer_tests::host::Host, count| {
        let mut frame = udp(at(&host.v4.to_string(), 9), at(SERVER, 9), b"x");
        let mac: enforcer::identity::Mac = host.mac.parse().expect("a MAC address");
        frame[6..12].copy_from_slice(&mac.0);
        host.send_frames((0..count).map(|_| &*frame))
    };
    let top = Following::start(site.operator(&["top", "--json"]))?;
    let live = wait::until("rates are seen", || {
        sent(loud, 50).ok()?;
        sent(quiet, 2).ok()?;
        let seen = top.lines();
        let seen: Value = serde_json::from_str(seen.last()?).ok()?;
        let rate = |one| row(&seen, one).and_then(|host| host["packets_per_second"].as_u64());
        (rate(&loud_one)? > 10 && rate(&quiet_one)? > 0).then_some(seen)
    });
    assert_eq!(live["hosts"][0]["address"], loud_one, "{live:#}");
    assert_eq!(live["hosts"][0]["reason"], "role_denies");
    assert!(live["packets_per_second"].as_u64() > live["hosts"][0]["packets_per_second"].as_u64());
    assert!(live["over_milliseconds"].as_u64() >= Some(500));

    let by_packets = site.control(&["top", "--once", "--by", "packets", "--limit", "1"])?;
    assert_eq!(by_packets["hosts"].as_array().map(Vec::len), Some(1));
    assert_eq!(by_packets["hosts"][0]["address"], loud_one);
    assert_eq!(by_packets["stopped"], 2);
    let text = String::from_utf8(site.operator(&["top", "--once"]).output()?.stdout)?;
    assert!(text.starts_with("2 hosts stopped, "), "{text}");
    for words in [
        &["top", "--by", "size"][..],
        &["top", "--interval", "0s"],
        &["top", "--limit", "-1"],
    ] {
        assert_eq!(
            site.operator(words).output()?.status.code(),
            Some(2),
            "{words:?}"
        );
    }
    Ok(())
}
