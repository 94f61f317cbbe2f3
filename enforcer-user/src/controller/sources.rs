//! What the sources say.

use std::{
    collections::HashSet,
    hash::BuildHasher,
    time::{Duration, Instant},
};

use enforcer_common::{
    host::{FOREVER, Host, SourceId},
    role::RoleId,
};
use enforcer_protocol::decision::Decision;
use tokio::sync::mpsc;

use super::{CHANGES_AT_ONCE, Controller, staged::Staged};
use crate::{
    control::event::EventKind,
    identity::{Binding, EndpointId, Rebound},
    registry::{Change, Decided, Refused},
    sources::{Answer, Said, SourceEvent},
};

/// How long the answer "nothing is known" holds. A host that becomes known meanwhile is told of by the
/// stream at once.
const UNANSWERED: Duration = Duration::from_mins(1);

/// The source that endpoints report to, and that is asked about hosts.
pub(super) const SERVER: SourceId = SourceId::MANAGEMENT;

impl Controller {
    /// Takes what a source says, and what else they have said by now, and puts all of it in force at once.
    pub(super) fn take_from_source(&mut self, first: Said, more: &mut mpsc::Receiver<Said>) {
        let since = Instant::now();
        let mut changes = Vec::new();
        let mut renewed = HashSet::new();
        let mut next = Some(first);
        while let Some(Said { source, event }) = next {
            if self.learn(source, event, &mut changes) {
                renewed.insert(source);
            }
            if changes.len() >= CHANGES_AT_ONCE {
                break;
            }
            next = more.try_recv().ok();
        }
        self.changes_of(changes, since);
        // The leases come last: they vouch for what is in force.
        for source in renewed {
            self.renew_lease(source);
        }
    }

    /// Whether the event proves that the gateway holds everything that the source decided.
    fn learn(&mut self, source: SourceId, event: SourceEvent, changes: &mut Vec<Change>) -> bool {
        let Some(heard) = self.sources.get_mut(&source) else {
            return false;
        };
        let awaits = heard.guard.awaits();
        let learnt = match event {
            SourceEvent::Connected { at } => {
                tracing::info!(source = heard.profile.name, at, "connected");
                let message = format!("connected to the source {} at {at}", heard.profile.name);
                heard.connected = true;
                heard.at = Some(at);
                heard.last_error = None;
                self.note(EventKind::Source, message);
                return false;
            }
            SourceEvent::Lost { why } => {
                let message = format!("the source {} is lost: {why}", heard.profile.name);
                let is_news = heard.connected || heard.last_error.as_ref() != Some(&why);
                heard.connected = false;
                heard.last_error = Some(why);
                if is_news {
                    self.note(EventKind::Source, message);
                }
                if source == SERVER {
                    // The rest of it never comes.
                    self.staged = Staged::default();
                }
                self.end_with(source);
                return false;
            }
            SourceEvent::Refused { why } => {
                let message = format!(
                    "what the source {} says is refused: {why}",
                    heard.profile.name
                );
                heard.last_error = Some(why);
                self.note(EventKind::Source, message);
                return false;
            }
            SourceEvent::Answers {
                server,
                revision,
                answers,
            } => {
                // An answer of another server than the one whose decisions are held cannot be compared with them.
                if *heard.server.get_or_insert(server) == server {
                    for answer in answers {
                        self.learn_answer(revision, answer, changes);
                    }
                }
                return false;
            }
            SourceEvent::Part {
                is_first,
                decisions,
            } => {
                self.stage(is_first, decisions);
                return false;
            }
            SourceEvent::Snapshot {
                server,
                revision,
                parts,
                decisions,
            } => self.take_snapshot(server, revision, parts, decisions),
            SourceEvent::List { revision, hosts } => {
                heard.last_error = None;
                self.take_list(source, revision, &hosts)
            }
            // A whole snapshot is due first.
            SourceEvent::Change { .. } | SourceEvent::Withdraw { .. } | SourceEvent::Alive
                if awaits =>
            {
                return false;
            }
            SourceEvent::Change { revision, decision } => {
                let decided = self.decided(*decision);
                Some(self.registry.decide(source, revision, decided))
            }
            SourceEvent::Withdraw { revision, endpoint } => {
                self.take_withdrawal(source, revision, &endpoint)
            }
            SourceEvent::Alive => {
                heard.last_error = None;
                Some(Ok(Vec::new()))
            }
        };
        match learnt {
            Some(Ok(learnt)) => {
                changes.extend(learnt);
                true
            }
            Some(Err(refused)) => {
                tracing::warn!("{refused}");
                false
            }
            None => false,
        }
    }

    /// Takes a whole snapshot, unless it takes back too much.
    fn take_snapshot(
        &mut self,
        server: usize,
        revision: u64,
        parts: usize,
        rest: Vec<Decision>,
    ) -> Option<Result<Vec<Change>, Refused>> {
        let Some(staged) = self.staged(parts, rest) else {
            // Parts of it were given up, as by a reload.
            self.sources.get(&SERVER)?.profile.again.notify_one();
            return None;
        };
        if !self.admits(SERVER, &staged.named) {
            return None;
        }
        let former = self.sources.get_mut(&SERVER)?.server.replace(server);
        if former.is_some_and(|former| former != server) {
            self.registry.begin_anew(SERVER);
        }
        Some(self.replace(revision, staged))
    }

