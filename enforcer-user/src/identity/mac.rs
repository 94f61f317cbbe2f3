//! MAC addresses.

use std::{fmt, str::FromStr};

/// A MAC address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// A text that is no MAC address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no MAC address such as `aa:bb:cc:dd:ee:ff`")]
pub struct MacError(String);

impl Mac {
    /// The address in these bytes; `None` when it is not one of a host: all zeros, or of a group.
    pub fn of_host(bytes: [u8; 6]) -> Option<Self> {
        let is_group = bytes[0] & 1 != 0;
        (bytes != [0; 6] && !is_group).then_some(Self(bytes))
    }
}

impl FromStr for Mac {
    type Err = MacError;

    /// Takes both `:` and `-` between the bytes, in either case: that is how systems write them.
    fn from_str(text: &str) -> Result<Self, MacError> {
        let error = || MacError(text.chars().take(32).collect());
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2);
            let digits = part.filter(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
            *byte = u8::from_str_radix(digits.ok_or_else(error)?, 16).map_err(|_| error())?;
        }
        match parts.next() {
            Some(_) => Err(error()),
            None => Self::of_host(bytes).ok_or_else(error),
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let mac = Mac([2, 0, 0xab, 0, 0, 1]);
        assert_eq!(mac.to_string(), "02:00:ab:00:00:01");
        assert_eq!("02-00-AB-00-00-01".parse(), Ok(mac));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let texts = [
            "",
            "02:00:ab:00:00",
            "02:00:ab:00:00:01:02",
            "02:00:ab:00:00:+1",
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
        ];
        for text in texts {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }
}
