//! What the init program of the virtual machine and the program that makes its image agree on.

/// The command to run: its words, each ended by a NUL byte.
pub const COMMAND: &str = "/etc/enforcer-vm/command";

/// The kernel modules, named so that the order of their names is the order of loading.
pub const MODULES: &str = "/etc/enforcer-vm/modules";

/// Where commands are looked for; first the real ones, then those of busybox.
pub const PATH: &str = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Begins the line by which init tells the exit status of the command.
pub const EXIT: &str = "enforcer-vm: exit status ";

/// The exit status that stands for "the command could not be run at all", as in a shell.
pub const CANNOT_RUN: u8 = 127;

/// Splits a command as it stands in [`COMMAND`].
pub fn words(command: &str) -> Vec<&str> {
    command.split_terminator('\0').collect()
}

/// Joins a command as it is to stand in [`COMMAND`].
pub fn join(words: &[String]) -> String {
    let ended = words.iter().flat_map(|word| [word.as_str(), "\0"]);
    ended.collect()
}

/// The exit status that a line of the console tells, if it does.
pub fn exit_status(line: &str) -> Option<u8> {
    line.trim().strip_prefix(EXIT)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_its_file() {
        let command = ["sh", "-c", "echo one two", ""].map(str::to_owned);
        assert_eq!(words(&join(&command)), command);
    }

    #[test]
    fn only_the_verdict_line_tells_a_status() {
        assert_eq!(exit_status("enforcer-vm: exit status 7\r"), Some(7));
        assert_eq!(exit_status("exit status 7"), None);
    }
}
