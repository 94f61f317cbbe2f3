//! The maps. Each has one writer; who it is stands beside it.

use core::arch::asm;

use aya_ebpf::{
    EbpfContext, Global,
    bindings::BPF_F_NO_PREALLOC,
    macros::map,
    maps::{Array, HashMap, LpmTrie, LruHashMap, PerCpuArray, ProgramArray, RingBuf},
};
use enforcer_common::{
    bucket::{Bucket, Purpose},
    counter::{self, Counter},
    host::{Asked, Blocked, FlowKey, HostKey, HostKeyV4, HostRow, VerdictSlotV4, VerdictSlotV6},
    limits,
    packet::Vlans,
    role::{OwnedPrefix, RoleRow, RuleSet},
    seen::Seen,
    settings::{InterfaceRow, Settings, VlanPair, VlanZone},
};

/// Which row of `INTERFACES` these programs are for; set before they are loaded, once for each
/// interface, so that the zone costs no search.
#[unsafe(no_mangle)]
static INTERFACE: Global<u32> = Global::new(0);

/// 1 when replies leave by a redirect to the interface that the packet came from, 0 when by `XDP_TX`; set
/// before the programs are loaded.
#[unsafe(no_mangle)]
static REDIRECT_REPLIES: Global<u32> = Global::new(0);

/// 1 when nothing but the verdict is wanted: nothing is counted, reported or remembered. Set before the programs are
/// loaded.
#[unsafe(no_mangle)]
static DRY: Global<u32> = Global::new(0);

/// What replies are marked with, so that the TC program at the other hook lets them pass: a number that nobody
/// knows, 0 where no other program meets them. Set before the programs are loaded.
#[unsafe(no_mangle)]
static REPLY_MARK: Global<u32> = Global::new(0);

/// 1 when the far ends of flows can be told that they are over: by a reset that comes in where the host's packets do,
/// which generic XDP would judge. Set before the programs are loaded.
#[unsafe(no_mangle)]
static TELLS_FAR_ENDS: Global<u32> = Global::new(0);

/// What the datapath needs to know of each interface. Writer: controller.
#[map]
pub static INTERFACES: Array<InterfaceRow> = Array::with_max_entries(limits::INTERFACES as u32, 0);

/// The zone of each VLAN of each interface. Writer: controller.
#[map]
pub static VLANS: Array<VlanZone> =
    Array::with_max_entries(limits::INTERFACES as u32 * VLAN_IDS, 0);

/// The zones of VLANs inside others. Writer: controller.
#[map]
pub static VLAN_PAIRS: HashMap<VlanPair, VlanZone> =
    HashMap::with_max_entries(limits::VLAN_PAIRS, 0);

/// Mode and times. Writer: controller.
#[map]
pub static SETTINGS: Array<Settings> = Array::with_max_entries(1, 0);

/// Recently seen IPv4 hosts. Writer: datapath.
#[map]
pub static VERDICTS_V4: PerCpuArray<VerdictSlotV4> =
    PerCpuArray::with_max_entries(limits::VERDICT_SLOTS, 0);

/// Recently seen IPv6 hosts. Writer: datapath.
#[map]
pub static VERDICTS_V6: PerCpuArray<VerdictSlotV6> =
    PerCpuArray::with_max_entries(limits::VERDICT_SLOTS, 0);

/// One counter for each bucket of hosts; a change of a host bumps its bucket. Writer: controller.
#[map]
pub static GENERATIONS: Array<u64> = Array::with_max_entries(limits::GENERATIONS, 0);

/// What is decided of IPv4 hosts. Writer: controller.
#[map]
pub static HOSTS_V4: HashMap<HostKeyV4, HostRow> = HashMap::with_max_entries(limits::HOSTS, 0);

/// What is decided of IPv6 hosts. Writer: controller.
#[map]
pub static HOSTS_V6: HashMap<HostKey, HostRow> = HashMap::with_max_entries(limits::HOSTS, 0);

/// When the lease of each source ends, in jiffies. Writer: controller.
#[map]
pub static LEASES: Array<u64> = Array::with_max_entries(limits::SOURCES as u32, 0);

