//! Where a gateway and all that it starts may write. Root without capabilities still owns the files of root, and with
//! them the machine.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    path_beneath_rules,
};

/// Beside the gateway's own places: where the server's database and programs that a gateway starts put what is soon gone.
const COMMON: [&str; 3] = ["/dev/null", "/tmp", "/var/tmp"];

/// Lets this thread, and those that it makes, write beneath these directories alone. False when the kernel cannot.
pub(super) fn write_beneath(places: &[&Path]) -> Result<bool, RulesetError> {
    let writing = AccessFs::from_write(ABI::V3);
    let common = COMMON.map(PathBuf::from);
    let places = places
        .iter()
        .copied()
        .chain(common.iter().map(PathBuf::as_path));
    let status = Ruleset::default()
        .handle_access(writing)?
        .create()?
        .add_rules(path_beneath_rules(places, writing))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}
