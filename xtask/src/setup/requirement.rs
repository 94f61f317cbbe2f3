//! One thing that the project needs on a machine.

use super::probe;

/// What it is, how to see whether it is there, how to get it.
pub(crate) struct Requirement {
    pub(crate) name: &'static str,
    pub(crate) check: Check,
    pub(crate) install: Install,
}

/// How to see whether a requirement is met. Checks are cheap: they run before every command.
pub(crate) enum Check {
    /// A command of this name exists.
    Command(&'static str),
    /// This path exists.
    File(&'static str),
    /// Only a question of its own can tell.
    Ask(fn() -> bool),
}

/// How a requirement is met.
pub(crate) enum Install {
    /// Debian packages, all installed at once.
    Packages(&'static [&'static str]),
    /// A step after the packages, and the command that does the same by hand.
    Step {
        run: fn() -> anyhow::Result<()>,
        by_hand: &'static str,
    },
    /// Nothing that this program may do by itself.
    ByHand(&'static str),
}

impl Requirement {
    /// Whether it is there.
    pub(crate) fn is_met(&self) -> bool {
        match self.check {
            Check::Command(name) => probe::command(name).is_some(),
            Check::File(path) => std::path::Path::new(path).exists(),
            Check::Ask(ask) => ask(),
        }
    }

    /// What is missing and the command that would mend it.
    pub(crate) fn lack(&self) -> String {
        let remedy = match self.install {
            Install::Packages(names) => {
                format!(
                    "apt-get install --no-install-recommends {}",
                    names.join(" ")
                )
            }
            Install::Step { by_hand, .. } | Install::ByHand(by_hand) => by_hand.to_owned(),
        };
        format!("  {}; to mend it: {remedy}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_names_the_thing_and_the_remedy() {
        let packet_filter = Requirement {
            name: "packet filter",
            check: Check::Command("no-such-command"),
            install: Install::Packages(&["nftables"]),
        };
        assert!(!packet_filter.is_met());
        let lack = "  packet filter; to mend it: apt-get install --no-install-recommends nftables";
        assert_eq!(packet_filter.lack(), lack);
    }
}