/// Which addresses are checked. Writer: controller.
#[map]
pub static SCOPES: LpmTrie<OwnedPrefix, u32> =
    LpmTrie::with_max_entries(limits::SCOPES, BPF_F_NO_PREALLOC);

/// What each role means. Writer: controller.
#[map]
pub static ROLES: Array<RoleRow> = Array::with_max_entries(limits::ROLES as u32, 0);

/// The rules of each role by remote prefix. Writer: controller.
#[map]
pub static RULES: LpmTrie<OwnedPrefix, RuleSet> =
    LpmTrie::with_max_entries(limits::RULE_PREFIXES, BPF_F_NO_PREALLOC);

/// Unknown hosts that were asked about. Writer: datapath.
#[map]
pub static ASKED: LruHashMap<HostKey, Asked> = LruHashMap::with_max_entries(limits::ASKED, 0);

/// Stopped hosts. Writer: datapath.
#[map]
pub static BLOCKED: LruHashMap<HostKey, Blocked> = LruHashMap::with_max_entries(limits::BLOCKED, 0);

/// HTTP flows on their way to the portal. Writer: datapath.
#[map]
pub static PORTAL_FLOWS: LruHashMap<PortalKey, PortalFlow> =
    LruHashMap::with_max_entries(limits::PORTAL_FLOWS, 0);

/// Later fragments of what goes to the portal. Writer: datapath.
#[map]
pub static PORTAL_FRAGMENTS: LruHashMap<PortalKey, PortalFlow> =
    LruHashMap::with_max_entries(limits::PORTAL_FRAGMENTS, 0);

/// Flows whose far end was told that they are over. Writer: datapath.
#[map]
pub static TOLD: LruHashMap<FlowKey, u8> = LruHashMap::with_max_entries(limits::TOLD, 0);

/// What this CPU may still answer, ask, report and send to the portal. Writer: datapath.
#[map]
static BUCKETS: PerCpuArray<Bucket> = PerCpuArray::with_max_entries(Purpose::COUNT, 0);

/// Packets and bytes by hook, outcome and reason. Writer: datapath.
#[map]
pub static COUNTERS: PerCpuArray<Counter> = PerCpuArray::with_max_entries(counter::ROWS + 1, 0);

/// Events for the controller. Writer: datapath.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(limits::EVENT_RING, 0);

/// Numbers of VLANs.
const VLAN_IDS: u32 = 4096;

/// Key of `PORTAL_FLOWS`: a host and its port; of `PORTAL_FRAGMENTS`: a host and the number of its fragments.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PortalKey {
    pub host: HostKey,
    pub number: u64,
}

/// Value of both: where the host believes to have connected to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PortalFlow {
    pub server: [u64; 2],
    /// When the last packet of the flow came, in jiffies.
    pub last: u64,
}

/// The steps behind the first look, in the order of their places.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum Step {
    Decide = 0,
    Reset = 1,
    /// Towards the portal on ingress, and back on egress.
    Portal = 2,
    Close = 3,
    /// Before [`Step::Decide`].
    Claim = 4,
    /// Of what passes or is dropped.
    Record = 5,
    /// Before [`Step::Claim`] and [`Step::Decide`].
    Chain = 6,
    Prohibited = 7,
}

/// The programs of one hook that follow the first look, by [`Step`]. Not shared between interfaces. Writer: the loader.
#[repr(transparent)]
pub struct Steps(ProgramArray);

impl Steps {
    const fn new() -> Self {
        Self(ProgramArray::with_max_entries(8, 0))
    }

    /// Goes on to a step; comes back only when its program is not there.
    #[inline(always)]
    pub fn go_on<C: EbpfContext>(&self, context: &C, step: Step) {
        // SAFETY: nothing is held that would have to be dropped.
        unsafe { self.0.tail_call(context, step as u32) };
    }
}

#[map]
pub static XDP_STEPS: Steps = Steps::new();
#[map]
pub static TC_INGRESS_STEPS: Steps = Steps::new();
#[map]
pub static TC_EGRESS_STEPS: Steps = Steps::new();

/// A copy of a row that a lookup found.
#[inline(always)]
pub fn read<T: Copy>(row: *const T) -> T {
    // SAFETY: only called with what a lookup in this file's maps returned. Rows of preallocated
    // tables stay readable while the program runs; one that is replaced meanwhile may already belong
    // to another host, which the generation then tells.
    unsafe { *row }
}

