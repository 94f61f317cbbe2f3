//! Asking the management server about hosts that nothing is decided for.
//!
//! A question travels at once while a request is free; while none is, questions gather and travel
//! together. So there is no added delay when it is quiet, and few requests when it is not.

mod recent;
mod stats;

use std::{sync::Arc, time::Duration};

use enforcer_common::host::Host;
use enforcer_protocol::decision::{Answers, MAX_QUERY, Query, Subject};
use prometheus::Histogram;
use reqwest::Url;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinSet,
    time::{self, Instant},
};

use super::{
    Answer, Outlet, SourceEvent,
    management::Followed,
    server::{Server, ServerError, root},
};
use crate::identity::{Mac, Zones};
use recent::Recent;
pub use stats::QueryStats;

/// How many questions may wait. A second's worth at the highest rate that is promised; what is beyond
/// it is dropped, and asked again when the host sends again.
const QUEUE: usize = 8192;
/// How many requests may be under way.
const REQUESTS: usize = 4;
/// How long a request may take: after that, the host has the role `unknown` anyway.
const LIMIT: Duration = Duration::from_secs(2);
/// The largest answer: as many decisions as can be asked for, each with long reasons.
const MAX_ANSWER: usize = MAX_QUERY * 64 * 1024;

/// A host to ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The host.
    pub host: Host,
    /// The MAC address that it sent from.
    pub mac: Option<Mac>,
}

/// Where questions are put.
#[derive(Clone, Debug)]
pub struct Queries {
    questions: mpsc::Sender<Question>,
    stats: Arc<QueryStats>,
}

impl Queries {
    /// Asks about a host, soon. Never waits: when too many questions wait, this one is dropped.
    pub fn ask(&self, question: Question) {
        if self.questions.try_send(question).is_err() {
            self.stats.drop_one();
        }
    }

    /// What became of the questions.
    pub fn stats(&self) -> &QueryStats {
        &self.stats
    }
}

/// Why questions have no answer.
#[derive(Debug, thiserror::Error)]
enum QueryError {
    #[error(transparent)]
    Ask(#[from] ServerError),
    #[error("the answer of {url} broke off: {}", root(source))]
    Broken { url: Url, source: reqwest::Error },
    #[error("the answer of {url} has more than {MAX_ANSWER} bytes")]
    TooLong { url: Url },
    #[error("the answer of {url} is none ({source}); check that it has this version")]
    Unreadable { url: Url, source: serde_json::Error },
    #[error(
        "{url} answered about {answered} hosts when asked about {asked}; check that it has this version"
    )]
    Number {
        url: Url,
        asked: usize,
        answered: usize,
    },
    #[error("{url} took longer than {} s to answer", LIMIT.as_secs())]
    Slow { url: Url },
}

/// Who asks the questions.
#[derive(Debug)]
pub struct Asker {
    questions: mpsc::Receiver<Question>,
    desk: Arc<Desk>,
}

/// What every request needs.
#[derive(Debug)]
struct Desk {
    servers: Vec<Server>,
    followed: Followed,
    zones: Zones,
    outlet: Outlet,
    recent: Recent,
    stats: Arc<QueryStats>,
    /// How long requests took, those that had no answer too.
    took: Histogram,
}

impl Asker {
    /// One who asks that one of these servers which is followed, with the names of the zones; the answers go to
    /// `outlet`.
    pub fn new(
        servers: Vec<Server>,
        followed: Followed,
        zones: Zones,
        outlet: Outlet,
        took: Histogram,
    ) -> (Queries, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let stats = Arc::new(QueryStats::default());
        let queries = Queries {
            questions: sender,
            stats: stats.clone(),
        };
        let desk = Arc::new(Desk {
            servers,
            followed,
            zones,
            outlet,
            recent: Recent::default(),
            stats,
            took,
        });
        let questions = receiver;
        (queries, Self { questions, desk })
    }

    /// Asks until the last [`Queries`] is dropped. Dropping the future ends it too.
    pub async fn run(mut self) {
        let slots = Arc::new(Semaphore::new(REQUESTS));
        let mut requests = JoinSet::new();
        while let Ok(slot) = slots.clone().acquire_owned().await {
            while requests.try_join_next().is_some() {}
            let mut batch = Vec::new();
            if self.questions.recv_many(&mut batch, MAX_QUERY).await == 0 {
                break;
            }
            self.desk.admit(&mut batch);
            if !batch.is_empty() {
                requests.spawn(self.desk.clone().ask(batch, slot));
            }
        }
        requests.join_all().await;
    }
}

impl Desk {
    /// Keeps only what has to be asked.
    fn admit(&self, batch: &mut Vec<Question>) {
        let now = Instant::now();
        batch.retain(|question| {
            let is_new = self.recent.admit(question.host, now, LIMIT);
            if !is_new {
                self.stats.coalesce_one();
            }
            is_new
        });
    }

    async fn ask(self: Arc<Self>, batch: Vec<Question>, _slot: OwnedSemaphorePermit) {
        let hosts: Vec<_> = batch.iter().map(|question| question.host).collect();
        let begin = Instant::now();
        let number = self.followed.number();
        let server = &self.servers[number];
        let url = || server.url().clone();
        let answers = time::timeout(LIMIT, self.answers(server, &batch)).await;
        self.took.observe(begin.elapsed().as_secs_f64());
        match answers.unwrap_or_else(|_| Err(QueryError::Slow { url: url() })) {
            Ok(answers) => {
                let known = answers.decisions.iter().flatten().count();
                let unknown = answers.decisions.len() - known;
                self.stats.succeed(known, unknown);
                self.recent.answered(&hosts, Instant::now());
                self.tell(number, &hosts, answers).await;
            }
            Err(error) => {
                self.recent.forget(&hosts);
                if self.stats.fail(hosts.len()) {
                    tracing::warn!(hosts = hosts.len(), "unknown hosts stay unknown: {error}");
                }
            }
        }
    }

    async fn answers(&self, server: &Server, batch: &[Question]) -> Result<Answers, QueryError> {
        let hosts = batch
            .iter()
            .map(|question| self.subject(question))
            .collect();
        self.stats.ask(batch.len());
        let mut response = server.query(&Query { hosts }, LIMIT).await?;
        let url = || server.url().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|source| QueryError::Broken { url: url(), source })?
        {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(QueryError::TooLong { url: url() });
            }
            body.extend_from_slice(&chunk);
        }
        let answers: Answers = serde_json::from_slice(&body)
            .map_err(|source| QueryError::Unreadable { url: url(), source })?;
        let (asked, answered) = (batch.len(), answers.decisions.len());
        if asked != answered {
            let url = url();
            return Err(QueryError::Number {
                url,
                asked,
                answered,
            });
        }
        Ok(answers)
    }

    async fn tell(&self, server: usize, hosts: &[Host], answers: Answers) {
        let revision = answers.revision;
        let answers = hosts.iter().zip(answers.decisions);
        let answers = answers
            .map(|(&host, decision)| Answer { host, decision })
            .collect();
        let answers = SourceEvent::Answers {
            server,
            revision,
            answers,
        };
        self.outlet.tell(answers).await;
    }

    fn subject(&self, question: &Question) -> Subject {
        Subject {
            // A zone without a name is no zone of the server's either: it knows nothing of it.
            zone: self
                .zones
                .name(question.host.zone)
                .unwrap_or_default()
                .to_owned(),
            address: question.host.address.into(),
            mac: question.mac.map(|mac| mac.to_string()),
        }
    }
}
