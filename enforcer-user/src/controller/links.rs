//! What becomes of interfaces.

use super::Controller;
use crate::links::{Cover, Forwarding, inventory};

impl Controller {
    /// Takes every interface as it is now.
    pub(super) fn take_links(&mut self, links: &[Forwarding]) {
        let in_place = self.datapath.attachments().filter(|one| one.is_in_place());
        let judged: Vec<_> = in_place.map(|one| one.interface.clone()).collect();
        let passages = inventory(links, &judged, &self.config.uplinks);
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
}
