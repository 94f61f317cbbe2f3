//! What was done, counted: a run that finds nothing says something only when it went everywhere.

use std::{collections::BTreeMap, fmt, ops::AddAssign};

use super::{
    kernel::{Act, Case, Seen},
    law::Why,
    oracle::{Rule, Rules},
};
use enforcer_common::{
    counter::{Hook, Outcome},
    decide::Reason,
};

/// Cases by what came of them.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Frames that our parser and the oracle read.
    pub parsed: u64,
    /// Frames that the kernel programs and the shared code judged alike.
    pub judged: u64,
    /// Frames of which nothing is said, since time alone may have changed their verdict; their laws were checked.
    pub unsure: u64,
    /// Frames that the kernel does not run.
    pub short: u64,
    /// Events that were reported of what happened.
    pub events: u64,
    rules: BTreeMap<&'static str, u64>,
    outcomes: BTreeMap<(&'static str, &'static str, &'static str), u64>,
    laws: BTreeMap<&'static str, u64>,
    acts: BTreeMap<(&'static str, &'static str), u64>,
}

impl Counts {
    /// All frames of which something was said.
    pub fn cases(&self) -> u64 {
        self.parsed + self.judged
    }

    /// A frame was read, by these rules.
    pub fn parsed(&mut self, rules: Rules) {
        self.parsed += 1;
        for rule in rules.iter() {
            *self.rules.entry(rule.name()).or_default() += 1;
        }
    }

    /// A frame was judged at this hook.
    pub fn judged(&mut self, hook: Hook, case: Case) {
        match case {
            Case::Same(seen) => self.seen(hook, &seen),
            Case::Unsure => self.unsure += 1,
            Case::TooShort => self.short += 1,
        }
    }

    fn seen(&mut self, hook: Hook, seen: &Seen) {
        self.judged += 1;
        let outcome = if seen.monitored {
            Outcome::WouldStop
        } else {
            Outcome::Done(seen.done)
        };
        let key = (
            word(&Hook::ALL, hook),
            word(&Outcome::ALL, outcome),
            word(Reason::ALL, seen.reason),
        );
        *self.outcomes.entry(key).or_default() += 1;
        *self.acts.entry((key.0, seen.act.name())).or_default() += 1;
        if let Some(law) = seen.law {
            *self.laws.entry(law.name()).or_default() += 1;
        }
    }

    /// What never happened that should have: rules, laws, acts, reasons and events.
    pub fn missing(&self) -> Vec<String> {
        let rules = Rule::ALL
            .iter()
            .filter(|rule| !self.rules.contains_key(rule.name()));
        let laws = Why::ALL
            .iter()
            .filter(|law| !self.laws.contains_key(law.name()));
        let acts = Act::NAMES
            .iter()
            .filter(|name| !self.acts.keys().any(|(_, act)| act == *name));
        let reasons = Reason::ALL
            .iter()
            .filter(|(_, word)| !self.outcomes.keys().any(|(.., reason)| reason == word));
        let mut missing: Vec<_> = rules.map(|rule| rule.name().to_owned()).collect();
        missing.extend(laws.map(|law| law.name().to_owned()));
        missing.extend(acts.map(|name| (*name).to_owned()));
        missing.extend(reasons.map(|(_, word)| (*word).to_owned()));
        missing.extend((self.events == 0).then(|| "events".to_owned()));
        missing
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.parsed += other.parsed;
        self.judged += other.judged;
        self.unsure += other.unsure;
        self.short += other.short;
        self.events += other.events;
        add(&mut self.rules, &other.rules);
        add(&mut self.outcomes, &other.outcomes);
        add(&mut self.laws, &other.laws);
        add(&mut self.acts, &other.acts);
    }
}

fn add<K: Ord + Clone>(sums: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        *sums.entry(key.clone()).or_default() += count;
    }
}

fn word<T: Copy + PartialEq>(words: &[(T, &'static str)], value: T) -> &'static str {
    words
        .iter()
        .find(|(one, _)| *one == value)
        .map_or("?", |(_, word)| word)
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            parsed,
            judged,
            unsure,
            short,
            events,
            ..
        } = self;
        writeln!(
            f,
            "{parsed} frames parsed, {judged} judged, {events} events; skipped: {unsure} for time, {short} too short to run"
        )?;
        writeln!(
            f,
            "read otherwise than the library, by rule: {}",
            listed(&self.rules)
        )?;
        writeln!(f, "passed, by law: {}", listed(&self.laws))?;
        for (hook, _) in Hook::ALL.map(|(hook, word)| (word, hook)) {
            let acts = self.acts.iter().filter(|((at, _), _)| *at == hook);
            let acts: BTreeMap<_, _> = acts.map(|((_, act), count)| (*act, *count)).collect();
            writeln!(f, "{hook}: bytes: {}", listed(&acts))?;
            for (_, outcome) in Outcome::ALL {
                let rows = self
                    .outcomes
                    .iter()
                    .filter(|((at, what, _), _)| (*at, *what) == (hook, outcome));
                let rows: BTreeMap<_, _> = rows
                    .map(|((.., reason), count)| (*reason, *count))
                    .collect();
                if !rows.is_empty() {
                    writeln!(f, "  {outcome}: {}", listed(&rows))?;
                }
            }
        }
        Ok(())
    }
}

fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    let all: Vec<_> = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    all.join(", ")
}
