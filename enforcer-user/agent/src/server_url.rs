//! Where the management server is.

use std::{fmt, str::FromStr};

use reqwest::Url;

/// The base URL of a management server: `https://HOST` or `https://HOST:PORT`, and nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(Url);

/// What is wrong with the text of a server's URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ServerUrlError {
    /// It is no URL.
    #[error("`{0}` is no URL; write https://HOST:PORT")]
    Malformed(String),
    /// Its scheme is another than https.
    #[error("`{0}` is not https; a token is never sent in the clear, so write https://HOST:PORT")]
    NotHttps(Url),
    /// It has more than scheme, host and port.
    #[error("`{0}` says more than scheme, host and port; write https://HOST:PORT")]
    TooMuch(Url),
}

impl ServerUrl {
    /// The URL of one of the server's paths.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }

    /// Host and port to connect to.
    pub(crate) fn authority(&self) -> (&str, u16) {
        let host = self.0.host_str().unwrap_or_default();
        (
            host.trim_matches(['[', ']']),
            self.0.port_or_known_default().unwrap_or(443),
        )
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let url: Url = text
            .parse()
            .map_err(|_| ServerUrlError::Malformed(text.to_owned()))?;
        if url.scheme() != "https" {
            return Err(ServerUrlError::NotHttps(url));
        }
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !bare {
            return Err(ServerUrlError::TooMuch(url));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_paths() {
        let url: ServerUrl = "https://[2001:db8::1]:8443".parse().unwrap();
        assert_eq!(
            url.join("/v1/report").as_str(),
            "https://[2001:db8::1]:8443/v1/report"
        );
        assert_eq!(url.authority(), ("2001:db8::1", 8443));
        assert_eq!(url.to_string(), "https://[2001:db8::1]:8443");
    }

    #[test]
    fn refuses_what_is_more_or_less() {
        let error = |text: &str| text.parse::<ServerUrl>().unwrap_err();
        assert!(matches!(error("server:8443"), ServerUrlError::NotHttps(_)));
        assert!(matches!(
            error("http://server"),
            ServerUrlError::NotHttps(_)
        ));
        assert!(matches!(
            error("10.0.0.1:8443"),
            ServerUrlError::Malformed(_)
        ));
        assert!(matches!(error("https://"), ServerUrlError::Malformed(_)));
        for text in [
            "https://server/v1",
            "https://server/?a=1",
            "https://me:pw@server",
        ] {
            assert!(matches!(error(text), ServerUrlError::TooMuch(_)), "{text}");
        }
    }
}
