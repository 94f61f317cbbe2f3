//! Whom the gateway tells of what is tracked, and how.

use std::{fmt, path::PathBuf, time::Duration};

use lettre::message::Mailbox;
use reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value;

/// How many alerts a minute are told one by one, where the configuration does not say it.
const PER_MINUTE: u32 = 60;

/// How long a command may run, where the configuration does not say it.
const LIMIT: Duration = Duration::from_secs(10);

/// `[[alert]]`: somebody to be told. Each kind has keys of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AlertEntry {
    /// Its name, for operators.
    pub name: String,
    /// How it is told.
    pub kind: AlertKind,
    /// Only of these roles; none named: of all that are tracked by `alert`.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Only with one of these reasons: rules of the policy that fail, or why packets were stopped.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// How many a minute one by one; the rest is one summary.
    #[serde(default = "per_minute")]
    pub per_minute: u32,
    /// Mail: the server that takes it.
    pub server: Option<String>,
    /// Mail: its port.
    pub port: Option<u16>,
    /// Mail: how the connection to it is encrypted.
    pub tls: Option<MailTls>,
    /// Mail: the sender.
    pub from: Option<String>,
    /// Mail: the recipients.
    #[serde(default)]
    pub to: Vec<String>,
    /// Mail: the name by which the server knows the gateway.
    pub login: Option<String>,
    /// Mail: the file with the password for it.
    pub password_file: Option<PathBuf>,
    /// Webhook: where it is sent.
    #[serde(
        default,
        deserialize_with = "value::url",
        serialize_with = "value::write_url"
    )]
    pub url: Option<Url>,
    /// Webhook: the file with the key that it is signed with.
    pub key_file: Option<PathBuf>,
    /// Mail and webhook: the certificates that the server's has to come from, instead of those of this machine.
    pub ca_file: Option<PathBuf>,
    /// Command: the program, and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// Command: how long it may run.
    #[serde(
        default,
        deserialize_with = "limit",
        serialize_with = "write_limit",
        skip_serializing_if = "Option::is_none"
    )]
    pub limit: Option<Duration>,
    /// Command: whom it runs as.
    pub user: Option<String>,
}

const fn per_minute() -> u32 {
    PER_MINUTE
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    value::duration(deserializer).map(Some)
}

#[expect(clippy::ref_option, reason = "serde hands out the field as it is")]
fn write_limit<S: Serializer>(limit: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    value::write_duration(&limit.unwrap_or(LIMIT), serializer)
}

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertKind {
    /// By mail.
    Mail,
    /// By an HTTP request.
    Webhook,
    /// By a program on this machine.
    Command,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// From the server's greeting on.
    #[default]
    Starttls,
    /// From the beginning.
    Tls,
    /// Not at all.
    None,
}

/// How somebody is told, with all that is needed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By mail.
    Mail(Mail),
    /// By an HTTP request.
    Webhook(Webhook),
    /// By a program on this machine.
    Command(Command),
}

/// Mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The server that takes it.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection to it is encrypted.
    pub tls: MailTls,
    /// The sender.
    pub from: Mailbox,
    /// The recipients.
    pub to: Vec<Mailbox>,
    /// The name by which the server knows the gateway, and the file with the password.
    pub login: Option<(String, PathBuf)>,
    /// The certificates that the server's has to come from.
    pub ca_file: Option<PathBuf>,
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where it is sent.
    pub url: Url,
    /// The file with the key that it is signed with.
    pub key_file: PathBuf,
    /// The certificates that the server's has to come from.
    pub ca_file: Option<PathBuf>,
}

/// A program on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// How long it may run.
    pub limit: Duration,
    /// Whom it runs as; absent: as the gateway's children do.
    pub user: Option<String>,
}

impl AlertKind {
    /// Every kind, with its word.
    pub const ALL: [(Self, &str); 3] = [
        (Self::Mail, "mail"),
        (Self::Webhook, "webhook"),
        (Self::Command, "command"),
    ];
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(kind, _)| kind == self);
        f.write_str(word.map_or("", |(_, word)| word))
    }
}

impl AlertEntry {
    /// The way that it names; `None` when something is missing for it, which the check refuses.
    pub fn way(&self) -> Option<Way> {
        match self.kind {
            AlertKind::Mail => self.mail().map(Way::Mail),
            AlertKind::Webhook => self.webhook().map(Way::Webhook),
            AlertKind::Command => self.program().map(Way::Command),
        }
    }

    fn mail(&self) -> Option<Mail> {
        let tls = self.tls.unwrap_or_default();
        let to = self.to.iter().map(|one| one.parse());
        Some(Mail {
            server: self.server.clone()?,
            port: self.port.unwrap_or(match tls {
                MailTls::Starttls => 587,
                MailTls::Tls => 465,
                MailTls::None => 25,
            }),
            tls,
            from: self.from.as_ref()?.parse().ok()?,
            to: to.collect::<Result<_, _>>().ok()?,
            login: self.login.clone().zip(self.password_file.clone()),
            ca_file: self.ca_file.clone(),
        })
    }

    fn webhook(&self) -> Option<Webhook> {
        Some(Webhook {
            url: self.url.clone()?,
            key_file: self.key_file.clone()?,
            ca_file: self.ca_file.clone(),
        })
    }

    fn program(&self) -> Option<Command> {
        let (program, arguments) = self.command.split_first()?;
        Some(Command {
            program: program.into(),
            arguments: arguments.to_vec(),
            limit: self.limit.unwrap_or(LIMIT),
            user: self.user.clone(),
        })
    }

    /// The keys that only some kinds have, with whether they are there.
    pub(super) fn own_keys(&self) -> [(&'static str, bool, &'static [AlertKind]); 13] {
        use AlertKind::{Command, Mail, Webhook};
        [
            ("server", self.server.is_some(), &[Mail]),
            ("port", self.port.is_some(), &[Mail]),
            ("tls", self.tls.is_some(), &[Mail]),
            ("from", self.from.is_some(), &[Mail]),
            ("to", !self.to.is_empty(), &[Mail]),
            ("login", self.login.is_some(), &[Mail]),
            ("password_file", self.password_file.is_some(), &[Mail]),
            ("url", self.url.is_some(), &[Webhook]),
            ("key_file", self.key_file.is_some(), &[Webhook]),
            ("ca_file", self.ca_file.is_some(), &[Mail, Webhook]),
            ("command", !self.command.is_empty(), &[Command]),
            ("limit", self.limit.is_some(), &[Command]),
            ("user", self.user.is_some(), &[Command]),
        ]
    }
}
