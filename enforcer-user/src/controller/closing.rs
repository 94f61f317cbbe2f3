//! Hosts that were cut a moment ago, and are closing.
//!
//! A host that loses a role in which it passed has connections open. For a set time the far ends can be told
//! so, through mappings of addresses that are still there; then everything that was set up for them goes.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use enforcer_common::host::Host;

/// How long a host is closing: long enough for the next packet of a connection in use, at either end.
pub(super) const CLOSING: Duration = Duration::from_secs(3);

/// The hosts that are closing. Pure: time is passed in.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// When each of them ends closing.
    ends: HashMap<Host, Instant>,
    /// The same in the order of their ends, with ends that count no more. All close equally long, so that the
    /// last one to begin is the last one to end.
    order: VecDeque<(Instant, Host)>,
}

impl Closing {
    /// A host was let pass, or is from now on, or both, or neither. Whether it begins closing by that.
    pub(super) fn take(&mut self, host: Host, was_in: bool, passes: bool, now: Instant) -> bool {
        if passes {
            self.ends.remove(&host);
        }
        let begins = was_in && !passes;
        if begins {
            self.begin(host, now);
        }
        begins
    }

    /// The host is closing from now on, also when it was before.
    pub(super) fn begin(&mut self, host: Host, now: Instant) {
        let end = now + CLOSING;
        self.ends.insert(host, end);
        self.order.push_back((end, host));
    }

    /// Whether a host is closing.
    pub(super) fn has(&self, host: &Host) -> bool {
        self.ends.contains_key(host)
    }

    /// The hosts that have ended closing by now, each of them once.
    pub(super) fn ended(&mut self, now: Instant) -> Vec<Host> {
        let mut ended = Vec::new();
        while let Some((end, host)) = self.order.pop_front_if(|(end, _)| *end <= now) {
            if self.ends.get(&host) == Some(&end) {
                self.ends.remove(&host);
                ended.push(host);
            }
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use enforcer_common::host::Address;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn host(last: u8) -> Host {
        Host {
            zone: 0,
            address: Address::v4([10, 0, 0, last]),
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Change(u8, bool, bool),
        Wait(u64),
    }

    fn a_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..4u8, any::<bool>(), any::<bool>())
                .prop_map(|(h, was, is)| Step::Change(h, was, is)),
            (0..4000u64).prop_map(Step::Wait),
        ]
    }

    proptest! {
        /// Against the plainest model: the moment at which each host was cut last, unless it was let in since.
        #[test]
        fn a_host_ends_closing_once_and_in_time(steps in vec(a_step(), 0..60)) {
            let start = Instant::now();
            let mut now = start;
            let (mut closing, mut cut) = (Closing::default(), BTreeMap::new());
            for step in steps {
                match step {
                    Step::Change(last, was, is) => {
                        let begins = closing.take(host(last), was, is, now);
                        prop_assert_eq!(begins, was && !is);
                        if begins {
                            cut.insert(last, now);
                        } else if is {
                            cut.remove(&last);
                        }
                    }
                    Step::Wait(millis) => now += Duration::from_millis(millis),
                }
                let is_over = |since: &Instant| now.duration_since(*since) >= CLOSING;
                let mut over: Vec<_> = cut.extract_if(.., |_, since| is_over(since)).map(|(last, _)| host(last)).collect();
                let mut ended = closing.ended(now);
                over.sort_unstable();
                ended.sort_unstable();
                prop_assert_eq!(ended, over);
                for last in 0..4 {
                    prop_assert_eq!(closing.ends.contains_key(&host(last)), cut.contains_key(&last));
                }
                prop_assert!(closing.order.len() >= closing.ends.len());
            }
            closing.ended(now + CLOSING);
            prop_assert!(closing.ends.is_empty() && closing.order.is_empty(), "nothing is kept");
        }
    }
}
