//! Alerts as mail.

use std::{fmt::Write, fs, path::Path, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::header::{ContentType, HeaderName, HeaderValue},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
        extension::ClientId,
    },
};
use tokio::time::timeout;

use super::{Alert, Event, failure::Failure, secret::Secret};
use crate::config::{Mail, MailTls};

/// How long the server may take for each answer, and for all of it.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(30);

/// Hands a mail over to the server. It arrived when the server took it.
pub(super) async fn send(mail: &Mail, alert: &Alert) -> Result<(), Failure> {
    let message = message(mail, alert)?;
    let tls = match mail.tls {
        MailTls::None => Tls::None,
        MailTls::Starttls => Tls::Required(parameters(mail)?),
        MailTls::Tls => Tls::Wrapper(parameters(mail)?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.server)
        .port(mail.port)
        .tls(tls)
        .hello_name(ClientId::Domain(alert.gateway.clone()))
        .timeout(Some(ANSWER_LIMIT));
    let builder = match &mail.login {
        None => builder,
        Some((name, password)) => {
            let password = Secret::read(password)?.reveal().to_owned();
            builder.credentials(Credentials::new(name.clone(), password))
        }
    };
    let transport: AsyncSmtpTransport<Tokio1Executor> = builder.build();
    match timeout(LIMIT, transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(cause)) => Err(failed(mail, cause)),
        Err(_) => Err(Failure::Slow {
            to: format!("the mail server {}", mail.server),
            limit: LIMIT,
        }),
    }
}

fn failed(mail: &Mail, cause: lettre::transport::smtp::Error) -> Failure {
    Failure::Mail {
        server: mail.server.clone(),
        cause,
    }
}

fn parameters(mail: &Mail) -> Result<TlsParameters, Failure> {
    let mut builder = TlsParameters::builder(mail.server.clone());
    if let Some(path) = &mail.ca_file {
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificates(path)?);
    }
    builder.build_rustls().map_err(|cause| failed(mail, cause))
}

fn certificates(path: &Path) -> Result<Certificate, Failure> {
    let failed = |cause| Failure::Certificates {
        path: path.to_owned(),
        cause,
    };
    let pem = fs::read(path).map_err(|error| failed(error.into()))?;
    Certificate::from_pem(&pem).map_err(|error| failed(error.into()))
}

fn message(mail: &Mail, alert: &Alert) -> Result<Message, Failure> {
    let mut builder = Message::builder()
        .from(mail.from.clone())
        // The same whenever it is sent again: servers know it by that.
        .message_id(Some(format!("<{}@{}>", alert.id, alert.gateway)))
        .date(alert.time.into())
        .subject(subject(alert))
        .header(ContentType::TEXT_PLAIN)
        // Nobody's machine is to answer (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in &mail.to {
        builder = builder.to(to.clone());
    }
    Ok(builder.body(text(alert))?)
}

fn subject(alert: &Alert) -> String {
    let gateway = &alert.gateway;
    let role = alert.role.as_deref().unwrap_or_default();
    let host = alert.host.map_or(String::new(), |host| host.to_string());
    let host = match &alert.endpoint {
        Some(endpoint) => format!("{endpoint} ({host})"),
        None => host,
    };
    match alert.event {
        Event::Decision => format!("[{gateway}] {host} is {role}"),
        Event::Stop => format!("[{gateway}] {host} was stopped as {role}"),
        Event::Summary => format!("[{gateway}] {} more alerts", alert.count.unwrap_or(0)),
        Event::Test => format!("[{gateway}] a test"),
    }
}

/// The sentence, and below it the fields.
fn text(alert: &Alert) -> String {
    let mut text = format!("{}\n\n", alert.message);
    for (name, value) in alert.fields() {
        if name != "message" {
            let _infallible = writeln!(text, "{name}: {value}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::alert::tests::alert, *};

    #[test]
    fn nobody_writes_headers_through_a_name() {
        let mail = Mail {
            server: "mail.example.com".to_owned(),
            port: 587,
            tls: MailTls::Starttls,
            from: "enforcer@example.com".parse().expect("an address"),
            to: vec!["Help desk <help@example.com>".parse().expect("an address")],
            login: None,
            ca_file: None,
        };
        let alert = alert("quarantine");
        let message = message(&mail, &alert).expect("a message");
        let recipients = message.envelope().to();
        assert_eq!(recipients.len(), 1, "{recipients:?}");
        let text = String::from_utf8(message.formatted()).expect("text");
        let (head, _) = text.split_once("\r\n\r\n").expect("a head");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        let id = format!("Message-ID: <{}@", alert.id);
        for part in ["Auto-Submitted: auto-generated", &id] {
            assert!(head.contains(part), "{part}: {head}");
        }
    }
}
