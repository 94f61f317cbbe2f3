//! Secrets, which stand in files of their own.

use std::{fs, path::Path};

use super::failure::Failure;

/// The longest: a file that is larger is none.
const LONGEST: u64 = 64 * 1024;

/// A secret. Never printed.
pub(super) struct Secret(String);

impl Secret {
    /// What is in a file, without the end of its line. Read for each attempt, so that another one counts at once.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let unreadable = |cause| Failure::Secret {
            path: path.to_owned(),
            cause,
        };
        let length = fs::metadata(path).map_err(unreadable)?.len();
        if length > LONGEST {
            return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(unreadable(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret itself.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}
