//! What is in the kernel already, and is another's or of another shape.

use std::fs;

use enforcer_tests::{
    config::Config,
    lan::{SERVER, at},
    posture::Posture,
    servers::HTTP,
    site::Site,
    wait,
};

/// A gateway has been here, and has left the laptop passing.
fn left_behind() -> anyhow::Result<Site> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let host = &site.lan.laptop;
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    assert!(gateway.stop()?.success());
    Ok(site)
}

#[test]
fn the_program_of_another_stays_where_it_is() -> anyhow::Result<()> {
    let site = left_behind()?;
    let text = Config::default().text(&site);
    let pins = format!("{:?}", site.pin_dir());
    let other = site.pin_dir().with_file_name("other");
    site.write_config(&text.replace(&pins, &format!("{other:?}")))?;
    let said = site.refused()?;
    assert!(
        said.contains("lan0: another XDP program is attached"),
        "{said}"
    );
    assert!(said.contains("`enforcer_xdp`"), "{said}");
    assert!(said.contains("ip link set lan0 xdp off"), "{said}");
    assert!(!other.exists() || fs::read_dir(&other)?.next().is_none());
    assert!(site.has_xdp()?);
    assert!(site.lan.laptop.get(at(SERVER, HTTP)).is_page());
    Ok(())
}

#[test]
fn maps_of_another_shape_are_not_emptied() -> anyhow::Result<()> {
    let site = left_behind()?;
    site.configure(&Config {
        host_capacity: 8192,
        ..Config::default()
    })?;
    let said = site.refused()?;
    for word in ["HOSTS_V4", "host_capacity", "4096 rows", "8192 rows"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!said.contains("--detach"), "{said}");
    assert!(site.lan.laptop.get(at(SERVER, HTTP)).is_page());
    site.configure(&Config::default())?;
    let gateway = site.start()?;
    assert_eq!(gateway.role(site.lan.laptop.v4), "authorized");
    Ok(())
}
