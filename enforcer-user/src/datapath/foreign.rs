//! Programs of others, which are named and left alone.

use std::fmt;

use aya::programs::{ProgramInfo, loaded_programs};

use crate::links::Filter;

/// A program, or a filter, of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger(String);

impl Stranger {
    pub(super) fn of(info: &ProgramInfo) -> Self {
        let (id, name) = (info.id(), String::from_utf8_lossy(info.name()));
        Self(if name.is_empty() {
            format!("program {id}")
        } else {
            format!("program {id}, `{name}`")
        })
    }

    /// The program with this number.
    pub(super) fn numbered(id: u32) -> Self {
        let info = loaded_programs().flatten().find(|info| info.id() == id);
        info.map_or_else(|| Self(format!("program {id}")), |info| Self::of(&info))
    }

    pub(super) fn filter(filter: &Filter) -> Self {
        match filter.program {
            Some(id) => Self::numbered(id),
            None => Self(format!(
                "a filter `{}` with preference {}",
                filter.kind, filter.preference
            )),
        }
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
