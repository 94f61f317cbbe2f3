//! The unit for systemd: what it gives suffices, and what it waits for comes.

use std::{fs, os::unix::net::UnixDatagram, path::Path};

use enforcer_tests::{gateway::Gateway, site::Site, wait};

/// The values of a key of the unit, which may stand there several times.
fn values(key: &str) -> anyhow::Result<Vec<String>> {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/systemd/enforcer.service");
    let unit = fs::read_to_string(unit)?;
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    let values = lines.filter(|(name, _)| *name == key);
    let words = values.flat_map(|(_, value)| value.split_whitespace());
    Ok(words.map(ToOwned::to_owned).collect())
}

#[test]
fn a_gateway_starts_with_the_capabilities_of_the_unit_and_says_when_it_is_up() -> anyhow::Result<()>
{
    let site = Site::new()?;
    let socket = site.path("notify");
    let systemd = UnixDatagram::bind(&socket)?;
    systemd.set_nonblocking(true)?;
    let mut said = String::new();
    let mut hears = |what: &str| {
        wait::until(format!("systemd is told {what}"), || {
            let mut datagram = [0; 4096];
            if let Ok(length) = systemd.recv(&mut datagram) {
                said.push_str(&String::from_utf8_lossy(&datagram[..length]));
                said.push('\n');
            }
            let at = said.find(what)?;
            // What comes next is another time.
            said = said.split_off(at + what.len());
            Some(())
        });
    };

    let capabilities = values("CapabilityBoundingSet")?;
    assert!(capabilities.len() > 6, "{capabilities:?}");
    let mut set = "--bounding-set=-all".to_owned();
    for capability in capabilities {
        set.push_str(",+");
        set.push_str(&capability.trim_start_matches("CAP_").to_lowercase());
    }
    let command = ["setpriv".to_owned(), "--inh-caps=-all".to_owned(), set];
    let _gateway = Gateway::start_behind(&site, &command, &[("NOTIFY_SOCKET", &socket)])?;
    assert_eq!(values("Type")?, ["notify"]);
    hears("READY=1");
    site.control(&["reload"])?;
    hears("RELOADING=1");
    hears("READY=1");
    Ok(())
}
