//! What can be wrong with an alert.

use std::{borrow::Cow, io, path::PathBuf, time::Duration};

use lettre::address::AddressError;

use super::super::{super::AlertKind, Severity};

/// What is wrong with an alert.
#[derive(Debug, thiserror::Error)]
pub enum AlertFault {
    /// Not a name.
    #[error("`{name}` cannot be the name of an alert")]
    Name {
        /// The name.
        name: String,
    },
    /// Named twice.
    #[error("there is an alert `{name}` already")]
    Twice {
        /// The name.
        name: String,
    },
    /// More than there is room for.
    #[error("{count} alerts are named, of which {most} have room")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// A key that the kind needs.
    #[error("`{key}` is missing for an alert by {kind}")]
    Missing {
        /// The kind.
        kind: AlertKind,
        /// The key.
        key: &'static str,
    },
    /// A key of another kind.
    #[error("`{key}` means nothing for an alert by {kind}")]
    Foreign {
        /// The kind.
        kind: AlertKind,
        /// The key.
        key: &'static str,
    },
    /// Nothing may be sent.
    #[error("with `per_minute = 0` nobody would be told")]
    NoRate,
    /// A role of which no alert comes.
    #[error(
        "hosts of the role `{role}` are not tracked by `alert`, so nothing would be told of them"
    )]
    Untracked {
        /// Its name.
        role: String,
    },
    /// Not a name of a mail server.
    #[error("`{server}` is no mail server")]
    Server {
        /// What is written.
        server: String,
    },
    /// Nobody to send mail to.
    #[error("the list of recipients is empty, so nobody would be told")]
    NoRecipient,
    /// Not a mail address.
    #[error("`{text}` is no mail address: {cause}")]
    Address {
        /// What is written.
        text: String,
        /// What is wrong with it.
        cause: AddressError,
    },
    /// A password that everybody on the way reads.
    #[error("with `tls = \"none\"` the password goes to the mail server for everybody to read")]
    OpenPassword,
    /// A secret where it does not belong.
    #[error("the URL has a user or a password in it, and a configuration is no place for secrets")]
    SecretInUrl,
    /// No time, or too much.
    #[error("a command cannot have {limit:?}")]
    Limit {
        /// The limit.
        limit: Duration,
    },
    /// A file that cannot be used now.
    #[error("cannot read {} now: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// A program that cannot be run now.
    #[error("cannot run {} now: {cause}", path.display())]
    Program {
        /// The program.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Nobody to run a command as.
    #[error("this machine has no user `{name}`")]
    User {
        /// The name.
        name: String,
    },
}

impl AlertFault {
    /// Whether it keeps the configuration from being used.
    pub(in super::super) const fn severity(&self) -> Severity {
        match self {
            Self::Untracked { .. }
            | Self::OpenPassword
            | Self::File { .. }
            | Self::Program { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What to do about it.
    pub(in super::super) fn remedy(&self) -> Cow<'static, str> {
        match self {
            Self::Name { .. } => "use 1 to 32 letters, digits, `-` and `_`, without spaces".into(),
            Self::Twice { .. } => "give one of them another name".into(),
            Self::TooMany { .. } => "have one receiver pass them on".into(),
            Self::Missing { key, .. } => format!("add `{key} = {}`", example(key)).into(),
            Self::Foreign { .. } => "remove it, or correct `kind`".into(),
            Self::NoRate => "write a number from 1 on; without the key it is 60".into(),
            Self::Untracked { role } => {
                format!("add `track = \"alert\"` to [role.{role}], or remove it here").into()
            }
            Self::Server { .. } => {
                "write its name or address alone, such as \"mail.example.com\", and the port as `port`"
                    .into()
            }
            Self::NoRecipient => "name mail addresses, such as `to = [\"help@example.com\"]`".into(),
            Self::Address { .. } => {
                "write one such as \"help@example.com\" or \"Help desk <help@example.com>\"".into()
            }
            Self::OpenPassword => "use \"starttls\" or \"tls\"".into(),
            Self::SecretInUrl => {
                "remove it: the receiver knows the gateway by the signature with the key in `key_file`"
                    .into()
            }
            Self::Limit { .. } => "write a time from \"100ms\" to \"10m\"; \"10s\" is usual".into(),
            Self::File { .. } => {
                "create it, or correct the path: nothing is sent until then, and what comes up is kept"
                    .into()
            }
            Self::Program { .. } => {
                "put it there and make it executable, or correct the path: nobody is told by it until then"
                    .into()
            }
            Self::User { .. } => {
                "name a user that exists, or remove the key: then it is the one of `[user]`".into()
            }
        }
    }
}

/// What may stand behind a key.
fn example(key: &str) -> &'static str {
    match key {
        "server" => "\"mail.example.com\"",
        "from" => "\"enforcer@example.com\"",
        "login" => "\"enforcer\"",
        "password_file" => "\"/etc/enforcer/mail.password\"",
        "url" => "\"https://alerts.example.com/\"",
        "key_file" => "\"/etc/enforcer/webhook.key\"",
        _ => "[\"/usr/local/bin/tell\"]",
    }
}
