//! Which of two roles counts when both are decided of one host.

use enforcer_common::role::RoleId;

/// How strict a role is; of several decisions the strictest counts.
///
/// | role | strictness |
/// |---|---|
/// | `denied` | 255 |
/// | `quarantine` | 254 |
/// | roles of the configuration | their number |
/// | `unknown` | 2 |
/// | `authorized` | 1 |
/// | `bypass` | 0 |
pub const fn strictness(role: RoleId) -> u8 {
    match role {
        RoleId::DENIED => 255,
        RoleId::QUARANTINE => 254,
        RoleId::UNKNOWN => 2,
        RoleId::AUTHORIZED => 1,
        RoleId::BYPASS => 0,
        RoleId(own) => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_total_and_as_documented() {
        let order = [
            RoleId::BYPASS,
            RoleId::AUTHORIZED,
            RoleId::UNKNOWN,
            RoleId::FIRST_OWN,
            RoleId(RoleId::EVERYONE.0 - 1),
            RoleId::QUARANTINE,
            RoleId::DENIED,
        ];
        let numbers = order.map(strictness);
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }
}
