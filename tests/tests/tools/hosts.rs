//! `enforcer hosts`.

use enforcer_tests::{
    config::Config,
    follow::Following,
    host::SILENCE,
    lan::{SERVER, at},
    posture::Posture,
    servers::{ECHO, HTTP},
    site::Site,
    wait,
};
use serde_json::Value;

fn addresses(list: &Value) -> Vec<String> {
    let hosts = list["hosts"].as_array().expect("hosts");
    let address = |host: &Value| host["address"].as_str().expect("an address").to_owned();
    hosts.iter().map(address).collect()
}

#[test]
fn hosts_are_listed_by_how_they_stand() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let (good, stranger) = (&site.lan.laptop, &site.lan.desktop);
    site.report(good, &Posture::good("laptop"))?;
    wait::until_so("it passes", || good.passes(at(SERVER, HTTP)));
    assert!(!stranger.echoes(at(SERVER, ECHO), SILENCE));
    wait::until_so("it is known to be unknown", || {
        gateway.role(stranger.v4) == "unknown"
    });
    site.control(&["deny", "192.0.2.77", "--reason", "was stolen"])?;

    let (good, stranger) = (good.v4.to_string(), stranger.v4.to_string());
    for (status, expected) in [
        ("authorized", good.as_str()),
        ("no-client", stranger.as_str()),
        ("unauthorized", "192.0.2.77"),
    ] {
        let list = site.control(&["hosts", "--status", status])?;
        let v4: Vec<_> = addresses(&list)
            .into_iter()
            .filter(|one| !one.contains(':'))
            .collect();
        assert_eq!(v4, [expected], "{status}");
    }
    let monitored = site.control(&["hosts", "--status", "monitor"])?;
    assert_eq!(monitored["total"], 0);
    let all = site.control(&["hosts"])?;
    assert_eq!(all["by_status"]["unauthorized"], 1);
    assert_eq!(all["by_interface"]["lan0"]["unauthorized"], 1);
    assert_eq!(all["total"], addresses(&all).len());

    for (words, expected) in [
        (["--reason", "STOLEN"], "192.0.2.77"),
        (["--find", "ada"], &good),
        (["--role", "denied"], "192.0.2.77"),
    ] {
        let list = site.control(&[&["hosts"][..], &words].concat())?;
        assert_eq!(addresses(&list), [expected], "{words:?}");
    }
    let by_role = site.control(&["hosts", "--sort", "role", "--reverse"])?;
    assert_eq!(addresses(&by_role).last(), Some(&good));

    // In monitor mode the known one would be stopped, and of the other nothing is known all the same.
    site.control(&["mode", "monitor"])?;
    let monitored = site.control(&["hosts", "--status", "monitor"])?;
    assert_eq!(addresses(&monitored), ["192.0.2.77"]);
    assert_eq!(
        site.control(&["hosts", "--status", "unauthorized"])?["total"],
        0
    );
    assert!(addresses(&site.control(&["hosts", "--status", "no-client"])?).contains(&stranger));
    Ok(())
}

#[test]
fn lists_are_for_people_programs_and_spreadsheets() -> anyhow::Result<()> {
    let site = Site::new()?;
    let _gateway = site.start()?;
    for last in 1..=5 {
        let address = format!("192.0.2.{}", 200 + last);
        site.control(&["allow", &address, "--reason", "=a printer, upstairs"])?;
    }
    let csv = site.operator(&["hosts", "--csv"]).output()?;
    let csv = String::from_utf8(csv.stdout)?;
    let mut lines = csv.lines();
    let head = lines.next().expect("a head");
    assert!(
        head.starts_with("address,zone,interface,status,role,"),
        "{head}"
    );
    let first = lines.next().expect("a row");
    assert!(
        first.starts_with("192.0.2.201,lan,lan0,authorized,authorized,operator,"),
        "{first}"
    );
    assert!(first.contains("\"'=a printer, upstairs\""), "{first}");
    assert_eq!(lines.count(), 4);

    // Part by part, and no host twice.
    let first = site.control(&["hosts", "--limit", "2"])?;
    assert_eq!(addresses(&first), ["192.0.2.201", "192.0.2.202"]);
    assert_eq!(
        (&first["total"], &first["by_status"]["authorized"]),
        (&5.into(), &5.into())
    );
    let next = format!(
        "{}%lan",
        first["next"]["address"].as_str().expect("a place")
    );
    let rest = site.control(&["hosts", "--after", &next])?;
    assert_eq!(
        addresses(&rest),
        ["192.0.2.203", "192.0.2.204", "192.0.2.205"]
    );
    assert!(rest.get("next").is_none());
    let text = site.operator(&["hosts", "--limit", "2"]).output()?;
    let text = String::from_utf8(text.stdout)?;
    assert!(
        text.contains("go on with --after 192.0.2.202%lan"),
        "{text}"
    );
    let counted = site.control(&["hosts", "--limit", "0"])?;
    assert_eq!(
        (counted["total"].as_u64(), addresses(&counted).len()),
        (Some(5), 0)
    );
    Ok(())
}

#[test]
fn what_makes_no_sense_is_refused() -> anyhow::Result<()> {
    let site = Site::new()?;
    let _gateway = site.start()?;
    for (words, code, said) in [
        (
            &["hosts", "--status", "bad"][..],
            2,
            "authorized, unauthorized, no-client, monitor",
        ),
        (&["hosts", "--sort", "colour"], 2, "stopped"),
        (&["hosts", "--reverse"], 2, "--sort"),
        (&["hosts", "--after", "192.0.2.1"], 2, "192.0.2.5%lan"),
        (&["hosts", "--csv", "--json"], 2, "cannot be used with"),
        (&["hosts", "--limit", "few"], 2, "--limit"),
        (
            &["hosts", "--role", "nobody"],
            3,
            "there is no role `nobody`",
        ),
        (&["hosts", "--zone", "moon"], 3, "there is no zone `moon`"),
        (
            &["hosts", "--zone", "moon", "--csv"],
            3,
            "there is no zone `moon`",
        ),
        (
            &["hosts", "--after", "192.0.2.1%moon"],
            3,
            "there is no zone `moon`",
        ),
    ] {
        let done = site.operator(words).output()?;
        let error = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{words:?}: {error}");
        assert!(error.contains(said), "{words:?}: {error}");
        assert!(done.stdout.is_empty(), "{words:?}");
    }
    Ok(())
}

#[test]
fn changes_are_shown_as_they_come() -> anyhow::Result<()> {
    let site = Site::with(&Config::default())?;
    let _gateway = site.start()?;
    site.control(&["allow", "192.0.2.201", "--reason", "a printer"])?;
    let watch = Following::start(site.operator(&["hosts", "--watch", "--json"]))?;
    let line = |change: &str, address: &str, role: &str| {
        watch.object(&format!("{change} {address}"), |line| {
            line["change"] == change
                && line["host"]["address"] == address
                && line["host"]["role"] == role
        })
    };
    line("added", "192.0.2.201", "authorized");
    site.control(&["deny", "192.0.2.201", "--reason", "out of paper"])?;
    line("changed", "192.0.2.201", "denied");
    site.control(&["allow", "192.0.2.202", "--reason", "another"])?;
    line("added", "192.0.2.202", "authorized");
    site.control(&["release", "192.0.2.201", "--reason", "mended"])?;
    line("removed", "192.0.2.201", "denied");
    Ok(())
}
