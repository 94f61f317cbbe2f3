//! So many a minute one by one, and the rest in one summary.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Alert, Event};

/// How long alerts are counted together.
const WINDOW: Duration = Duration::from_mins(1);

/// The most roles of a summary: there are no more.
const ROLES: usize = 256;

/// The pace of one target. Knows no clock.
#[derive(Debug, Default)]
pub(super) struct Pace {
    window: Option<Window>,
}

/// A minute that begins with an alert.
#[derive(Debug)]
struct Window {
    ends: Instant,
    let_through: u32,
    held: Held,
}

/// What is not told one by one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Held(BTreeMap<String, u64>);

impl Pace {
    /// Whether another one may go now; else it is in the summary.
    pub(super) fn admit(&mut self, role: &str, per_minute: u32, now: Instant) -> bool {
        let window = self.window(now);
        if window.let_through < per_minute {
            window.let_through += 1;
            return true;
        }
        window.held.add(role, 1);
        false
    }

    /// So many more are for the summary.
    pub(super) fn hold(&mut self, role: &str, count: u64, now: Instant) {
        self.window(now).held.add(role, count);
    }

    /// What is to be summed up now, since the minute is over.
    pub(super) fn due(&mut self, now: Instant) -> Option<Held> {
        let over = self.window.take_if(|window| window.ends <= now)?;
        over.held.or_none()
    }

    /// The same whether it is over or not.
    pub(super) fn rest(&mut self) -> Option<Held> {
        self.window.take()?.held.or_none()
    }

    fn window(&mut self, now: Instant) -> &mut Window {
        self.window.get_or_insert_with(|| Window {
            ends: now + WINDOW,
            let_through: 0,
            held: Held::default(),
        })
    }
}

impl Held {
    fn add(&mut self, role: &str, count: u64) {
        if let Some(held) = self.0.get_mut(role) {
            *held = held.saturating_add(count);
        } else if self.0.len() < ROLES {
            self.0.insert(role.to_owned(), count);
        }
    }

    fn or_none(self) -> Option<Self> {
        (!self.0.is_empty()).then_some(self)
    }

    /// How many they are.
    pub(super) fn count(&self) -> u64 {
        self.0.values().copied().fold(0, u64::saturating_add)
    }

    /// The same by role.
    pub(super) fn roles(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(role, count)| (&**role, *count))
    }

    /// The alert that sums it up.
    pub(super) fn alert(&self) -> Alert {
        let count = self.count();
        let roles: Vec<_> = self
            .roles()
            .map(|(role, count)| format!("{count} {role}"))
            .collect();
        let message = format!(
            "{count} more within a minute are not told one by one ({}); `enforcer hosts` and the log have them",
            roles.join(", ")
        );
        Alert {
            count: Some(count),
            roles: self.0.clone(),
            ..Alert::new(Event::Summary, &message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_the_pace_is_summed_up_once() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let let_through = (0..10_000)
            .filter(|_| pace.admit("quarantine", 5, begin))
            .count();
        assert_eq!(let_through, 5);
        pace.hold("denied", 7, begin);
        let soon = begin + WINDOW / 2;
        assert_eq!(pace.due(soon), None);
        let held = pace.due(begin + WINDOW).expect("a summary");
        assert_eq!(held.count(), 10_002);
        let alert = held.alert();
        assert_eq!(alert.count, Some(10_002));
        assert_eq!(alert.roles["quarantine"], 9_995);
        assert!(
            alert.message.contains("7 denied, 9995 quarantine"),
            "{}",
            alert.message
        );
        assert_eq!(pace.due(begin + 2 * WINDOW), None, "once");
    }

    #[test]
    fn a_minute_begins_with_an_alert() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert!(pace.admit("a", 1, begin));
        assert_eq!(pace.due(begin + WINDOW), None, "nothing was held");
        let later = begin + WINDOW * 2;
        assert!(pace.admit("a", 1, later));
        assert!(!pace.admit("a", 1, later + WINDOW / 2));
        assert_eq!(pace.due(later + WINDOW).expect("a summary").count(), 1);
    }

    #[test]
    fn at_the_end_nothing_is_kept_back() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!(pace.rest(), None);
        pace.hold("a", 3, now);
        assert_eq!(pace.rest().expect("a summary").count(), 3);
    }
}
