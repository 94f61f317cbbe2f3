//! The agent's token: what it proves itself with to the server.

use std::{
    env::{self, VarError},
    fmt,
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use reqwest::header::HeaderValue;

/// The environment variable that may hold the token.
pub const VARIABLE: &str = "ENFORCER_TOKEN";

/// No token is longer. A longer file is surely not a token's.
const MAX_BYTES: u64 = 1024;

/// A token. It is printed nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Neither a file nor the environment variable was given.
    #[error("no token: give --token-file FILE, or set {VARIABLE}")]
    Absent,
    /// The environment variable does not hold a token.
    #[error("{VARIABLE} is set but is no token: empty, over-long or with blanks in it")]
    BadVariable,
    /// The file cannot be read.
    #[error("the token file {path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the file.
    #[error(
        "everyone on this machine can read the token in {path} (mode {mode:04o}); \
         run `chmod 600 {path}`, and replace the token if others may have seen it"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file does not hold a token.
    #[error("the file {path} holds no token: it must be one word of at most {MAX_BYTES} bytes")]
    BadFile {
        /// The file.
        path: PathBuf,
    },
}

impl Token {
    /// The token in this text: one word of printable ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim();
        let fits = (1..=MAX_BYTES).contains(&(word.len() as u64));
        (fits && word.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(word.to_owned()))
    }

    /// From the file when one is given, else from [`VARIABLE`].
    pub fn find(file: Option<&Path>) -> Result<Self, TokenError> {
        file.map_or_else(Self::from_environment, Self::from_file)
    }

    fn from_environment() -> Result<Self, TokenError> {
        match env::var(VARIABLE) {
            Ok(text) => Self::parse(&text).ok_or(TokenError::BadVariable),
            Err(VarError::NotPresent) => Err(TokenError::Absent),
            Err(VarError::NotUnicode(_)) => Err(TokenError::BadVariable),
        }
    }

    fn from_file(path: &Path) -> Result<Self, TokenError> {
        let unreadable = |source| TokenError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        // Asked of the open file, so that it cannot be exchanged in between. The group may read: that
        // is how service managers hand out credentials.
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
        if mode & 0o007 != 0 {
            return Err(TokenError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 2)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let token = str::from_utf8(&bytes).ok().and_then(Self::parse);
        token.ok_or_else(|| TokenError::BadFile {
            path: path.to_owned(),
        })
    }

    /// The value of the `Authorization` header, marked so that nothing logs it.
    pub(crate) fn authorization(&self) -> HeaderValue {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))
            .expect("a token is printable ASCII");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    fn file(mode: u32, content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn reads_a_private_file() {
        for mode in [0o400, 0o600, 0o440] {
            let token = Token::from_file(file(mode, b"agent-abc\n").path()).unwrap();
            assert_eq!(token, Token("agent-abc".into()));
        }
    }

    #[test]
    fn refuses_a_file_that_others_can_read() {
        let file = file(0o644, b"agent-abc\n");
        let error = Token::from_file(file.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("chmod 600 {}", file.path().display())),
            "{error}"
        );
        assert!(!error.contains("agent-abc"));
    }

    #[test]
    fn refuses_what_is_no_token() {
        for content in [&b""[..], b"\n", b"two words", b"\xff\xfe", &[b'a'; 2000]] {
            let error = Token::from_file(file(0o600, content).path()).unwrap_err();
            assert!(matches!(error, TokenError::BadFile { .. }), "{error}");
        }
    }

    #[test]
    fn is_not_printed() {
        let token = Token::parse("secret").unwrap();
        assert!(!format!("{token:?} {:?}", token.authorization()).contains("secret"));
    }
}
