//! Lists of hosts in files, beside the management server.

use std::fs;

use enforcer_tests::{
    config::Config,
    gateway::Gateway,
    lan::{SERVER, at},
    posture::Posture,
    servers::HTTP,
    site::Site,
    wait,
};
use serde_json::Value;

/// A site with a list of hosts under this name, with these keys more.
fn with_list(name: &str, keys: &str) -> anyhow::Result<Site> {
    let site = Site::new()?;
    configure(&site, name, keys)?;
    Ok(site)
}

fn configure(site: &Site, list: &str, keys: &str) -> anyhow::Result<()> {
    let path = site.path(list);
    site.configure(&Config {
        sections: format!(
            "[[source.file]]\nname = \"printers\"\npath = \"{}\"\n{keys}",
            path.display()
        ),
        ..Config::default()
    })
}

/// What `status` says of the list.
fn list_of(site: &Site) -> Value {
    let status = site.control(&["status"]).unwrap_or_default();
    let sources = status["sources"].as_array().cloned().unwrap_or_default();
    let mut sources = sources.into_iter();
    sources
        .find(|source| source["name"] == "printers")
        .unwrap_or_default()
}

fn csv(site: &Site, rows: &[(&str, &str)]) -> anyhow::Result<()> {
    let rows = rows
        .iter()
        .map(|(address, role)| format!("{address},{role}\n"));
    let text = "address,role\n".to_owned() + &rows.collect::<String>();
    // As careful editors do it: another file takes the place.
    let new = site.path("list.new");
    fs::write(&new, text)?;
    Ok(fs::rename(new, site.path("list.csv"))?)
}

#[test]
fn a_list_decides_and_is_followed() -> anyhow::Result<()> {
    let site = with_list("list.csv", "")?;
    let (laptop, desktop) = (&site.lan.laptop, &site.lan.desktop);
    csv(&site, &[(&laptop.v4.to_string(), "authorized")])?;
    let gateway = site.start()?;
    wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    let row = gateway.host(laptop.v4).unwrap_or_default();
    assert_eq!(row["source"], "printers", "{row}");
    let list = list_of(&site);
    assert_eq!(list["kind"], "file", "{list}");
    assert_eq!(
        (&list["connected"], &list["decisions"]),
        (&true.into(), &1.into())
    );
    assert_eq!(list["lease_seconds_left"], Value::Null, "{list}");

    csv(&site, &[(&desktop.v4.to_string(), "authorized")])?;
    wait::until_so("the other one passes", || desktop.passes(at(SERVER, HTTP)));
    wait::until_so("the first one does not", || {
        !laptop.passes(at(SERVER, HTTP))
    });
    // Written in place, in two steps.
    let path = site.path("list.csv");
    fs::write(&path, "address,role\n")?;
    let rows = format!(
        "address,role\n{},authorized\n{},authorized\n",
        laptop.v4, desktop.v4
    );
    fs::write(&path, rows)?;
    wait::until_so("both pass", || laptop.passes(at(SERVER, HTTP)));
    assert!(desktop.passes(at(SERVER, HTTP)));
    Ok(())
}

