//! Telling requests for the portal itself from those that the datapath brought here.

use std::net::{IpAddr, SocketAddr};

use axum::http::{Request, header::HOST, uri::Authority};

/// Whether a request names the address and port that it came to. Any other name belongs to the site
/// that was meant.
pub fn is_own<B>(request: &Request<B>, local: SocketAddr) -> bool {
    // What stands in the request line goes before the Host header (RFC 9112 section 3.2.2).
    let authority = request.uri().authority().map(Authority::as_str);
    let host = || request.headers().get(HOST)?.to_str().ok();
    authority.or_else(host).and_then(place) == Some(local)
}

/// The address and port of an authority; `None` for names.
fn place(authority: &str) -> Option<SocketAddr> {
    if let Ok(place) = authority.parse::<SocketAddr>() {
        return Some(place);
    }
    let bare = authority
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(authority);
    let address: IpAddr = bare.parse().ok()?;
    Some(SocketAddr::new(address, 80))
}

/// Where the portal is, as the client sees it.
pub fn url(local: SocketAddr) -> String {
    format!("http://{local}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(uri: &str, host: Option<&str>, local: &str) -> bool {
        let mut request = Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let request = request.body(()).expect("a request");
        is_own(&request, local.parse().expect("an address"))
    }

    #[test]
    fn only_the_address_and_port_that_it_came_to_are_its_own() {
        let local = "10.0.0.1:8480";
        assert!(own("/", Some("10.0.0.1:8480"), local));
        assert!(own("/", Some("[fd00::1]:8480"), "[fd00::1]:8480"));
        assert!(own("/", Some("10.0.0.1"), "10.0.0.1:80"));
        assert!(own("/", Some("[fd00::1]"), "[fd00::1]:80"));
        for host in [
            "10.0.0.1",
            "10.0.0.1:80",
            "10.0.0.2:8480",
            "example.org:8480",
            "",
        ] {
            assert!(!own("/", Some(host), local), "{host}");
        }
        assert!(!own("/", None, local));
    }

    #[test]
    fn the_request_line_goes_first() {
        let local = "10.0.0.1:8480";
        assert!(own("http://10.0.0.1:8480/", Some("example.org"), local));
        assert!(!own("http://example.org/", Some("10.0.0.1:8480"), local));
    }
}
