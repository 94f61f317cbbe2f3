//! Which MAC address each host is bound to, and who is found at the address of another.

use std::time::Instant;

use enforcer_common::{event::Event, host::Host};

use super::Controller;
use crate::{
    identity::{
        Mac,
        evidence::{Moved, News},
        neighbours::{Neighbour, Question},
    },
    registry::Change,
};

impl Controller {
    pub(super) fn take_neighbour(&mut self, neighbour: &Neighbour) {
        let is_decided = self.registry.is_decided(&neighbour.host);
        let news = self.identity.neighbour(neighbour, is_decided);
        self.take_news(neighbour.host, news);
    }

    /// Somebody sends from the address of a host that is bound to another MAC address.
    pub(super) fn doubt(&mut self, event: &Event) {
        let host = Host::from(event.host);
        if let Some(mac) = Mac::of_host(event.mac) {
            let news = self.identity.stranger(host, mac);
            self.take_news(host, news);
        }
    }

    /// Hosts that are decided since, and of which the kernel was only told where they are, are asked.
    pub(super) fn confirm(&self, changes: &[Change]) {
        let decided = changes.iter().filter(|change| change.after.is_some());
        decided
            .filter_map(|change| self.identity.unconfirmed(&change.host))
            .for_each(|question| self.ask_neighbour(question));
    }

    fn take_news(&mut self, host: Host, news: News) {
        let since = Instant::now();
        if let Some(moved) = &news.moved {
            self.log_move(moved);
            self.note_move(moved);
        }
        self.rebind(news.rebound);
        let placed = self.registry.place(host, self.identity.bound(&host));
        self.changes_of(placed, since);
        if let Some(question) = news.question {
            self.ask_neighbour(question);
        }
    }

    /// Never waits: of too many questions some are dropped, and asked again when there is reason to.
    fn ask_neighbour(&self, question: Question) {
        let _ = self.questions.try_send(question);
    }

    fn log_move(&self, moved: &Moved) {
        let Moved { host, from, to } = moved;
        tracing::warn!(
            host = self.shown(host),
            %from,
            %to,
            "the device at this address no longer answers, and another is seen there: what was decided of the \
             first does not count for the second"
        );
    }
}
