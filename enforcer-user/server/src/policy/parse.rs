//! Reading a policy: whole or not at all.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{EXAMPLE, Policy};

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("cannot read the policy {}: {cause}; name a readable file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What stopped it.
        cause: io::Error,
    },
    /// The file is no policy.
    #[error("the policy {} is not usable; mend it and try again: {fault}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with its text.
        fault: PolicyFault,
    },
}

/// What is wrong with the text of a policy, and where.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFault {
    /// It is not TOML, or not of this form.
    #[error(transparent)]
    Form(#[from] toml::de::Error),
    /// Two rules have one name.
    #[error(
        "line {line}: a rule named `{name}` stands in line {first} already; give each its own name"
    )]
    Twice {
        /// The name.
        name: String,
        /// Where it stands first.
        first: usize,
        /// Where it stands again.
        line: usize,
    },
}

impl Policy {
    /// Reads the policy in this file; without a file, the built-in one.
    pub fn load(path: Option<&Path>) -> Result<Self, PolicyError> {
        let Some(path) = path else {
            return Ok(Self::built_in());
        };
        let text = fs::read_to_string(path).map_err(|cause| PolicyError::Read {
            path: path.to_owned(),
            cause,
        })?;
        text.parse().map_err(|fault| PolicyError::Unusable {
            path: path.to_owned(),
            fault,
        })
    }

    /// The policy that holds when none is named.
    pub fn built_in() -> Self {
        EXAMPLE.parse().expect("a test parses the built-in policy")
    }
}

impl FromStr for Policy {
    type Err = PolicyFault;

    fn from_str(text: &str) -> Result<Self, PolicyFault> {
        let policy: Self = toml::from_str(text)?;
        let mut seen = HashMap::new();
        for rule in &policy.rules {
            let line = line_of(text, rule.name.span().start);
            if let Some(first) = seen.insert(rule.name.get_ref(), line) {
                return Err(PolicyFault::Twice {
                    name: rule.name.get_ref().to_string(),
                    first,
                    line,
                });
            }
        }
        Ok(policy)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].lines().count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        text.parse::<Policy>()
            .expect_err("this policy is wrong")
            .to_string()
    }

    #[test]
    fn the_example_is_a_policy() {
        let policy = Policy::built_in();
        assert!(policy.rules.len() >= 5);
    }

    #[test]
    fn an_empty_policy_asks_nothing() {
        assert!(
            "".parse::<Policy>()
                .expect("empty is allowed")
                .rules
                .is_empty()
        );
    }

    #[test]
    fn faults_name_line_and_key() {
        let rule = "[[rule]]\nname = \"a\"\ntext = \"t\"\nlevel = \"danger\"\n";
        for (addition, expected) in [
            ("check = \"firewall\"\nlvel = \"x\"", ["line 6", "lvel"]),
            ("check = \"firewal\"", ["line 5", "firewal"]),
            (
                "check.minimum_os = { version = \"\" }",
                ["line 5", "no version"],
            ),
            ("check.minimum_os = { vers = \"1\" }", ["line 5", "vers"]),
            (
                "check.forbidden_software = { names = [] }",
                ["line 5", "empty"],
            ),
            (
                "check.forbidden_software = { names = [\" \"] }",
                ["line 5", "blank"],
            ),
            (
                "check = \"firewall\"\nunknown_level = \"bad\"",
                ["line 6", "bad"],
            ),
        ] {
            let fault = fault(&format!("{rule}{addition}\n"));
            for part in expected {
                assert!(fault.contains(part), "`{part}` is not in: {fault}");
            }
        }
    }

    #[test]
    fn passing_is_no_way_to_fail() {
        let fault = fault("[[rule]]\nname='a'\ntext='t'\nlevel='safe'\ncheck='firewall'\n");
        assert!(
            fault.contains("line 4") && fault.contains("caution"),
            "{fault}"
        );
    }

    #[test]
    fn names_are_unique() {
        let rule = "[[rule]]\nname='a'\ntext='t'\nlevel='danger'\ncheck='firewall'\n";
        let fault = fault(&format!("{rule}{rule}"));
        assert!(
            fault.starts_with("line 7: a rule named `a` stands in line 2"),
            "{fault}"
        );
    }
}
