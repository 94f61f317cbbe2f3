use std::path::Path;

use super::*;
use crate::config::check::{self, Finding};

fn findings(text: &str) -> Vec<Finding> {
    let text = format!("[[interface]]\nname = \"lan0\"\n{text}");
    let config = Config::parse(Path::new("e.toml"), &text).expect("a configuration");
    check::check(&config, None)
}

const MAIL: &str =
    "[[alert]]\nname = 'a'\nkind = 'mail'\nserver = 'mail.example.com'\nfrom = 'a@example.com'\n";
const HOOK: &str = "[[alert]]\nname = 'b'\nkind = 'webhook'\nkey_file = '/k'\n";
const COMMAND: &str = "[[alert]]\nname = 'c'\nkind = 'command'\n";

#[test]
fn each_mistake_is_named_with_line_and_remedy() {
    let to = "to = ['b@example.com']\n";
    let url = "url = 'https://example.com/'\n";
    let run = "command = ['/bin/true']\n";
    for (text, expected) in [
        (
            format!("{MAIL}{to}roles = ['quarantin']"),
            "line 9, alert[0].roles[0]: there is no role `quarantin`; did you mean `quarantine`?",
        ),
        (
            format!("{MAIL}{to}roles = ['authorized']"),
            "line 9, alert[0].roles[0]: hosts of the role `authorized` are not tracked by `alert`, so nothing would be told \
             of them; add `track = \"alert\"` to [role.authorized], or remove it here",
        ),
        (
            format!("{MAIL}to = []"),
            "line 8, alert[0].to: the list of recipients is empty, so nobody would be told; name mail addresses, such as \
             `to = [\"help@example.com\"]`",
        ),
        (
            format!("{MAIL}to = ['b@example.com', 'help desk']"),
            "line 8, alert[0].to[1]: `help desk` is no mail address: ",
        ),
        (
            format!("{MAIL}{to}login = 'x'"),
            "line 9, alert[0].login: `password_file` is missing for an alert by mail; add `password_file = \
             \"/etc/enforcer/mail.password\"`",
        ),
        (
            format!("{MAIL}{to}tls = 'none'\nlogin = 'x'\npassword_file = '/p'"),
            "line 9, alert[0].tls: with `tls = \"none\"` the password goes to the mail server for everybody to read",
        ),
        (
            format!("{MAIL}{to}{url}"),
            "line 9, alert[0].url: `url` means nothing for an alert by mail; remove it, or correct `kind`",
        ),
        (
            format!("{MAIL}{to}per_minute = 0"),
            "line 9, alert[0].per_minute: with `per_minute = 0` nobody would be told",
        ),
        (
            MAIL.replace("mail.example.com", "mail.example.com:25") + to,
            "line 6, alert[0].server: `mail.example.com:25` is no mail server",
        ),
        (
            format!("{MAIL}{to}{MAIL}{to}"),
            "line 10, alert[1].name: there is an alert `a` already",
        ),
        (
            MAIL.replace("'a'", "'../a'") + to,
            "line 4, alert[0].name: `../a` cannot be the name of an alert",
        ),
        (
            HOOK.to_owned(),
            "line 3, alert[0].url: `url` is missing for an alert by webhook",
        ),
        (
            format!("{HOOK}url = 'https://a:b@example.com/'"),
            "line 7, alert[0].url: the URL has a user or a password in it",
        ),
        (
            COMMAND.to_owned(),
            "line 3, alert[0].command: `command` is missing for an alert by command",
        ),
        (
            format!("{COMMAND}command = ['tell']"),
            "line 6, alert[0].command: `tell` is a relative path",
        ),
        (
            format!("{COMMAND}{run}limit = '1h'"),
            "line 7, alert[0].limit: a command cannot have 3600s",
        ),
    ] {
        let found: Vec<_> = findings(&text).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(expected), "{expected}\n{found:?}");
    }
}

#[test]
fn what_is_whole_is_no_mistake() {
    let texts = [
        format!("{MAIL}to = ['Help <b@example.com>']\nlogin = 'x'\npassword_file = '/p'"),
        format!("{HOOK}url = 'http://127.0.0.1:9000/x'\nreasons = ['firewall']"),
        format!("{COMMAND}command = ['/bin/true', 'x']\nlimit = '1s'\nuser = 'nobody'"),
        "[role.guests]\ndefault = 'deny'\ntrack = 'alert'\n".to_owned()
            + MAIL
            + "to = ['b@example.com']\nroles = ['guests']",
    ];
    for text in &texts {
        assert!(findings(text).is_empty(), "{text}: {:?}", findings(text));
    }
}

#[test]
fn a_url_that_is_none_is_refused_in_its_place() {
    let text = format!("{HOOK}url = 'siem.example.com'");
    let error = Config::parse(Path::new("e.toml"), &text).expect_err("no URL");
    assert!(
        error
            .to_string()
            .starts_with("e.toml:5:7: `alert[0].url`: `siem.example.com` is no URL"),
        "{error}"
    );
}

#[test]
fn what_is_not_there_now_is_said_and_stops_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    let text = format!(
        "[[alert]]\nname = 'a'\nkind = 'webhook'\nurl = 'https://example.com/'\nkey_file = {key:?}\n\
         {COMMAND}command = ['/nonexistent/tell']\nuser = 'no such one'\n"
    );
    let config = Config::parse(Path::new("e.toml"), &text).expect("a configuration");
    let check = || {
        let places = crate::config::Places::default();
        let mut findings = Findings::new(&places);
        check_machine(&config, &mut findings);
        let list = findings.list.into_iter();
        list.map(|finding| (finding.key.clone(), finding.is_error()))
            .collect::<Vec<_>>()
    };
    let finding = |key: &str, is_error| (key.to_owned(), is_error);
    let user = finding("alert[1].user", true);
    assert_eq!(
        check(),
        [
            finding("alert[0].key_file", false),
            finding("alert[1].command", false),
            user.clone()
        ]
    );
    fs::write(&key, "secret").expect("a file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("open to all");
    assert_eq!(check()[0], finding("alert[0].key_file", true));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("closed");
    assert_eq!(check(), [finding("alert[1].command", false), user]);
}