/// The row that a lookup found, for writing.
#[inline(always)]
pub fn write<T>(row: *mut T) -> &'static mut T {
    // SAFETY: only called with what a lookup in this file's maps returned, once for each lookup. A row
    // of a per-CPU array belongs to this CPU, and no other program that uses it can interrupt this
    // one: both hooks run with bottom halves disabled. Rows of shared maps are written by the datapath
    // alone; where CPUs may meet, sums are atomic and of the rest the last writer wins.
    unsafe { &mut *row }
}

/// Adds to a field of a row that other CPUs may add to.
#[inline(always)]
pub fn add(sum: &mut u64, by: u64) {
    // SAFETY: a valid, aligned field of a map row, borrowed mutably. The instruction is written out
    // since `core` has no read-modify-write atomics for this target.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) sum, in(reg) by) };
}

/// A generation, with everything that is read afterwards ordered behind it: an atomic operation that
/// returns its value is a full barrier (`Documentation/atomic_t.txt` of the kernel).
#[inline(always)]
pub fn generation_before_tables(bucket: u32) -> u64 {
    let Some(generation) = GENERATIONS.get_ptr_mut(bucket) else {
        return 0;
    };
    let mut value = 0_u64;
    // SAFETY: a valid, aligned row of the map, which lives as long as the program.
    unsafe {
        asm!("{0} = atomic_fetch_add((u64 *)({1} + 0), {0})", inout(reg) value, in(reg) generation);
    }
    value
}

/// Where the packet at hand is kept while it is judged. Writer: datapath.
#[map]
static SEEN: PerCpuArray<Seen> = PerCpuArray::with_max_entries(1, 0);

/// The place for the packet at hand. All zeros, which is how it begins, is a valid value of it.
#[inline(always)]
pub fn seen() -> Option<&'static mut Seen> {
    SEEN.get_ptr_mut(0).map(write)
}

/// Whether replies leave by a redirect. A veth wakes its peer for `XDP_TX` only when the peer has an XDP
/// program of its own (`veth_xdp_flush` in drivers/net/veth.c); for a redirect its NAPI is enough.
#[inline(always)]
pub fn redirects_replies() -> bool {
    REDIRECT_REPLIES.load() != 0
}

/// What replies are marked with; 0: nothing.
#[inline(always)]
pub fn reply_mark() -> u32 {
    REPLY_MARK.load()
}

/// Whether the far ends of flows can be told that they are over.
#[inline(always)]
pub fn tells_far_ends() -> bool {
    TELLS_FAR_ENDS.load() != 0
}

/// Whether nothing but the verdict is wanted.
#[inline(always)]
pub fn is_dry() -> bool {
    DRY.load() != 0
}

/// The row of the interface that this program runs on.
#[inline(always)]
pub fn interface() -> Option<&'static InterfaceRow> {
    INTERFACES.get(INTERFACE.load())
}

/// The zone of hosts in these VLANs of the interface.
#[inline(always)]
pub fn vlan_zone(vlans: Vlans) -> Option<u32> {
    let interface = INTERFACE.load();
    let zone = if vlans.inner == 0 {
        VLANS.get(
            interface
                .wrapping_mul(VLAN_IDS)
                .wrapping_add(u32::from(vlans.outer)),
        )
    } else {
        let pair = VlanPair {
            interface,
            outer: vlans.outer,
            inner: vlans.inner,
        };
        VLAN_PAIRS.get_ptr(pair).map(|row| &*write(row.cast_mut()))
    };
    zone.copied()?.zone()
}

/// Takes what one event costs from a bucket of this CPU; false when there is not enough.
#[inline(always)]
pub fn take(purpose: Purpose, now: u64) -> bool {
    let (Some(settings), Some(bucket)) = (SETTINGS.get(0), BUCKETS.get_ptr_mut(purpose as u32))
    else {
        return false;
    };
    let rate = match purpose {
        Purpose::Reply | Purpose::Portal => &settings.replies,
        Purpose::Question | Purpose::Report => &settings.questions,
    };
    is_dry() || write(bucket).take(now, rate)
}
