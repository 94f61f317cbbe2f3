//! What may be meant by a name that is not there.

use std::fmt;

/// What to write instead of a name that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The name that is most likely meant.
    Nearest(String),
    /// All names, since none is near.
    Among(Vec<String>),
}

impl Choice {
    /// A name is near when at most a third of the letters differ.
    pub(crate) fn of<S: AsRef<str>>(name: &str, names: &[S]) -> Self {
        let distance = |other: &str| strsim::osa_distance(name, other);
        let names = names.iter().map(AsRef::as_ref);
        let near = |other: &&str| distance(other) * 3 <= other.len().max(name.len());
        let nearest = names
            .clone()
            .filter(near)
            .min_by_key(|other| distance(other));
        match nearest {
            Some(nearest) => Self::Nearest(nearest.to_owned()),
            None => Self::Among(names.map(str::to_owned).collect()),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nearest(name) => write!(f, "did you mean `{name}`?"),
            Self::Among(names) if names.is_empty() => {
                f.write_str("remove it: nothing can stand here")
            }
            Self::Among(names) => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "what can stand here: {}", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_or_all() {
        let names = ["mode", "monitor"];
        assert_eq!(
            Choice::of("modee", &names).to_string(),
            "did you mean `mode`?"
        );
        assert_eq!(
            Choice::of("qqqq", &names).to_string(),
            "what can stand here: `mode`, `monitor`"
        );
    }
}
