//! What the management server says.

use std::time::{Duration, Instant};

use enforcer_common::{host::SourceId, role::RoleId};
use enforcer_protocol::decision::Decision;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{CHANGES_AT_ONCE, Controller};
use crate::{
    control::event::EventKind,
    identity::{Binding, Rebound},
    registry::{Change, Decided, Refused},
    sources::{Answer, SourceEvent},
};

/// How long the answer "nothing is known" holds. A host that becomes known meanwhile is told of by the
/// stream at once.
const UNANSWERED: Duration = Duration::from_mins(1);

const SOURCE: SourceId = SourceId::MANAGEMENT;

impl Controller {
    /// Takes what a source says, and what else it has said by now, and puts all of it in force at once.
    pub(super) fn take_from_source(
        &mut self,
        first: SourceEvent,
        more: &mut mpsc::Receiver<SourceEvent>,
    ) {
        let since = Instant::now();
        let mut changes = Vec::new();
        let mut renews = false;
        let mut next = Some(first);
        while let Some(event) = next {
            renews |= self.learn(event, &mut changes);
            if changes.len() >= CHANGES_AT_ONCE {
                break;
            }
            next = more.try_recv().ok();
        }
        self.changes_of(changes, since);
        // The lease comes last: it vouches for what is in force.
        if renews {
            self.renew_lease();
        }
    }

    /// Whether the event proves that the gateway holds everything that the source decided.
    fn learn(&mut self, event: SourceEvent, changes: &mut Vec<Change>) -> bool {
        let learnt = match event {
            SourceEvent::Snapshot {
                revision,
                decisions,
            } => self.replace(revision, decisions),
            SourceEvent::Change { revision, decision } => {
                let decided = self.decided(*decision);
                self.registry.decide(SOURCE, revision, decided)
            }
            SourceEvent::Withdraw { revision, endpoint } => {
                let endpoint = endpoint.as_str().into();
                self.identity.forget(&endpoint);
                self.strange_roles.remove(&endpoint);
                self.registry.withdraw(SOURCE, revision, &endpoint)
            }
            SourceEvent::Alive => Ok(Vec::new()),
            SourceEvent::Answers { revision, answers } => {
                for answer in answers {
                    self.learn_answer(revision, answer, changes);
                }
                return false;
            }
            SourceEvent::Connected => {
                tracing::info!("connected to the management server");
                self.management.connected = true;
                self.management.last_error = None;
                self.note(EventKind::Source, "connected to the management server");
                return false;
            }
            SourceEvent::Lost { why } => {
                self.management.connected = false;
                self.management.last_error = Some(why.to_string());
                self.note(
                    EventKind::Source,
                    format!("the management server is lost: {why}"),
                );
                return false;
            }
        };
        match learnt {
            Ok(learnt) => {
                changes.extend(learnt);
                true
            }
            Err(refused) => {
                tracing::warn!("{refused}");
                false
            }
        }
    }

    fn replace(&mut self, revision: u64, decisions: Vec<Decision>) -> Result<Vec<Change>, Refused> {
        let bindings = self.identity.bind_all(&decisions);
        self.strange_roles.clear();
        let count = decisions.len();
        let decided = decisions
            .into_iter()
            .zip(bindings)
            .map(|(decision, binding)| self.understood(decision, binding))
            .collect();
        let changes = self.registry.replace(SOURCE, revision, decided)?;
        tracing::info!(
            revision,
            decisions = count,
            changes = changes.len(),
            "took a snapshot"
        );
        Ok(changes)
    }

    fn learn_answer(&mut self, revision: u64, answer: Answer, changes: &mut Vec<Change>) {
        let Some(decision) = answer.decision else {
            let until = Timestamp::now() + UNANSWERED;
            tracing::info!(
                host = self.shown(&answer.host),
                "the management server knows nothing of it"
            );
            changes.extend(self.registry.answer_unknown(answer.host, until));
            return;
        };
        let endpoint = decision.endpoint.as_str().into();
        if self
            .registry
            .admit_answer(SOURCE, revision, &endpoint)
            .is_err()
        {
            return;
        }
        let decided = self.decided(decision);
        let is_it = decided.hosts.iter().any(|bound| bound.host == answer.host);
        match self.registry.answer(SOURCE, revision, decided) {
            Ok(learnt) => changes.extend(learnt),
            Err(refused) => tracing::warn!("{refused}"),
        }
        // The endpoint is known, and that it has this address is only its claim.
        if !is_it {
            changes.extend(
                self.registry
                    .answer_unknown(answer.host, Timestamp::now() + UNANSWERED),
            );
        }
    }

    fn decided(&mut self, decision: Decision) -> Decided {
        let binding = self.identity.bind(&decision);
        self.understood(decision, binding)
    }

    fn understood(&mut self, decision: Decision, binding: Binding) -> Decided {
        binding
            .doubts
            .iter()
            .for_each(|doubt| tracing::warn!("{doubt}"));
        self.note_doubts(&binding.doubts);
        let endpoint = decision.endpoint.as_str().into();
        self.strange_roles.remove(&endpoint);
        let role = self.compiled.roles.id(&decision.role).unwrap_or_else(|| {
            tracing::warn!(
                endpoint = decision.endpoint,
                role = decision.role,
                "the management server names a role that this gateway does not have: taken as `unknown`; \
                 add it to the configuration"
            );
            self.strange_roles.insert(endpoint, decision.role.clone());
            RoleId::UNKNOWN
        });
        tracing::info!(
            endpoint = decision.endpoint,
            name = decision.name,
            role = self.compiled.roles.name(role),
            hosts = binding.hosts.len(),
            "decided"
        );
        Decided::new(decision, role, binding.hosts)
    }

    /// Gives endpoints the hosts that they have since something new was seen.
    pub(super) fn rebind(&mut self, rebound: Vec<Rebound>) {
        let since = Instant::now();
        let mut changes = Vec::new();
        for Rebound { endpoint, binding } in rebound {
            binding
                .doubts
                .iter()
                .for_each(|doubt| tracing::warn!("{doubt}"));
            self.note_doubts(&binding.doubts);
            changes.extend(self.registry.rebind(SOURCE, &endpoint, binding.hosts));
        }
        self.changes_of(changes, since);
    }

    fn renew_lease(&mut self) {
        let clock = self.datapath.clock();
        let lease = clock.ticks(self.config.management.lease);
        let renewed = clock
            .now()
            .and_then(|now| self.datapath.set_lease(SOURCE, now.saturating_add(lease)));
        if let Err(error) = renewed {
            tracing::error!("the lease of the management server cannot be renewed: {error}");
        }
    }
}
