//! Alerts by mail, to a real mail server.

use enforcer_tests::{
    certificate::Certificate,
    mail::{LOGIN, MailServer, PASSWORD, PLAIN, REFUSED, STARTTLS, TLS},
    posture::Posture,
    site::Site,
    wait,
};

use crate::place::{configure, secret, view};

fn section(name: &str, port: u16, tls: &str, to: &str, keys: &str) -> String {
    format!(
        "[[alert]]\nname = \"{name}\"\nkind = \"mail\"\nserver = \"127.0.0.1\"\nport = {port}\ntls = \"{tls}\"\n\
         from = \"Gateway <enforcer@example.com>\"\nto = [\"{to}\"]\n{keys}\n"
    )
}

const HELP: &str = "Help desk <help@example.com>";

#[test]
fn a_host_that_falls_to_quarantine_is_told_by_mail_however_that_is_encrypted() -> anyhow::Result<()>
{
    let site = Site::new()?;
    let certificate = Certificate::make(&site, "mail", "127.0.0.1".parse()?)?;
    let other = Certificate::make(&site, "other", "127.0.0.1".parse()?)?;
    let server = MailServer::start(&site, &certificate)?;
    let password = secret(&site, "mail.password", PASSWORD)?;
    let wrong = secret(&site, "wrong.password", "letmein")?;
    let ca = format!("ca_file = \"{}\"\n", certificate.file.display());
    let login = |file: &str| format!("{ca}login = \"{LOGIN}\"\npassword_file = \"{file}\"\n");
    configure(
        &site,
        &[
            section("plain", PLAIN, "none", HELP, ""),
            section("starttls", STARTTLS, "starttls", HELP, &login(&password)),
            section("tls", TLS, "tls", HELP, &ca),
            section(
                "stranger",
                TLS,
                "tls",
                HELP,
                &format!("ca_file = \"{}\"\n", other.file.display()),
            ),
            section("burglar", STARTTLS, "starttls", HELP, &login(&wrong)),
            section("no-tls", PLAIN, "starttls", HELP, &ca),
            section("refused", PLAIN, "none", REFUSED, ""),
        ]
        .concat(),
    )?;
    let gateway = site.start()?;
    assert_eq!(
        site.report(&site.lan.laptop, &Posture::bad("laptop"))?,
        "quarantine"
    );
    let mails = wait::until("the mails arrive", || {
        let mails = server.mails();
        (mails.len() >= 3).then_some(mails)
    });
    for (way, login) in [("plain", false), ("starttls", true), ("tls", false)] {
        let mut of_way = mails.iter().filter(|mail| mail["way"] == way);
        let mail = of_way.next().unwrap_or_else(|| panic!("{way}: {mails:?}"));
        assert_eq!(of_way.count(), 0, "{way} came twice");
        assert_eq!(mail["encrypted"], way != "plain", "{way}");
        assert_eq!(mail["login"], login, "{way}");
        assert_eq!(mail["from"], "enforcer@example.com");
        assert_eq!(mail["to"][0], "help@example.com");
        let content = mail["content"].as_str().unwrap_or_default();
        for part in [
            "laptop (192.0.2.11) is quarantine",
            "event: decision",
            "role: quarantine",
            "host: 192.0.2.11",
            "owner: ada",
            "reasons: firewall",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(content.contains(part), "{part}: {content}");
        }
    }
    // Whoever is not trusted, or does not encrypt, is told nothing; the log and `status` say why.
    for (name, why) in [
        ("stranger", "certificate"),
        ("burglar", "535"),
        ("no-tls", "STARTTLS"),
        ("refused", "550"),
    ] {
        let failed = wait::until(format!("{name} has failed"), || {
            let view = view(&site, name);
            view["last_failure"]["message"]
                .as_str()
                .map(ToOwned::to_owned)
        });
        assert!(
            failed.to_lowercase().contains(&why.to_lowercase()),
            "{name}: {failed}"
        );
        let view = view(&site, name);
        assert_eq!(view["sent"], 0, "{view}");
        // What can be mended waits; what cannot is given up.
        let waits = u64::from(name != "refused");
        assert_eq!(view["waiting"], waits, "{view}");
        assert_eq!(view["given_up"], 1 - waits, "{view}");
    }
    assert_eq!(server.mails().len(), 3);
    let shown = site
        .control(&["config", "show", "--effective"])?
        .to_string();
    for secret in [PASSWORD, "letmein"] {
        assert!(!gateway.has_logged(secret));
        assert!(!shown.contains(secret));
    }
    assert_eq!(
        gateway.counted("enforcer_alerts_sent_total", &[("kind", "mail")]),
        3
    );
    assert_eq!(
        gateway.counted("enforcer_alerts_spooled", &[("kind", "mail")]),
        3
    );
    Ok(())
}

#[test]
fn mail_waits_for_its_server() -> anyhow::Result<()> {
    let site = Site::new()?;
    let certificate = Certificate::make(&site, "mail", "127.0.0.1".parse()?)?;
    configure(&site, &section("plain", PLAIN, "none", HELP, ""))?;
    let gateway = site.start()?;
    site.report(&site.lan.laptop, &Posture::bad("laptop"))?;
    wait::until_so("it waits", || view(&site, "plain")["waiting"] == 1);
    gateway.kill()?;
    let server = MailServer::start(&site, &certificate)?;
    let _gateway = site.start()?;
    wait::until_so("it arrives", || !server.mails().is_empty());
    wait::until_so("none waits", || view(&site, "plain")["waiting"] == 0);
    assert_eq!(server.mails().len(), 1);
    Ok(())
}
