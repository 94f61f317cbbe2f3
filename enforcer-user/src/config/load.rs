//! From a file to a [`Config`].

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use toml::de::Error;

use super::{Choice, Config, places::Places};

/// Why a file is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration {}: {cause}; \
         `enforcer config example` prints one to begin with", path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// The file is no TOML.
    #[error("{at}: {}; the file must be TOML (https://toml.io)", cause.message())]
    Syntax {
        /// Where.
        at: Position,
        /// What the parser says.
        cause: Box<Error>,
    },
    /// A key that means nothing.
    #[error("{at}: unknown key `{key}`; {choice}")]
    UnknownKey {
        /// Where.
        at: Position,
        /// The key.
        key: String,
        /// What may be meant.
        choice: Choice,
    },
    /// A value that is none of the words that its key takes.
    #[error("{at}: `{key}` cannot be `{word}`; {choice}")]
    UnknownWord {
        /// Where.
        at: Position,
        /// The key.
        key: String,
        /// What it says.
        word: String,
        /// What may be meant.
        choice: Choice,
    },
    /// A key that must be there is not.
    #[error("{at}: the key `{missing}` is missing; add it to this entry")]
    MissingKey {
        /// Where the entry begins.
        at: Position,
        /// The key.
        missing: String,
    },
    /// A value of the wrong kind.
    #[error("{at}: `{key}`: {}", in_plain_words(cause))]
    Value {
        /// Where.
        at: Position,
        /// The key.
        key: String,
        /// What is wrong with it.
        cause: Box<Error>,
    },
}

impl ConfigError {
    /// Where it is, unless the file cannot be read at all.
    pub fn at(&self) -> Option<&Position> {
        match self {
            Self::Read { .. } => None,
            Self::Syntax { at, .. }
            | Self::UnknownKey { at, .. }
            | Self::UnknownWord { at, .. }
            | Self::MissingKey { at, .. }
            | Self::Value { at, .. } => Some(at),
        }
    }
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in bytes, counted from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

impl Config {
    /// Reads a file. That it is read does not mean that it makes sense: see
    /// [`check`](super::check).
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|cause| ConfigError::Read {
            path: path.to_owned(),
            cause,
        })?;
        Self::parse(path, &text)
    }

    /// Reads the text of a file; errors name it by `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let places = Places::read(text).map_err(|cause| ConfigError::Syntax {
            at: position(path, &Places::lines_of(text), &cause),
            cause: Box::new(cause),
        })?;
        match toml::from_str::<Self>(text) {
            Ok(config) => Ok(Self {
                file: path.to_owned(),
                places,
                ..config
            }),
            Err(error) => Err(explain(path, &places, error)),
        }
    }
}

fn position(path: &Path, places: &Places, error: &Error) -> Position {
    let (line, column) = places.position(error.span().map_or(0, |span| span.start));
    Position {
        path: path.to_owned(),
        line,
        column,
    }
}

/// serde has no error but a sentence, in which names stand between backticks: those that it found
/// first, then those that it expected.
fn explain(path: &Path, places: &Places, error: Error) -> ConfigError {
    let at = position(path, places, &error);
    let byte = error.span().map_or(0, |span| span.start);
    let key = places.key_at(byte).unwrap_or("(the file)").to_owned();
    let mut names = error
        .message()
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned);
    let kind = error.message().split('`').next().unwrap_or_default();
    let Some(name) = names.next() else {
        let cause = Box::new(error);
        return ConfigError::Value { at, key, cause };
    };
    let choice = Choice::of(&name, &names.collect::<Vec<_>>());
    match kind {
        "unknown field " => ConfigError::UnknownKey { at, key, choice },
        "unknown variant " => ConfigError::UnknownWord {
            at,
            key,
            word: name,
            choice,
        },
        "missing field " => ConfigError::MissingKey { at, missing: name },
        _ => ConfigError::Value {
            at,
            key,
            cause: Box::new(error),
        },
    }
}

/// What serde says of numbers is the name of a type.
fn in_plain_words(error: &Error) -> String {
    let numbers = [("u16", u32::from(u16::MAX)), ("u32", u32::MAX)];
    let message = error.message().to_owned();
    numbers.into_iter().fold(message, |message, (kind, most)| {
        let range = format!("expected a number from 0 to {most}");
        message.replace(&format!("expected {kind}"), &range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        let result = Config::parse(Path::new("e.toml"), text);
        result.expect_err("an error").to_string()
    }

    #[test]
    fn a_misspelt_key_is_named_with_the_right_one() {
        assert_eq!(
            message("\nmodee = \"enforce\""),
            "e.toml:2:1: unknown key `modee`; did you mean `mode`?"
        );
        assert_eq!(
            message("[unknown]\ntimout = \"2s\""),
            "e.toml:2:1: unknown key `unknown.timout`; did you mean `timeout`?"
        );
        assert_eq!(
            message("[[role.x.rule]]\nto = []\nprotocoll = \"tcp\""),
            "e.toml:3:1: unknown key `role.x.rule[0].protocoll`; did you mean `protocol`?"
        );
        assert_eq!(
            message("[metrics]\nqqq = 1"),
            "e.toml:2:1: unknown key `metrics.qqq`; what can stand here: `listen`"
        );
        assert_eq!(
            message("[rolle.x]\nportal = true"),
            "e.toml:1:2: unknown key `rolle`; did you mean `role`?"
        );
    }

    #[test]
    fn wrong_values_are_named_with_what_is_right() {
        assert_eq!(
            message("mode = \"enforced\""),
            "e.toml:1:8: `mode` cannot be `enforced`; did you mean `enforce`?"
        );
        assert_eq!(
            message("[unknown]\ntimeout = \"2 apples\""),
            "e.toml:2:11: `unknown.timeout`: `2 apples` is no duration; \
             write a number with its unit, such as \"2s\", \"10m\" or \"1h\""
        );
        assert_eq!(
            message("operators = [\n\"10.0.0.1\", \"10.0.0.300\"]"),
            "e.toml:2:13: `operators[1]`: `10.0.0.300` is no prefix; \
             write one such as \"10.1.0.0/24\" or \"2001:db8::/32\""
        );
        assert_eq!(
            message("[portal]\nport = 70000"),
            "e.toml:2:8: `portal.port`: invalid value: integer `70000`, expected a number from 0 to 65535"
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            message("\n[[scope]]\naction = \"checked\""),
            "e.toml:2:1: the key `prefix` is missing; add it to this entry"
        );
    }

    #[test]
    fn what_is_no_toml_is_said_to_be_none() {
        let message = message("mode = enforce");
        assert!(message.starts_with("e.toml:1:8: "), "{message}");
    }

    #[test]
    fn a_file_that_is_not_there() {
        let error = Config::load(Path::new("/nonexistent/e.toml")).expect_err("no file");
        assert!(error.to_string().contains("/nonexistent/e.toml"), "{error}");
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        let config = Config::parse(Path::new("e.toml"), "").expect("a configuration");
        let (file, places) = (config.file.clone(), config.places.clone());
        assert_eq!(
            config,
            Config {
                file,
                places,
                ..Config::default()
            }
        );
    }
}