    /// Whether a source may say that it decides of these hosts alone; if not, it is asked again.
    pub(super) fn admits(
        &mut self,
        source: SourceId,
        named: &HashSet<Host, impl BuildHasher>,
    ) -> bool {
        let shrink = self.registry.shrink(source, named);
        let (had, lost) = (shrink.had, shrink.lost.len());
        let Some(heard) = self.sources.get_mut(&source) else {
            return false;
        };
        if heard.guard.admits(shrink) {
            return true;
        }
        tracing::warn!(
            source = heard.profile.name,
            had,
            lost,
            max_shrink = %heard.guard.max(),
            "it would take back what it decided of too many hosts at once: held, and asked for again; if it says so \
             twice, it counts"
        );
        let why = format!(
            "it would take back what it decided of {lost} of {had} hosts: held until it says so twice"
        );
        let message = format!("the source {}: {why}", heard.profile.name);
        heard.last_error = Some(why);
        heard.profile.again.notify_one();
        self.note(EventKind::Source, message);
        false
    }

    fn take_withdrawal(
        &mut self,
        source: SourceId,
        revision: u64,
        endpoint: &str,
    ) -> Option<Result<Vec<Change>, Refused>> {
        let endpoints = self.registry.endpoints(source);
        let heard = self.sources.get_mut(&source)?;
        if !heard.guard.admits_withdrawal(endpoints, Instant::now()) {
            tracing::warn!(
                source = heard.profile.name,
                max_shrink = %heard.guard.max(),
                "it takes back what it decided of too many endpoints at once: asked for everything again"
            );
            let why = "it takes back too much at once: asked for everything again";
            let message = format!("the source {}: {why}", heard.profile.name);
            heard.last_error = Some(why.to_owned());
            heard.profile.again.notify_one();
            self.note(EventKind::Source, message);
            return None;
        }
        let endpoint = endpoint.into();
        self.identity.forget(&endpoint);
        self.strange_roles.remove(&endpoint);
        Some(self.registry.withdraw(source, revision, &endpoint))
    }

    fn replace(&mut self, revision: u64, staged: Staged) -> Result<Vec<Change>, Refused> {
        let decided = self.unstage(staged);
        let count = decided.len();
        let changes = self.registry.replace(SERVER, revision, decided)?;
        if let Some(heard) = self.sources.get_mut(&SERVER) {
            heard.last_error = None;
        }
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
            let until = self.clock.now() + UNANSWERED;
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
            .admit_answer(SERVER, revision, &endpoint)
            .is_err()
        {
            return;
        }
        let decided = self.decided(decision);
        let is_it = decided.hosts.iter().any(|bound| bound.host == answer.host);
        match self.registry.answer(SERVER, revision, decided) {
            Ok(learnt) => changes.extend(learnt),
            Err(refused) => tracing::warn!("{refused}"),
        }
        // The endpoint is known, and that it has this address is only its claim.
        if !is_it {
            changes.extend(
                self.registry
                    .answer_unknown(answer.host, self.clock.now() + UNANSWERED),
            );
        }
    }

    fn decided(&mut self, decision: Decision) -> Decided {
        let placed = self.placed(&decision);
        let binding = self.identity.bind(placed);
        self.report_doubts(&binding.doubts);
        self.strange_roles.remove(&*decision.endpoint);
        let (decided, strange) = self.understand(decision, binding);
        self.strange_roles.extend(strange);
        tracing::info!(
            endpoint = %decided.endpoint,
            name = decided.name,
            role = self.compiled.roles.name(decided.role),
            hosts = decided.hosts.len(),
            "decided"
        );
        decided
    }

    /// What a decision comes to here, and what its role is called when this gateway has none of that name. Says nothing
    /// of the decision: a snapshot has many of them.
    pub(super) fn understand(
        &self,
        mut decision: Decision,
        binding: Binding,
    ) -> (Decided, Option<(EndpointId, String)>) {
        decision.valid_until = decision.valid_until.map(|until| self.clock.of_wall(until));
        let Some(role) = self.compiled.roles.id(&decision.role) else {
            tracing::warn!(
                endpoint = decision.endpoint,
                role = decision.role,
                "the management server names a role that this gateway does not have: taken as `unknown`; \
                 add it to the configuration"
            );
            let strange = std::mem::take(&mut decision.role);
            let decided = Decided::new(decision, RoleId::UNKNOWN, binding);
            let endpoint = decided.endpoint.clone();
            return (decided, Some((endpoint, strange)));
        };
        (Decided::new(decision, role, binding), None)
    }

    /// Gives endpoints the hosts that they have since something new was seen.
    pub(super) fn rebind(&mut self, rebound: Vec<Rebound>) {
        let since = Instant::now();
        let mut changes = Vec::new();
        for Rebound { endpoint, binding } in rebound {
            self.report_doubts(&binding.doubts);
            changes.extend(self.registry.rebind(SERVER, &endpoint, binding.hosts));
        }
        self.changes_of(changes, since);
    }

    fn renew_lease(&mut self, source: SourceId) {
        let Some(heard) = self.sources.get(&source) else {
            return;
        };
        let clock = self.datapath.clock();
        let until = match heard.profile.lease {
            None => Ok(FOREVER),
            Some(lease) => clock
                .now()
                .map(|now| now.saturating_add(clock.ticks(lease))),
        };
        let renewed = until.and_then(|until| self.datapath.set_lease(source, until));
        if let Err(error) = renewed {
            let source = self.source_name(source);
            tracing::error!("the lease of the source {source} cannot be renewed: {error}");
        }
        let changes = self.registry.hush(source, false);
        self.put_in_force(changes);
    }

    /// The decisions of a source without a lease hold only as long as it can be heard.
    fn end_with(&mut self, source: SourceId) {
        let has_lease = |heard: &super::heard::Heard| heard.profile.lease.is_some();
        if self.sources.get(&source).is_none_or(has_lease) || !self.registry.is_complete(source) {
            return;
        }
        if let Err(error) = self.datapath.set_lease(source, 0) {
            let source = self.source_name(source);
            tracing::error!("the decisions of the source {source} cannot be ended: {error}");
        }
    }
}
