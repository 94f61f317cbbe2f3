//! Judging: a policy applied to a posture. Pure: the same input gives the same judgement.

mod finding;

use enforcer_protocol::{
    judgement::{Judgement, Level, Reason},
    posture::Posture,
};
use jiff::Timestamp;

use self::finding::Finding;
use crate::policy::{Policy, Rule};

/// The rule that a report which has run out fails.
const REPORT_RULE: &str = "report";

/// Judges a posture.
pub fn judge(policy: &Policy, posture: &Posture) -> Judgement {
    let mut level = Level::Safe;
    let mut reasons = Vec::new();
    for rule in &policy.rules {
        let Some((failed, reason)) = apply(rule, posture) else {
            continue;
        };
        level = worse(level, failed);
        reasons.push(reason);
    }
    Judgement {
        level,
        role: policy.roles.of(level).to_owned(),
        reasons,
    }
}

/// Judges an endpoint whose last report, of `reported_at`, has run out.
pub fn judge_silent(policy: &Policy, reported_at: Timestamp) -> Judgement {
    let reason = Reason {
        rule: REPORT_RULE.to_owned(),
        text: format!("This device has not reported its state since {reported_at:.0}"),
        remedy: Some(
            "Start the agent on this device and see that it reaches the server.".to_owned(),
        ),
        link: None,
    };
    let level = Level::Unknown;
    Judgement {
        level,
        role: policy.roles.of(level).to_owned(),
        reasons: vec![reason],
    }
}

/// The level and the reason that this rule gives, unless the endpoint satisfies it.
fn apply(rule: &Rule, posture: &Posture) -> Option<(Level, Reason)> {
    if !rule.platforms.is_empty() && !rule.platforms.contains(&posture.os.family) {
        return None;
    }
    let (level, text) = match finding::find(&rule.check, posture) {
        Finding::Satisfied => return None,
        Finding::Failed(found) => (rule.level.into(), failed_text(rule, found)),
        Finding::Unknown(asked) => (
            rule.unknown_level,
            format!("This device does not say {asked}"),
        ),
    };
    if level == Level::Safe {
        return None;
    }
    let reason = Reason {
        rule: rule.name.get_ref().to_string(),
        text,
        remedy: rule.remedy.clone(),
        link: rule.link.clone(),
    };
    Some((level, reason))
}

fn failed_text(rule: &Rule, found: Option<String>) -> String {
    let text = rule.text.as_str();
    match found {
        Some(found) => format!("{}: {found}", text.trim_end_matches(['.', ':', ' '])),
        None => text.to_owned(),
    }
}

/// How bad a level is, 0 for safe. Danger is worse than not knowing: an endpoint must not escape it
/// by leaving something else unsaid.
pub fn badness(level: Level) -> u8 {
    match level {
        Level::Safe => 0,
        Level::Caution => 1,
        Level::Warning => 2,
        Level::Unknown => 3,
        Level::Danger => 4,
    }
}

fn worse(left: Level, right: Level) -> Level {
    if badness(right) > badness(left) {
        right
    } else {
        left
    }
}

#[cfg(test)]
mod tests;
