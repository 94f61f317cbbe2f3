//! What becomes of interfaces.

use super::Controller;
use crate::{
    control::event::EventKind,
    datapath::Followed,
    links::{Cover, Forwarding, Link, inventory},
};

impl Controller {
    /// Takes every interface as it is now.
    pub(super) fn take_links(&mut self, all: &[Forwarding]) {
        let links: Vec<_> = all.iter().map(|one| one.link.clone()).collect();
        self.follow(&links);
        let name = |index: u32| links.iter().find(|link| link.index == index);
        let judged = self.datapath.attachments();
        let judged = judged.filter_map(|one| name(one.index).map(|link| link.name.clone()));
        let passages = inventory(all, &judged.collect::<Vec<_>>(), &self.config.uplinks);
        for passage in &passages {
            let is_known = self.passages.contains(passage);
            if let Some(remedy) = passage.remedy().filter(|_| !is_known) {
                tracing::warn!(
                    interface = passage.interface,
                    ipv4 = passage.v4,
                    ipv6 = passage.v6,
                    remedy,
                    "{}",
                    passage.cover
                );
            } else if !is_known && passage.cover != Cover::Judged {
                tracing::info!(interface = passage.interface, "{}", passage.cover);
            }
        }
        self.passages = passages;
    }

    /// Puts the programs on interfaces that were made anew.
    fn follow(&mut self, links: &[Link]) {
        let followed = self.datapath.follow(links);
        let mut has_moved = false;
        for Followed { interface, outcome } in followed {
            match outcome {
                Ok(attachment) => {
                    has_moved = true;
                    let message =
                        format!("the interface `{interface}` was made anew and is judged again");
                    self.note(EventKind::Interface, message);
                    tracing::warn!(
                        interface,
                        ingress = ?attachment.ingress,
                        egress = ?attachment.egress,
                        "was made anew; attached again"
                    );
                }
                Err(error) => {
                    let message = format!(
                        "{error}; packets that come in by `{interface}`, which was made anew, are not judged"
                    );
                    tracing::error!("{message}");
                    self.note(EventKind::Interface, message);
                }
            }
        }
        if has_moved {
            let places = self.datapath.attachments();
            let zones = places.map(|one| (one.index, one.zone)).collect();
            self.interfaces.send_replace(zones);
        }
        let mut lost = Vec::new();
        for one in self.datapath.attachments() {
            let now = links.iter().find(|link| link.index == one.index);
            match now {
                Some(link) if link.name == one.interface => {}
                Some(link) => lost.push(format!(
                    "the interface `{}` is called `{}` now: it is still judged; change the configuration, or its name",
                    one.interface, link.name
                )),
                None => lost.push(format!("the interface `{}` is not there", one.interface)),
            }
        }
        let news = lost.iter().filter(|reason| !self.lost.contains(reason));
        for reason in news.cloned().collect::<Vec<_>>() {
            tracing::warn!("{reason}");
            self.note(EventKind::Interface, reason);
        }
        self.lost = lost;
    }
}
