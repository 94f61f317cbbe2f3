//! What is known of a host: from the verdict cache of this CPU, else from the tables.

use aya_ebpf::maps::lpm_trie::Key;
use enforcer_common::{
    bucket::Purpose,
    decide::{self, Standing, Tables},
    host::{
        Asked, Family, FlowKey, Host, HostRow, SourceId, StandingBits, VerdictSlotV4, VerdictSlotV6,
    },
    packet::Vlans,
    role::{OwnedPrefix, RoleId, RoleRow, RuleSet},
    settings::{Scope, Settings},
};

use crate::maps;

/// What is known of `host`, from the cache where that still holds.
///
/// The controller writes a row first and bumps the generation of its bucket afterwards; here the
/// generation is read before the tables are. So a slot that was filled from an old row carries an
/// old generation, and no packet is judged by it once the change is applied.
#[inline(always)]
pub fn standing(host: &Host, now: u64, found: &mut Standing) {
    // Now, since a call to look a slot up would make the compiler read the host once more.
    let (slot, bucket) = (host.slot(), host.bucket());
    match host.address.family() {
        Family::V4 => standing_v4(host, slot, bucket, now, found),
        Family::V6 => standing_v6(host, slot, bucket, now, found),
    }
}

#[inline(always)]
fn standing_v4(host: &Host, slot: u32, bucket: u32, now: u64, found: &mut Standing) {
    let Some(slot) = maps::VERDICTS_V4.get_ptr_mut(slot) else {
        return from_tables(host, now, found);
    };
    let slot = maps::write(slot);
    let key = host.key_v4();
    if slot.host == key && now < slot.until && generation(bucket) == slot.generation {
        return unpack(slot.standing, slot.until, found);
    }
    let generation = maps::generation_before_tables(bucket) as u32;
    from_tables(host, now, found);
    if found.until != 0 {
        *slot = VerdictSlotV4 {
            host: key,
            until: found.until,
            standing: found.bits(),
            generation,
            pad: 0,
        };
    }
}

#[inline(always)]
fn standing_v6(host: &Host, slot: u32, bucket: u32, now: u64, found: &mut Standing) {
    let Some(slot) = maps::VERDICTS_V6.get_ptr_mut(slot) else {
        return from_tables(host, now, found);
    };
    let slot = maps::write(slot);
    let key = host.key();
    if slot.host == key && now < slot.until && generation(bucket) == slot.generation {
        return unpack(slot.standing, slot.until, found);
    }
    let generation = maps::generation_before_tables(bucket) as u32;
    from_tables(host, now, found);
    if found.until != 0 {
        *slot = VerdictSlotV6 {
            host: key,
            until: found.until,
            standing: found.bits(),
            generation,
            pad: 0,
        };
    }
}

/// From the tables alone, past the cache.
#[inline(never)]
pub fn from_tables(host: &Host, now: u64, found: &mut Standing) {
    let Standing {
        until,
        mac,
        role,
        basis,
        closing,
    } = decide::standing(host, &Kernel, now);
    found.until = until;
    found.mac = mac;
    found.role = role;
    found.basis = basis;
    found.closing = closing;
}

#[inline(always)]
fn generation(bucket: u32) -> u32 {
    maps::GENERATIONS.get(bucket).copied().unwrap_or(0) as u32
}

#[inline(always)]
fn unpack(bits: StandingBits, until: u64, found: &mut Standing) {
    found.until = until;
    found.mac = bits.mac();
    found.role = bits.role();
    found.basis = bits.basis();
    found.closing = bits.is_closing();
}

/// The maps, as the decision reads them. What an authorized host does not need is kept out of line, so
/// that its keys do not share the 512 bytes of stack with the common case.
pub struct Kernel;

impl Tables for Kernel {
    #[inline(always)]
    fn host(&self, host: &Host) -> Option<HostRow> {
        let row = match host.address.family() {
            Family::V4 => maps::HOSTS_V4.get_ptr(host.key_v4()),
            Family::V6 => maps::HOSTS_V6.get_ptr(host.key()),
        }?;
        Some(maps::read(row))
    }

    #[inline(always)]
    fn lease(&self, source: SourceId) -> u64 {
        maps::LEASES.get(u32::from(source.0)).copied().unwrap_or(0)
    }

    #[inline(never)]
    fn scope(&self, host: &Host) -> Scope {
        let key = Key::new(
            OwnedPrefix::BITS,
            OwnedPrefix::new(host.zone, host.address.mapped()),
        );
        match maps::SCOPES.get(&key) {
            Some(number) => Scope::from_number(*number),
            None => Scope::Checked,
        }
    }

    #[inline(always)]
    fn role(&self, role: RoleId) -> RoleRow {
        maps::ROLES
            .get(u32::from(role.0))
            .copied()
            .unwrap_or_default()
    }

    #[inline(never)]
    fn rules(&self, role: RoleId, remote: &[u8; 16]) -> Option<&RuleSet> {
        let key = Key::new(
            OwnedPrefix::BITS,
            OwnedPrefix::new(u32::from(role.0), *remote),
        );
        maps::RULES.get(&key)
    }

    #[inline(never)]
    fn asked(&self, host: &Host) -> Option<Asked> {
        maps::ASKED.get_ptr(host.key()).map(maps::read)
    }

    #[inline(always)]
    fn may_ask(&self, now: u64) -> bool {
        maps::take(Purpose::Question, now)
    }

    #[inline(never)]
    fn told(&self, flow: &FlowKey) -> bool {
        maps::TOLD.get_ptr(flow).is_some()
    }

    #[inline(always)]
    fn vlan_zone(&self, vlans: Vlans) -> Option<u32> {
        maps::vlan_zone(vlans)
    }

    #[inline(always)]
    fn settings(&self) -> Settings {
        match maps::SETTINGS.get(0) {
            Some(settings) => *settings,
            // Never: the array has this row.
            None => Settings::CLOSED,
        }
    }
}
