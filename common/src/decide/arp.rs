//! ARP, judged by the addresses inside.

use super::{Basis, Judgement, Reason, Standing, Tables, Verdict, judgement::stop};
use crate::{mac::Mac, packet::Claim, role::RoleId};

/// The verdict for an ARP packet that a host sends. `standing` is that of the address that it claims.
#[inline(always)]
pub fn judge_arp<T: Tables>(
    claim: &Claim,
    source_mac: Mac,
    standing: &Standing,
    tables: &T,
) -> Judgement {
    // A probe (RFC 5227) asks for an address on behalf of nobody.
    if claim.is_none() {
        return super::judge_link();
    }
    match refuted(claim, source_mac, standing) {
        Some(reason) => stop(Verdict::Drop, reason, RoleId::UNKNOWN, tables),
        None => super::judge_link(),
    }
}

/// Why a claim is false, if it is: nobody has the gateway's own addresses or those that no host may have, and a
/// bound address is where it is bound to, by the frame's sender and by what the message says.
#[inline(always)]
pub(super) fn refuted(claim: &Claim, sender: Mac, standing: &Standing) -> Option<Reason> {
    if standing.basis == Basis::Martian {
        return Some(Reason::Martian);
    }
    let spoofed = standing.is_elsewhere(claim.mac) || standing.is_elsewhere(sender);
    spoofed.then_some(Reason::Spoofed)
}
