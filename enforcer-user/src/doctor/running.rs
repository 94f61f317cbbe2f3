//! The running gateway.

use super::{Answer, Subject};

pub(super) fn gateway(subject: &Subject) -> Vec<Answer> {
    let Some(status) = &subject.running else {
        return vec![Answer::ok("", "none runs here, or none that can be asked")];
    };
    let mut answers = vec![if status.ready {
        Answer::ok("", format!("runs in mode {}, and is ready", status.mode))
    } else {
        Answer::fail(
            "",
            format!(
                "runs, and is not ready: {}",
                status.not_ready_reasons.join("; ")
            ),
            "`enforcer status` and its log say more",
        )
    }];
    answers.extend(status.interfaces.iter().map(|one| {
        if one.attached {
            let found = format!(
                "judged by {} and {}, since {}",
                one.ingress, one.egress, one.reason
            );
            Answer::ok(&one.name, found)
        } else {
            Answer::fail(
                &one.name,
                "the programs are not on it any more",
                "its log says why they cannot be attached again; start the gateway anew",
            )
        }
    }));
    answers
}
