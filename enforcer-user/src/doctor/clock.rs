//! Whether the time of this machine is right, and the certificates of it hold.

use std::{fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::parse_x509_certificate;

use super::{Answer, Subject};
use crate::config::Servers;

/// Programs that keep the clock right, as the kernel names processes.
const KEEPERS: [&str; 8] = [
    "chronyd",
    "systemd-timesyn",
    "ntpd",
    "openntpd",
    "ptp4l",
    "phc2sys",
    "timemaster",
    "VBoxService",
];

/// No clock of a machine that works is before this: when the first version was written.
const BEGINNING: i64 = 1_750_000_000;

/// A certificate that ends so soon is to be replaced.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn clock(_: &Subject) -> Vec<Answer> {
    let now = Timestamp::now();
    if now.as_second() < BEGINNING {
        return vec![Answer::fail(
            "",
            format!("it is not {now}: certificates and ends of exceptions cannot be judged"),
            "set the clock (`timedatectl set-time`), and let `chrony` keep it right",
        )];
    }
    vec![match keeper() {
        Some(name) => Answer::ok("", format!("kept right by {name}")),
        None => Answer::warn(
            "",
            "nobody keeps the clock right: leases do not depend on it, ends of exceptions and decisions do",
            "apt install chrony",
        ),
    }]
}

fn keeper() -> Option<String> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut names = processes.filter_map(|one| {
        let name = fs::read_to_string(one.path().join("comm")).ok()?;
        Some(name.trim().to_owned())
    });
    names.find(|name| KEEPERS.contains(&name.as_str()))
}

/// The certificate of the embedded management server, once it has made one.
pub(super) fn certificate(subject: &Subject) -> Vec<Answer> {
    let Ok(Servers::Embedded(_)) = subject.config.management.servers() else {
        return Vec::new();
    };
    let path = subject.config.state_dir.join("server/server.crt");
    if !path.exists() {
        return Vec::new();
    }
    let object = path.display().to_string();
    vec![match end_of(&path) {
        Ok(end) => judge(object, end, Timestamp::now()),
        Err(error) => Answer::fail(object, error, "restore it from a backup"),
    }]
}

fn end_of(path: &Path) -> Result<Timestamp, String> {
    let pem = fs::read(path).map_err(|error| error.to_string())?;
    let der = CertificateDer::from_pem_slice(&pem).map_err(|error| error.to_string())?;
    let (_, certificate) = parse_x509_certificate(&der).map_err(|error| error.to_string())?;
    let end = certificate.validity().not_after.timestamp();
    Timestamp::from_second(end).map_err(|error| error.to_string())
}

fn judge(object: String, end: Timestamp, now: Timestamp) -> Answer {
    let date = end.strftime("%Y-%m-%d");
    let remedy = "move server.crt and server.key aside and restart, and give agents and gateways the new pin";
    if end <= now {
        return Answer::warn(
            object,
            format!("ended on {date}: agents and gateways go by its pin, others refuse it"),
            remedy,
        );
    }
    if end.duration_since(now) < SOON {
        return Answer::warn(object, format!("ends on {date}"), remedy);
    }
    Answer::ok(object, format!("holds until {date}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn the_end_of_a_certificate_is_read_and_judged() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("server.crt");
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(["x".to_owned()]).expect("parameters");
        params.not_after = rcgen::date_time_ymd(2031, 5, 17);
        let made = params.self_signed(&key).expect("a certificate");
        fs::write(&path, made.pem()).expect("a file");
        let end = end_of(&path).expect("an end");
        assert_eq!(end.to_string(), "2031-05-17T00:00:00Z");
        let at = |days: i64| end + SignedDuration::from_hours(days * 24);
        for (now, state) in [
            (at(-31), State::Ok),
            (at(-29), State::Warn),
            (at(1), State::Warn),
        ] {
            assert_eq!(judge(String::new(), end, now).state, state, "{now}");
        }
        fs::write(&path, "no certificate").expect("a file");
        assert!(end_of(&path).is_err());
    }
}
