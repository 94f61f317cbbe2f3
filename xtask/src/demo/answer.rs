//! Asking a web server for a page, and what comes of it.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::wait::patient;

/// The most of a page that is read.
const MAX_PAGE: u64 = 1 << 20;

/// What comes of asking for a page.
#[derive(Debug)]
pub(super) enum Answer {
    /// A whole answer.
    Http(Http),
    /// The connection was refused, or reset.
    Reset,
    /// Nothing within the time.
    Silence,
    /// Something else.
    Failed(io::Error),
}

/// An answer of a web server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Http {
    pub(super) status: u16,
    /// Where it leads to.
    pub(super) location: Option<String>,
    pub(super) body: String,
}

impl Answer {
    /// Whether this is the page that was asked for.
    pub(super) fn is_page(&self) -> bool {
        matches!(self, Self::Http(Http { status: 200, .. }))
    }

    /// The page, if there is one.
    pub(super) fn page(&self) -> Option<&str> {
        match self {
            Self::Http(http) if http.status == 200 => Some(&http.body),
            _ => None,
        }
    }

    /// Where it leads to, if elsewhere.
    pub(super) fn leads_to(&self) -> Option<&str> {
        match self {
            Self::Http(http) if http.status == 302 => http.location.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(Http {
                status,
                location: Some(location),
                ..
            }) => write!(f, "{status} to {location}"),
            Self::Http(Http { status, .. }) => write!(f, "{status}"),
            Self::Reset => f.write_str("a reset"),
            Self::Silence => f.write_str("nothing"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

/// Asks for a page; connecting may take as long as `limit`, and the answer as long again.
pub(super) fn get(server: SocketAddr, path: &str, limit: Duration) -> Answer {
    get_within(server, path, limit, limit)
}

/// Asks for a page, with a limit for connecting and one for what comes after that.
pub(super) fn get_within(
    server: SocketAddr,
    path: &str,
    connecting: Duration,
    answering: Duration,
) -> Answer {
    match exchange(server, path, connecting, answering) {
        Ok(text) => parse(&text).map_or_else(
            || Answer::Failed(io::Error::new(ErrorKind::InvalidData, "no HTTP")),
            Answer::Http,
        ),
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Answer::Reset,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Answer::Silence,
            _ => Answer::Failed(error),
        },
    }
}

/// Opens a connection and asks for a page; what comes is still to be read, each piece within the limit.
pub(super) fn ask(
    server: SocketAddr,
    path: &str,
    connecting: Duration,
    answering: Duration,
) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&server, patient(connecting))?;
    stream.set_write_timeout(Some(patient(answering)))?;
    stream.set_read_timeout(Some(patient(answering)))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

fn exchange(
    server: SocketAddr,
    path: &str,
    connecting: Duration,
    answering: Duration,
) -> io::Result<String> {
    let stream = ask(server, path, connecting, answering)?;
    let mut bytes = Vec::new();
    stream.take(MAX_PAGE).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn parse(text: &str) -> Option<Http> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let location = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_it = name.eq_ignore_ascii_case("location");
        is_it.then(|| value.trim().to_owned())
    });
    Some(Http {
        status,
        location,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let found = "HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1:8480/\r\n\r\ngo";
        let expected = Http {
            status: 302,
            location: Some("http://192.0.2.1:8480/".to_owned()),
            body: "go".to_owned(),
        };
        assert_eq!(parse(found), Some(expected));
        assert_eq!(
            parse("HTTP/1.1 200 OK\r\n\r\n").map(|h| h.status),
            Some(200)
        );
        assert_eq!(parse(""), None);
        assert_eq!(parse("200 OK\r\n\r\n"), None);
    }
}
