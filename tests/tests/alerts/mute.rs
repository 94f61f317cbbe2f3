//! A receiver that takes connections and never says anything.

use enforcer_tests::{
    lan::{SERVER, at},
    posture::Posture,
    servers::HTTP,
    serving::Serving,
    site::Site,
    wait,
};

use crate::place::{configure, receiver_address, view, webhook};

#[test]
fn a_receiver_that_never_answers_keeps_no_decision_waiting() -> anyhow::Result<()> {
    let site = Site::new()?;
    configure(&site, &webhook(&site, "")?)?;
    let mute = Serving::start(&site.lan.gateway, receiver_address(), async |listener| {
        let mut kept = Vec::new();
        while let Ok(client) = listener.accept().await {
            kept.push(client);
        }
    })?;
    let gateway = site.start()?;
    let laptop = &site.lan.laptop;
    for _ in 0..5 {
        assert_eq!(site.report(laptop, &Posture::bad("laptop"))?, "quarantine");
        wait::until_so("it is stopped", || gateway.role(laptop.v4) == "quarantine");
        assert!(!laptop.passes(at(SERVER, HTTP)));
        assert_eq!(site.report(laptop, &Posture::good("laptop"))?, "authorized");
        wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    }
    wait::until_so("all are to be told still", || {
        let siem = view(&site, "siem");
        siem["sent"] == 0 && siem["waiting"].as_u64() >= Some(5)
    });
    drop(mute);
    Ok(())
}
