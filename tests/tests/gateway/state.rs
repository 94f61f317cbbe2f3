//! Files of the gateway's state that are damaged.

use std::fs;

use enforcer_tests::{
    gateway::Gateway,
    lan::{SERVER, at},
    posture::Posture,
    servers::HTTP,
    site::Site,
    wait,
};

const DAMAGE: &[u8] = b"{ this is no JSON, and no database either";

#[test]
fn damaged_exceptions_are_kept_aside_and_said() -> anyhow::Result<()> {
    let site = Site::new()?;
    let host = &site.lan.laptop;
    let gateway = site.start()?;
    site.control(&["allow", &host.v4.to_string(), "--reason", "a new disk"])?;
    gateway.kill()?;
    let file = site.path("state/exceptions.json");
    fs::write(&file, DAMAGE)?;
    let gateway = site.start()?;
    assert!(gateway.has_logged("the file is kept aside"));
    assert_eq!(gateway.role(host.v4), "");
    assert!(!host.passes(at(SERVER, HTTP)));
    let names = fs::read_dir(site.path("state"))?.flatten();
    let aside = names
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("json.corrupt-"));
    assert_eq!(fs::read(aside.expect("the damaged file"))?, DAMAGE);
    Ok(())
}

#[test]
fn without_its_numbers_the_kernels_rows_are_not_trusted() -> anyhow::Result<()> {
    let site = Site::new()?;
    let host = &site.lan.laptop;
    let gateway = site.start()?;
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    gateway.kill()?;
    fs::write(site.path("state/numbers.json"), DAMAGE)?;
    let gateway = site.start()?;
    assert!(gateway.has_logged("numbers.json"));
    // The management server tells of it again.
    wait::until_so("it passes again", || host.passes(at(SERVER, HTTP)));
    Ok(())
}

#[test]
fn a_damaged_database_is_said_and_left_as_it_is() -> anyhow::Result<()> {
    let site = Site::new()?;
    let host = &site.lan.laptop;
    let gateway = site.start()?;
    site.report(host, &Posture::good("laptop"))?;
    wait::until_so("it passes", || host.passes(at(SERVER, HTTP)));
    gateway.kill()?;
    wait::until_so("the server is gone", || {
        site.lan.gateway.processes().is_empty()
    });
    let database = site.path("state/server/server.db");
    let whole = fs::read(&database)?;
    let damaged = [DAMAGE, &whole[DAMAGE.len()..]].concat();
    fs::write(&database, &damaged)?;
    let gateway = Gateway::launch(&site)?;
    wait::until_so("the damage is said", || {
        gateway.has_logged("server.db is damaged")
    });
    wait::until_so("the gateway says that it is not in step", || {
        let answer = gateway.get("/readyz");
        !answer.is_page() && answer.text().contains("snapshot")
    });
    assert!(host.get(at(SERVER, HTTP)).is_page());
    assert!(fs::read(&database)? == damaged);
    Ok(())
}
