//! Nothing translates: the address that the server saw is the host.

use enforcer_tests::{posture::Posture, site::Site};

use crate::scene::{Scene, gets_out, passes};

#[test]
fn without_translation_the_observed_address_is_the_host() -> anyhow::Result<()> {
    let site = Site::new()?;
    let scene = Scene::new(&site)?;
    let (good, bad) = (&site.lan.laptop, &site.lan.desktop);
    scene.follows(good, Posture::good, ["laptop-4", "laptop-6"])?;
    scene.follows(bad, Posture::bad, ["desktop-4", "desktop-6"])?;
    for address in [good.v4, good.v6] {
        assert_eq!(scene.gateway.role(address), "authorized");
    }
    for address in [bad.v4, bad.v6] {
        assert_eq!(scene.gateway.role(address), "quarantine");
    }
    assert!(passes(good) && !gets_out(bad));
    Ok(())
}