#[test]
fn a_bad_list_is_refused_by_line_and_column_and_changes_nothing() -> anyhow::Result<()> {
    let site = with_list("list.csv", "")?;
    let laptop = &site.lan.laptop;
    csv(&site, &[(&laptop.v4.to_string(), "authorized")])?;
    let gateway = site.start()?;
    wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    csv(
        &site,
        &[("192.0.2.77", "denied"), ("192.0.2.78", "athorized")],
    )?;
    let error = || {
        list_of(&site)["last_error"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    wait::until_so("it is refused", || {
        error().contains("list.csv:3:12: there is no role")
    });
    assert!(
        error().contains("did you mean `authorized`?"),
        "{}",
        error()
    );
    assert!(gateway.has_logged("list.csv:3:12"));
    assert_eq!(gateway.role("192.0.2.77".parse()?), "", "not by halves");
    assert!(laptop.passes(at(SERVER, HTTP)));

    csv(
        &site,
        &[("192.0.2.77", "denied"), ("192.0.2.78", "authorized")],
    )?;
    wait::until_so("it is taken", || {
        gateway.role("192.0.2.77".parse().unwrap()) == "denied"
    });
    assert_eq!(error(), "");
    Ok(())
}

#[test]
fn a_list_without_a_lease_holds_while_it_can_be_read() -> anyhow::Result<()> {
    let site = with_list("list.toml", "")?;
    let laptop = &site.lan.laptop;
    let path = site.path("list.toml");
    let text = format!(
        "[[host]]\naddress = \"{}\"\nrole = \"authorized\"\n",
        laptop.v4
    );
    fs::write(&path, &text)?;
    let gateway = site.start()?;
    wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    fs::remove_file(&path)?;
    wait::until_so("it no longer passes", || !laptop.passes(at(SERVER, HTTP)));
    assert!(!gateway.is_ready());
    assert_eq!(list_of(&site)["connected"], false);
    fs::write(&path, &text)?;
    wait::until_so("it passes again", || laptop.passes(at(SERVER, HTTP)));
    wait::until_so("it is ready again", || gateway.is_ready());
    Ok(())
}

#[test]
fn a_list_with_a_lease_outlives_its_file_for_that_long() -> anyhow::Result<()> {
    let site = with_list("list.csv", "lease = \"3s\"")?;
    let laptop = &site.lan.laptop;
    csv(&site, &[(&laptop.v4.to_string(), "authorized")])?;
    let gateway = site.start()?;
    wait::until_so("it passes", || laptop.passes(at(SERVER, HTTP)));
    fs::remove_file(site.path("list.csv"))?;
    wait::until_so("it is missed", || list_of(&site)["connected"] == false);
    assert!(laptop.passes(at(SERVER, HTTP)));
    wait::until_so("the lease is over", || !laptop.passes(at(SERVER, HTTP)));
    let row = gateway.host(laptop.v4).unwrap_or_default();
    assert_eq!(row["last_stop_reason"], "lease_expired", "{row}");
    Ok(())
}

/// A gateway whose list authorizes the desktop, which the management server quarantines.
fn with_both(keys: &str) -> anyhow::Result<Site> {
    let site = with_list("list.csv", keys)?;
    csv(&site, &[(&site.lan.desktop.v4.to_string(), "authorized")])?;
    Ok(site)
}

fn quarantine(site: &Site, gateway: &Gateway<'_>) -> anyhow::Result<()> {
    let desktop = &site.lan.desktop;
    wait::until_so("it passes by the list", || desktop.passes(at(SERVER, HTTP)));
    site.report(desktop, &Posture::bad("desktop"))?;
    wait::until_so("the server is heard", || {
        gateway.counted("enforcer_source_decisions", &[("source", "management")]) == 1
    });
    Ok(())
}

#[test]
fn the_strictest_source_counts_unless_one_has_priority() -> anyhow::Result<()> {
    let site = with_both("")?;
    let gateway = site.start()?;
    quarantine(&site, &gateway)?;
    let desktop = &site.lan.desktop;
    wait::until_so("the strictest counts", || {
        gateway.role(desktop.v4) == "quarantine"
    });
    assert!(!desktop.passes(at(SERVER, HTTP)));
    // The operator counts more than both.
    site.control(&["allow", &desktop.v4.to_string(), "--reason", "a new disk"])?;
    assert!(desktop.passes(at(SERVER, HTTP)));
    site.control(&["release", &desktop.v4.to_string(), "--reason", "mended"])?;
    assert_eq!(gateway.role(desktop.v4), "quarantine");
    assert!(gateway.stop()?.success());

    let path = site.path("list.csv");
    site.configure(&Config {
        sections: format!(
            "[[source.file]]\nname = \"printers\"\npath = \"{}\"\npriority = 1\n",
            path.display()
        ),
        ..Config::default()
    })?;
    let gateway = site.start()?;
    wait::until_so("the list counts more", || {
        gateway.role(desktop.v4) == "authorized"
    });
    assert!(desktop.passes(at(SERVER, HTTP)));
    Ok(())
}

#[test]
fn a_list_that_shrinks_much_is_read_twice() -> anyhow::Result<()> {
    let site = with_list("list.csv", "")?;
    let addresses: Vec<_> = (50..90).map(|last| format!("192.0.2.{last}")).collect();
    let rows: Vec<_> = addresses.iter().map(|one| (&**one, "denied")).collect();
    csv(&site, &rows)?;
    let gateway = site.start()?;
    wait::until_so("all are decided", || list_of(&site)["decisions"] == 40);
    csv(&site, &rows[..5])?;
    wait::until_so("it is held", || list_of(&site)["held_back"] == 1);
    assert_eq!(list_of(&site)["decisions"], 40);
    assert!(gateway.has_logged("held, and asked for again"));
    wait::until_so("it said so twice", || list_of(&site)["decisions"] == 5);
    Ok(())
}

#[test]
fn a_list_may_name_a_role_as_soon_as_there_is_one() -> anyhow::Result<()> {
    let site = with_list("list.csv", "")?;
    let laptop = &site.lan.laptop;
    let address = laptop.v4.to_string();
    csv(&site, &[(&address, "denied")])?;
    let gateway = site.start()?;
    wait::until_so("it is decided", || gateway.role(laptop.v4) == "denied");
    csv(&site, &[(&address, "machines")])?;
    wait::until_so("it is refused", || {
        let error = list_of(&site)["last_error"].to_string();
        error.contains("there is no role `machines`")
    });
    configure(&site, "list.csv", "[role.machines]\ndefault = \"allow\"\n")?;
    site.control(&["reload"])?;
    wait::until_so("it is decided", || gateway.role(laptop.v4) == "machines");
    assert!(laptop.passes(at(SERVER, HTTP)));
    assert_eq!(list_of(&site)["last_error"], Value::Null);
    // The role is in use: without it nobody would know what becomes of the host.
    configure(&site, "list.csv", "")?;
    let refused = site.operator(&["reload"]).output()?;
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("it lacks the role `machines`"), "{error}");
    // A list that the gateway does not follow yet is for a restart.
    let list = site.path("list.csv");
    let other = format!(
        "[[source.file]]\nname = \"phones\"\npath = \"{}\"\n[role.machines]\n",
        list.display()
    );
    configure(&site, "list.csv", &other)?;
    let refused = site.operator(&["reload"]).output()?;
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(
        error.contains("only a restart can change: source"),
        "{error}"
    );
    Ok(())
}
