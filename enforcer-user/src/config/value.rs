//! How single values are written: durations, prefixes, ports, protocols, addresses of servers.

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use enforcer_common::packet::protocol;
use ipnet::IpNet;
use jiff::SignedDuration;
use reqwest::Url;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

/// What is wrong with a written value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a duration.
    #[error(
        "`{0}` is no duration; write a number with its unit, such as \"2s\", \"10m\" or \"1h\""
    )]
    Duration(String),
    /// Not a prefix.
    #[error("`{0}` is no prefix; write one such as \"10.1.0.0/24\" or \"2001:db8::/32\"")]
    Prefix(String),
    /// Not a port or a range of ports.
    #[error("`{0}` is no port; write one such as \"443\", or a range such as \"8000-8010\"")]
    Ports(String),
    /// Not a protocol.
    #[error(
        "`{0}` is no protocol; write tcp, udp, icmp, icmpv6, sctp, any, or a number from 0 to 254"
    )]
    Protocol(String),
    /// Not a share.
    #[error("`{0}` is no share; write a whole percentage, such as \"30%\"")]
    Share(String),
    /// Not the address of a web server.
    #[error("`{0}` is no URL; write one such as \"https://192.0.2.1:8443\"")]
    Url(String),
}

/// Ports from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl From<u16> for PortRange {
    fn from(port: u16) -> Self {
        Self {
            first: port,
            last: port,
        }
    }
}

impl FromStr for PortRange {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| {
            text.trim()
                .parse()
                .map_err(|_| ValueError::Ports(text.to_owned()))
        };
        Ok(Self {
            first: port(first)?,
            last: port(last)?,
        })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return write!(f, "{}", self.first);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// The protocol inside an IP packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Every protocol.
    #[default]
    Any,
    /// The one with this number.
    Number(u8),
}

impl Protocol {
    /// TCP.
    pub const TCP: Self = Self::Number(protocol::TCP);
    /// UDP.
    pub const UDP: Self = Self::Number(protocol::UDP);
    const NAMES: [(Self, &str); 6] = [
        (Self::Any, "any"),
        (Self::TCP, "tcp"),
        (Self::UDP, "udp"),
        (Self::Number(protocol::ICMP), "icmp"),
        (Self::Number(protocol::ICMPV6), "icmpv6"),
        (Self::Number(protocol::SCTP), "sctp"),
    ];

    /// Whether its packets have ports.
    pub fn has_ports(self) -> bool {
        matches!(
            self,
            Self::Number(protocol::TCP | protocol::UDP | protocol::SCTP)
        )
    }
}

impl FromStr for Protocol {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if let Some((protocol, _)) = Self::NAMES.iter().find(|(_, name)| *name == text) {
            return Ok(*protocol);
        }
        match text.parse() {
            // 255 is reserved: rules use it for "any".
            Ok(number) if number < u8::MAX => Ok(Self::Number(number)),
            _ => Err(ValueError::Protocol(text.to_owned())),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name)) = Self::NAMES.iter().find(|(protocol, _)| protocol == self) {
            return f.write_str(name);
        }
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Any => f.write_str("any"),
        }
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_number(deserializer)
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_number(deserializer)
    }
}

/// Reads what may be written as "443" and as 443.
fn text_or_number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = ValueError>,
{
    struct TextOrNumber;

    impl Visitor<'_> for TextOrNumber {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string or a number")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    let text = deserializer.deserialize_any(TextOrNumber)?;
    text.parse().map_err(de::Error::custom)
}

/// Reads a duration such as "2s".
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let duration = text.parse::<SignedDuration>().ok();
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| de::Error::custom(ValueError::Duration(text)))
}

/// Writes a duration as it is read.
pub(super) fn write_duration<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let duration = SignedDuration::try_from(*duration).unwrap_or(SignedDuration::MAX);
    serializer.collect_str(&format_args!("{duration:#}"))
}

/// Reads a prefix; an address alone is the prefix of that one address.
pub(super) fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpNet, D::Error> {
    let text = String::deserialize(deserializer)?;
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_| address())
        .map_err(|_| de::Error::custom(ValueError::Prefix(text.clone())))
}

/// Reads a list of prefixes.
pub(super) fn prefixes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    #[derive(Deserialize)]
    struct Prefix(#[serde(deserialize_with = "prefix")] IpNet);

    let prefixes = Vec::<Prefix>::deserialize(deserializer)?;
    Ok(prefixes.into_iter().map(|prefix| prefix.0).collect())
}

/// Reads the address of a web server or page.
pub(super) fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = text.parse::<Url>().ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .map(Some)
        .ok_or_else(|| de::Error::custom(ValueError::Url(text)))
}

/// Writes the address of a web server or page, without a password that may stand in it.
#[expect(clippy::ref_option, reason = "serde hands out the field as it is")]
pub(super) fn write_url<S: Serializer>(
    url: &Option<Url>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Some(mut url) = url.clone() else {
        return serializer.serialize_none();
    };
    if url.password().is_some() {
        // Of the URLs that are read, every one has a host, and so can have a password.
        let _ = url.set_password(Some("hidden"));
    }
    serializer.serialize_some(url.as_str())
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        assert_eq!("443".parse(), Ok(PortRange::from(443)));
        let range = PortRange {
            first: 8000,
            last: 8010,
        };
        assert_eq!("8000-8010".parse(), Ok(range));
        assert_eq!(range.to_string(), "8000-8010");
        for text in ["", "-", "http", "65536", "-1", "1-2-3"] {
            assert!(text.parse::<PortRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn protocols() {
        for (protocol, name) in Protocol::NAMES {
            assert_eq!(name.parse(), Ok(protocol));
            assert_eq!(protocol.to_string(), name);
        }
        assert_eq!("47".parse(), Ok(Protocol::Number(47)));
        for text in ["", "TCP", "255", "256", "-1"] {
            assert!(text.parse::<Protocol>().is_err(), "{text}");
        }
    }
}
